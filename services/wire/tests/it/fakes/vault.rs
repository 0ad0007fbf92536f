use aileron_contract::{
    Context, Result, Secret, Vault,
    names::{BindingName, Fqn, HostPort, SecretName},
    vault::{
        Binding, BindingFilter, Consent, Entry, EntryFilter, PassphraseChange, Pin, PinDomain,
        Status,
    },
};
use async_trait::async_trait;

use super::{Stage, shown};
use crate::samples::vault as samples;

#[derive(Default)]
pub(crate) struct FakeVault {
    pub(crate) stage: Stage,
}

#[async_trait]
impl Vault for FakeVault {
    async fn status(&self, context: &Context) -> Result<Status> {
        self.stage.enter("status", &context).map(samples::status)
    }

    async fn create(&self, context: &Context, passphrase: Secret) -> Result<Status> {
        self.stage.enter("create", &(context, shown(&passphrase))).map(samples::status)
    }

    async fn unlock(&self, context: &Context, passphrase: Secret) -> Result<Status> {
        self.stage.enter("unlock", &(context, shown(&passphrase))).map(samples::status)
    }

    async fn lock(&self, context: &Context) -> Result<Status> {
        self.stage.enter("lock", &context).map(samples::status)
    }

    async fn change_passphrase(
        &self,
        context: &Context,
        change: PassphraseChange,
    ) -> Result<Status> {
        let PassphraseChange { current, new, rotate } = change;
        let arguments = (context, shown(&current), shown(&new), rotate);
        self.stage.enter("change_passphrase", &arguments).map(samples::status)
    }

    async fn entries(&self, context: &Context, filter: EntryFilter) -> Result<Vec<Entry>> {
        self.stage.enter("entries", &(context, filter)).map(samples::entries)
    }

    async fn put_secret(&self, context: &Context, name: SecretName, value: Secret) -> Result<()> {
        self.stage.enter("put_secret", &(context, name, shown(&value))).map(|_| ())
    }

    async fn delete_secret(&self, context: &Context, name: SecretName) -> Result<()> {
        self.stage.enter("delete_secret", &(context, name)).map(|_| ())
    }

    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding> {
        self.stage.enter("bind", &(context, consent, shown(&value))).map(samples::binding)
    }

    async fn bindings(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>> {
        self.stage.enter("bindings", &(context, filter)).map(samples::bindings)
    }

    async fn declare_hosts(
        &self,
        context: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>> {
        self.stage.enter("declare_hosts", &(context, connector, hosts)).map(samples::stale)
    }

    async fn pin(&self, context: &Context, domain: PinDomain, record: Vec<u8>) -> Result<Pin> {
        self.stage.enter("pin", &(context, domain, record)).map(samples::pin)
    }

    async fn check_pin(
        &self,
        context: &Context,
        domain: PinDomain,
        record: Vec<u8>,
        pin: Pin,
    ) -> Result<bool> {
        self.stage.enter("check_pin", &(context, domain, record, pin))
    }
}
