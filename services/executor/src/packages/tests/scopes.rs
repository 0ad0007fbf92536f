//! A stand-in for the life of bindings: remembers the scopes it was told.

use std::sync::Mutex;

use aileron_contract::{
    Bindings, Context, Error, Reason, Result, Secret,
    bindings::{
        Begin, BeginDevice, Begun, Callback, DeviceBegun, DevicePoll, Finish, Finished, Landed,
        Revoked,
    },
    names::{BindingName, Fqn},
    vault::Binding,
};
use async_trait::async_trait;

fn unused<T>() -> Result<T> {
    Err(Error::new(Reason::InternalError, "not part of this world"))
}

#[derive(Default)]
pub(crate) struct DeclaredScopes(pub(crate) Mutex<Vec<(Fqn, Vec<String>)>>);

#[async_trait]
impl Bindings for DeclaredScopes {
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
        self.0.lock().unwrap().push((connector, scopes));
        Ok(vec!["oauth2/notes/me".parse()?])
    }
}
