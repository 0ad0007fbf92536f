use std::sync::Mutex;

use aileron_contract::{
    Bindings, Context, Result, Secret,
    bindings::{
        Begin, BeginDevice, Begun, Binding, BindingFilter, Callback, Consent, DeviceBegun,
        DevicePoll, Finish, Finished, Landed, Revoked,
    },
    names::{BindingName, Fqn, HostPort},
};
use async_trait::async_trait;

use super::unused;

/// Lists what it is given, and remembers what it was told.
#[derive(Default)]
pub(crate) struct FakeBindings {
    pub(crate) listed: Mutex<Vec<Binding>>,
    pub(crate) hosts: Mutex<Vec<(Fqn, Vec<HostPort>)>>,
    pub(crate) scopes: Mutex<Vec<(Fqn, Vec<String>)>>,
}

#[async_trait]
impl Bindings for FakeBindings {
    async fn bind(&self, _: &Context, _: Consent, _: Secret) -> Result<Binding> {
        unused()
    }
    async fn agree(&self, _: &Context, _: Consent) -> Result<Binding> {
        unused()
    }
    async fn list(&self, _: &Context, filter: BindingFilter) -> Result<Vec<Binding>> {
        let mut bindings = self.listed.lock().unwrap().clone();
        let wanted = |connector: &Fqn| filter.connector.as_ref().is_none_or(|it| it == connector);
        bindings.retain(|binding| wanted(&binding.connector));
        Ok(bindings)
    }
    async fn declare_hosts(
        &self,
        _: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>> {
        self.hosts.lock().unwrap().push((connector, hosts));
        Ok(vec!["api_key/notes/me".parse()?])
    }
    async fn begin(&self, _: &Context, _: Begin) -> Result<Begun> {
        unused()
    }
    async fn finish(&self, _: &Context, _: Finish) -> Result<Finished> {
        unused()
    }
    async fn callback(&self, _: &Context, _: Callback) -> Result<Landed> {
        unused()
    }
    async fn begin_device(&self, _: &Context, _: BeginDevice) -> Result<DeviceBegun> {
        unused()
    }
    async fn poll_device(&self, _: &Context, _: Secret) -> Result<DevicePoll> {
        unused()
    }
    async fn revoke(&self, _: &Context, _: BindingName) -> Result<Revoked> {
        unused()
    }
    async fn set_default(&self, _: &Context, _: BindingName) -> Result<Binding> {
        unused()
    }
    async fn declare_scopes(
        &self,
        _: &Context,
        connector: Fqn,
        scopes: Vec<String>,
    ) -> Result<Vec<BindingName>> {
        self.scopes.lock().unwrap().push((connector, scopes));
        Ok(vec!["oauth2/notes/me".parse()?])
    }
}
