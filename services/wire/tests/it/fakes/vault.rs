use aileron_contract::{
    Context, Result, Secret, Vault,
    names::SecretName,
    vault::{Acceptance, Entry, EntryFilter, Older, PassphraseChange, Pin, PinDomain, Status},
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

    async fn older(&self, context: &Context) -> Result<Option<Older>> {
        self.stage.enter("older", &context).map(samples::older)
    }

    async fn accept_older(&self, context: &Context, acceptance: Acceptance) -> Result<Status> {
        let Acceptance { passphrase, generation } = acceptance;
        let arguments = (context, shown(&passphrase), generation);
        self.stage.enter("accept_older", &arguments).map(samples::status)
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
