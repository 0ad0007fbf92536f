use std::time::Duration;

use aileron_contract::{
    Bindings, Context, Error, Reason, Result, Scope, Secret,
    bindings::{
        Answer, Begin, BeginDevice, Begun, Binding, BindingFilter, BindingStatus, Callback, Caller,
        Consent, DeviceBegun, DevicePoll, Finish, Finished, Landed, Purpose, Revoked, StaleReason,
    },
    names::{BindingName, Fqn, HostPort},
};
use async_trait::async_trait;

use super::{
    World,
    people::{binding, known},
    world::later,
};

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn shown(secret: &Secret) -> String {
    secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[async_trait]
impl Bindings for World {
    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding> {
        self.enter("bind", context, Scope::BindingsWrite)?;
        if consent.refuse_existing && consent.identity.as_str() == "taken" {
            return Err(Error::new(Reason::BindingExists, "that binding exists"));
        }
        let value = value.expose(<[u8]>::to_vec);
        self.consents.lock().unwrap().push((consent.clone(), value));
        Ok(binding(consent))
    }

    async fn agree(&self, context: &Context, consent: Consent) -> Result<Binding> {
        self.enter("agree", context, Scope::BindingsWrite)?;
        self.consents.lock().unwrap().push((consent.clone(), Vec::new()));
        Ok(binding(consent))
    }

    async fn list(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>> {
        self.enter("bindings", context, Scope::BindingsList)?;
        let known = known();
        let planted = Some(self.text("")).filter(|planted| !planted.is_empty());
        let status = planted.as_ref().map_or(known.status, |_| BindingStatus::Stale);
        let stale_reason = planted.as_ref().map(|_| StaleReason::HostsAdded);
        let known = Binding { account: planted, stale_reason, status, ..known };
        let wanted = filter.name.is_none_or(|name| name == known.name);
        Ok(wanted.then_some(known).into_iter().collect())
    }

    async fn declare_hosts(
        &self,
        _: &Context,
        _: Fqn,
        _: Vec<HostPort>,
    ) -> Result<Vec<BindingName>> {
        panic!("the gateway declares no hosts")
    }

    async fn begin(&self, context: &Context, begin: Begin) -> Result<Begun> {
        self.enter("begin", context, Scope::BindingsWrite)?;
        let (redirect_uri, browser_cookie) = match &begin.caller {
            Caller::Cli { port } => (format!("http://127.0.0.1:{port}/callback"), None),
            Caller::Daemon { callback_url, .. } => (callback_url.clone(), Some(secret("c00kie"))),
        };
        self.begun.lock().unwrap().push(begin);
        Ok(Begun {
            session: secret("the-session"),
            authorize_url: "https://id.example/authorize?state=s".to_owned(),
            redirect_uri,
            browser_cookie,
            expires_at: later(),
        })
    }

    async fn finish(&self, context: &Context, finish: Finish) -> Result<Finished> {
        self.enter("finish", context, Scope::BindingsWrite)?;
        let purpose = match shown(&finish.session).as_str() {
            "again" => Purpose::Reauthorize,
            "gone" => return Err(Error::new(Reason::SessionNotFound, "no such setup")),
            "dead" => return Err(Error::new(Reason::TokenExchangeFailed, "no tokens")),
            _ => Purpose::Setup,
        };
        assert_eq!((shown(&finish.code), shown(&finish.state)), ("c".to_owned(), "s".to_owned()));
        Ok(Finished { binding: known(), purpose })
    }

    async fn callback(&self, context: &Context, callback: Callback) -> Result<Landed> {
        assert!(context.require(Scope::BindingsWrite).is_err(), "a callback holds no right");
        self.calls.lock().unwrap().push(("callback", context.clone()));
        let Callback { state, answer, cookie, issuer } = callback;
        assert_eq!(issuer.as_deref().unwrap_or("https://id.example"), "https://id.example");
        if cookie.as_ref().map(shown).as_deref() != Some("c00kie") {
            return Err(Error::new(Reason::BrowserMismatch, "another browser"));
        }
        match (shown(&state).as_str(), answer) {
            (_, Answer::Refused(error)) => {
                Err(Error::new(Reason::ProviderError, format!("the provider said {error}")))
            }
            ("locked", _) => Err(Error::new(Reason::VaultLocked, "unlock it first")),
            ("s", Answer::Code(code)) if shown(&code) == "c" => {
                Ok(Landed { return_to: "http://127.0.0.1:9/done".to_owned(), binding: known() })
            }
            _ => Err(Error::new(Reason::SessionNotFound, "no such setup")),
        }
    }

    async fn begin_device(&self, context: &Context, begin: BeginDevice) -> Result<DeviceBegun> {
        self.enter("begin_device", context, Scope::BindingsWrite)?;
        let BeginDevice { consent, client, purpose } = begin;
        let caller = Caller::Cli { port: 0 };
        self.begun.lock().unwrap().push(Begin { consent, client, purpose, caller });
        Ok(DeviceBegun {
            session: secret("the-device"),
            user_code: "ABCD-EFGH".to_owned(),
            verification_uri: "https://id.example/device".to_owned(),
            verification_uri_complete: None,
            expires_at: later(),
            interval: Duration::from_millis(4_001),
        })
    }

    async fn poll_device(&self, context: &Context, session: Secret) -> Result<DevicePoll> {
        self.enter("poll_device", context, Scope::BindingsWrite)?;
        let interval = Duration::from_secs(7);
        Ok(match shown(&session).as_str() {
            "waits" => DevicePoll::Pending { interval },
            "slow" => DevicePoll::SlowDown { interval },
            "done" => DevicePoll::Done(Box::new(known())),
            "denied" => DevicePoll::Denied,
            _ => DevicePoll::Expired,
        })
    }

    async fn revoke(&self, context: &Context, name: BindingName) -> Result<Revoked> {
        self.enter("revoke", context, Scope::BindingsWrite)?;
        match name.as_str() {
            "api_key/notes/default" => Ok(Revoked::Here),
            "oauth2/notes/told" => Ok(Revoked::AtProvider),
            "oauth2/notes/untold" => Ok(Revoked::NotAtProvider("it did not answer".to_owned())),
            _ => Err(Error::new(Reason::BindingNotFound, "there is no such binding")),
        }
    }

    async fn set_default(&self, context: &Context, name: BindingName) -> Result<Binding> {
        self.enter("set_default", context, Scope::BindingsWrite)?;
        if name == known().name {
            return Ok(Binding { default: true, ..known() });
        }
        Err(Error::new(Reason::BindingNotFound, "there is no such binding"))
    }

    async fn declare_scopes(
        &self,
        _: &Context,
        _: Fqn,
        _: Vec<String>,
    ) -> Result<Vec<BindingName>> {
        panic!("the gateway declares no scopes")
    }
}
