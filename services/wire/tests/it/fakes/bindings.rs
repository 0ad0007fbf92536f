use aileron_contract::{
    Bindings, Context, Result, Secret,
    bindings::{
        Answer, Begin, BeginDevice, Begun, Binding, BindingFilter, Callback, Consent, DeviceBegun,
        DevicePoll, Finish, Finished, Landed, Revoked,
    },
    names::{BindingName, Fqn, HostPort},
};
use async_trait::async_trait;

use super::{Stage, shown};
use crate::samples::{bindings as samples, vault};

#[derive(Default)]
pub(crate) struct FakeBindings {
    pub(crate) stage: Stage,
    /// What the next poll and the next revocation answer.
    pub(crate) poll: std::sync::Mutex<Option<DevicePoll>>,
    pub(crate) revoked: std::sync::Mutex<Option<Revoked>>,
}

#[async_trait]
impl Bindings for FakeBindings {
    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding> {
        self.stage.enter("bind", &(context, consent, shown(&value))).map(vault::binding)
    }

    async fn agree(&self, context: &Context, consent: Consent) -> Result<Binding> {
        self.stage.enter("agree", &(context, consent)).map(vault::binding)
    }

    async fn list(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>> {
        self.stage.enter("list", &(context, filter)).map(vault::bindings)
    }

    async fn declare_hosts(
        &self,
        context: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>> {
        self.stage.enter("declare_hosts", &(context, connector, hosts)).map(vault::stale)
    }

    async fn begin(&self, context: &Context, begin: Begin) -> Result<Begun> {
        self.stage.enter("begin", &(context, begin)).map(samples::begun)
    }

    async fn finish(&self, context: &Context, finish: Finish) -> Result<Finished> {
        let Finish { session, state, code, issuer } = finish;
        let arguments = (context, shown(&session), shown(&state), shown(&code), issuer);
        self.stage.enter("finish", &arguments).map(samples::finished)
    }

    async fn callback(&self, context: &Context, callback: Callback) -> Result<Landed> {
        let Callback { state, answer, cookie, issuer } = callback;
        let answer = match answer {
            Answer::Code(code) => Ok(shown(&code)),
            Answer::Refused(error) => Err(error),
        };
        let arguments = (context, shown(&state), answer, cookie.as_ref().map(shown), issuer);
        self.stage.enter("callback", &arguments).map(samples::landed)
    }

    async fn begin_device(&self, context: &Context, begin: BeginDevice) -> Result<DeviceBegun> {
        self.stage.enter("begin_device", &(context, begin)).map(samples::device_begun)
    }

    async fn poll_device(&self, context: &Context, session: Secret) -> Result<DevicePoll> {
        self.stage.enter("poll_device", &(context, shown(&session)))?;
        Ok(self.poll.lock().unwrap().take().unwrap_or(DevicePoll::Expired))
    }

    async fn revoke(&self, context: &Context, name: BindingName) -> Result<Revoked> {
        self.stage.enter("revoke", &(context, name))?;
        Ok(self.revoked.lock().unwrap().take().unwrap_or(Revoked::Here))
    }

    async fn set_default(&self, context: &Context, name: BindingName) -> Result<Binding> {
        self.stage.enter("set_default", &(context, name)).map(vault::binding)
    }

    async fn declare_scopes(
        &self,
        context: &Context,
        connector: Fqn,
        scopes: Vec<String>,
    ) -> Result<Vec<BindingName>> {
        self.stage.enter("declare_scopes", &(context, connector, scopes)).map(vault::stale)
    }
}
