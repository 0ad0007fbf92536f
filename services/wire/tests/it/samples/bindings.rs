use std::time::Duration;

use aileron_contract::{
    Secret,
    bindings::{
        Begin, BeginDevice, Begun, Caller, DeviceBegun, DevicePoll, Finished, Landed, Purpose,
        Revoked,
    },
};

use super::{before_1970, oauth2, text, time, vault};

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

pub(crate) fn purpose(full: bool) -> Purpose {
    if full { Purpose::Reauthorize } else { Purpose::Setup }
}

pub(crate) fn begin(full: bool) -> Begin {
    let caller = if full {
        Caller::Daemon {
            callback_url: "http://127.0.0.1:1/v1/bindings/setup/oauth2/callback".to_owned(),
            return_to: "http://127.0.0.1:2/é".to_owned(),
        }
    } else {
        Caller::Cli { port: u16::MAX }
    };
    let BeginDevice { consent, client, purpose } = begin_device(full);
    Begin { consent, client, purpose, caller }
}

pub(crate) fn begun(full: bool) -> Begun {
    Begun {
        session: secret(if full { "sess\0ion" } else { "" }),
        authorize_url: text(full).unwrap_or_default(),
        redirect_uri: "http://127.0.0.1:9/callback".to_owned(),
        browser_cookie: full.then(|| secret("cookie")),
        expires_at: if full { time() } else { before_1970() },
    }
}

pub(crate) fn finished(full: bool) -> Finished {
    Finished { binding: vault::binding(full), purpose: purpose(full) }
}

pub(crate) fn landed(full: bool) -> Landed {
    Landed { return_to: text(full).unwrap_or_default(), binding: vault::binding(full) }
}

pub(crate) fn begin_device(full: bool) -> BeginDevice {
    BeginDevice { consent: vault::consent(full), client: oauth2(full), purpose: purpose(full) }
}

pub(crate) fn device_begun(full: bool) -> DeviceBegun {
    DeviceBegun {
        session: secret("device session"),
        user_code: "ABCD-EFGH".to_owned(),
        verification_uri: "https://id.example/device".to_owned(),
        verification_uri_complete: text(full),
        expires_at: time(),
        interval: if full { Duration::new(5, 999_999_999) } else { Duration::ZERO },
    }
}

pub(crate) fn polls() -> Vec<DevicePoll> {
    let interval = Duration::from_millis(5_001);
    vec![
        DevicePoll::Pending { interval },
        DevicePoll::SlowDown { interval },
        DevicePoll::Done(Box::new(vault::binding(true))),
        DevicePoll::Done(Box::new(vault::binding(false))),
        DevicePoll::Denied,
        DevicePoll::Expired,
    ]
}

pub(crate) fn revocations() -> Vec<Revoked> {
    let why = text(true).unwrap_or_default();
    vec![Revoked::Here, Revoked::AtProvider, Revoked::NotAtProvider(why)]
}
