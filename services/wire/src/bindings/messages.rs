//! The types of the bindings contract, field by field.

use aileron_contract::{
    Result,
    bindings::{
        Answer, Begin, BeginDevice, Begun, Binding, BindingFilter, Caller, Consent, DeviceBegun,
        DevicePoll, Finished, Landed, Revoked,
    },
    credential::Reach,
    names::HostPort,
};
use aileron_proto::{common::v1 as common, vault::v1 as pb};

use crate::{
    message::{Wire, invalid, messages, read, required},
    values::{duration_from_wire, duration_to_wire},
};

messages! {
    Begun => pb::BeginSetupResponse {
        session, authorize_url, redirect_uri, browser_cookie, expires_at,
    }

    Finished => pb::FinishSetupResponse { binding, purpose }

    Landed => pb::CallbackResponse { return_to, binding }

    Reach => pb::Reach { hosts, form }

    Consent => pb::Consent {
        connector, service, identity, account, scope, reach, access_key_id, region,
        refuse_existing,
    }

    BindingFilter => pb::BindingFilter { connector, kind, name }

    Binding => pb::Binding {
        name, connector, kind, service, identity, default, scope, account, status, stale_reason,
        hosts, access_key_id, region, granted_scopes, missing_scopes, refresh_token_present,
        refreshing_since, created_at, agreed_at, last_used_at, last_refreshed_at, verified,
    }
}

/// A list that may be absent, which is not the same as empty.
impl Wire<common::Hosts> for Vec<HostPort> {
    fn into_wire(self) -> common::Hosts {
        common::Hosts { items: self.into_wire() }
    }

    fn from_wire(hosts: common::Hosts, field: &'static str) -> Result<Self> {
        let common::Hosts { items } = hosts;
        read(items, field)
    }
}

impl Wire<Option<pb::begin_setup_request::Caller>> for Caller {
    fn into_wire(self) -> Option<pb::begin_setup_request::Caller> {
        use pb::begin_setup_request::Caller as Message;
        Some(match self {
            Self::Cli { port } => Message::CommandLine(pb::CommandLine { port: port.into() }),
            Self::Daemon { callback_url, return_to } => {
                Message::Daemon(pb::Daemon { callback_url, return_to })
            }
        })
    }

    fn from_wire(
        caller: Option<pb::begin_setup_request::Caller>,
        field: &'static str,
    ) -> Result<Self> {
        use pb::begin_setup_request::Caller as Message;
        match required(caller, field)? {
            Message::CommandLine(pb::CommandLine { port }) => {
                let port = port.try_into().map_err(|_| invalid("that is no port"))?;
                Ok(Self::Cli { port })
            }
            Message::Daemon(pb::Daemon { callback_url, return_to }) => {
                Ok(Self::Daemon { callback_url, return_to })
            }
        }
    }
}

impl Wire<Option<pb::callback_request::Answer>> for Answer {
    fn into_wire(self) -> Option<pb::callback_request::Answer> {
        use pb::callback_request::Answer as Message;
        Some(match self {
            Self::Code(code) => Message::Code(code.into_wire()),
            Self::Refused(error) => Message::Refused(error),
        })
    }

    fn from_wire(
        answer: Option<pb::callback_request::Answer>,
        field: &'static str,
    ) -> Result<Self> {
        use pb::callback_request::Answer as Message;
        Ok(match required(answer, field)? {
            Message::Code(code) => Self::Code(read(code, field)?),
            Message::Refused(error) => Self::Refused(error),
        })
    }
}

impl Wire<pb::RevokeBindingResponse> for Revoked {
    fn into_wire(self) -> pb::RevokeBindingResponse {
        use pb::revoke_binding_response::Revoked as Message;
        let revoked = match self {
            Self::Here => Message::Here(pb::RevokedHere {}),
            Self::AtProvider => Message::AtProvider(pb::RevokedAtProvider {}),
            Self::NotAtProvider(why) => Message::NotAtProvider(why),
        };
        pb::RevokeBindingResponse { revoked: Some(revoked) }
    }

    fn from_wire(message: pb::RevokeBindingResponse, field: &'static str) -> Result<Self> {
        use pb::revoke_binding_response::Revoked as Message;
        let pb::RevokeBindingResponse { revoked } = message;
        Ok(match required(revoked, field)? {
            Message::Here(pb::RevokedHere {}) => Self::Here,
            Message::AtProvider(pb::RevokedAtProvider {}) => Self::AtProvider,
            Message::NotAtProvider(why) => Self::NotAtProvider(why),
        })
    }
}

pub(super) fn begin_from_wire(
    consent: Option<pb::Consent>,
    client: Option<aileron_proto::common::v1::Oauth2Client>,
    purpose: String,
    caller: Option<pb::begin_setup_request::Caller>,
) -> Result<Begin> {
    Ok(Begin {
        consent: read(consent, "Begin.consent")?,
        client: read(client, "Begin.client")?,
        purpose: read(purpose, "Begin.purpose")?,
        caller: read(caller, "Begin.caller")?,
    })
}

pub(super) fn begin_device_from_wire(
    consent: Option<pb::Consent>,
    client: Option<aileron_proto::common::v1::Oauth2Client>,
    purpose: String,
) -> Result<BeginDevice> {
    Ok(BeginDevice {
        consent: read(consent, "BeginDevice.consent")?,
        client: read(client, "BeginDevice.client")?,
        purpose: read(purpose, "BeginDevice.purpose")?,
    })
}

// A length of time may be longer than a message can say: these two can fail on the way out.

pub(super) fn device_to_wire(begun: DeviceBegun) -> Result<pb::BeginDeviceResponse> {
    let DeviceBegun {
        session,
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_at,
        interval,
    } = begun;
    Ok(pb::BeginDeviceResponse {
        session: session.into_wire(),
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_at: expires_at.into_wire(),
        interval: Some(duration_to_wire(interval, "DeviceBegun.interval")?),
    })
}

pub(super) fn device_from_wire(message: pb::BeginDeviceResponse) -> Result<DeviceBegun> {
    let pb::BeginDeviceResponse {
        session,
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_at,
        interval,
    } = message;
    Ok(DeviceBegun {
        session: read(session, "DeviceBegun.session")?,
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_at: read(expires_at, "DeviceBegun.expires_at")?,
        interval: duration_from_wire(interval, "DeviceBegun.interval")?,
    })
}

pub(super) fn poll_to_wire(poll: DevicePoll) -> Result<pb::PollDeviceResponse> {
    use pb::poll_device_response::Poll as Message;
    let poll = match poll {
        DevicePoll::Pending { interval } => {
            Message::Pending(duration_to_wire(interval, "DevicePoll.pending")?)
        }
        DevicePoll::SlowDown { interval } => {
            Message::SlowDown(duration_to_wire(interval, "DevicePoll.slow_down")?)
        }
        DevicePoll::Done(binding) => Message::Done((*binding).into_wire()),
        DevicePoll::Denied => Message::Denied(pb::Denied {}),
        DevicePoll::Expired => Message::Expired(pb::Expired {}),
    };
    Ok(pb::PollDeviceResponse { poll: Some(poll) })
}

pub(super) fn poll_from_wire(message: pb::PollDeviceResponse) -> Result<DevicePoll> {
    use pb::poll_device_response::Poll as Message;
    let pb::PollDeviceResponse { poll } = message;
    Ok(match required(poll, "DevicePoll")? {
        Message::Pending(interval) => DevicePoll::Pending {
            interval: duration_from_wire(Some(interval), "DevicePoll.pending")?,
        },
        Message::SlowDown(interval) => DevicePoll::SlowDown {
            interval: duration_from_wire(Some(interval), "DevicePoll.slow_down")?,
        },
        Message::Done(binding) => DevicePoll::Done(Box::new(read(binding, "DevicePoll.done")?)),
        Message::Denied(pb::Denied {}) => DevicePoll::Denied,
        Message::Expired(pb::Expired {}) => DevicePoll::Expired,
    })
}
