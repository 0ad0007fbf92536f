//! What leaves the vault on purpose, and the ways back in: every method checks the caller's
//! right, then works in a task that outlives its caller.

mod logins;
mod merge;
pub(crate) mod portable;

use std::sync::Arc;

use aileron_contract::{
    Context, Custody, Error, Principal, Reason, Result, Scope, Secret,
    audit::{Actor, Event, EventKind},
    custody::{Exported, Import, Imported, LoginValue, Recovery},
    names::Login,
    vault::Status,
};
use async_trait::async_trait;

use crate::{
    access::Sessions,
    keeper::{Keeper, Turn},
    recovery_key::RecoveryKey,
};

/// Custody as its contract promises it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) sessions: Arc<Sessions>,
}

#[async_trait]
impl Custody for Door {
    async fn put_login(&self, context: &Context, login: Login, value: LoginValue) -> Result<()> {
        context.require(Scope::SecretsWrite)?;
        logins::check(&value)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { logins::put(&keeper, &context, &login, value).await }).await
    }

    async fn delete_login(&self, context: &Context, login: Login) -> Result<()> {
        context.require(Scope::SecretsWrite)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { logins::delete(&keeper, &context, &login).await }).await
    }

    /// An agent has no business with logins in the clear, whatever its token says.
    async fn export_login(&self, context: &Context, login: Login) -> Result<LoginValue> {
        context.require(Scope::CredentialsExport)?;
        if matches!(context.principal, Principal::Agent(_)) {
            return Err(Error::new(
                Reason::PersonRequired,
                "a login does not leave the vault for an agent: what it needs is put into its \
                 sandbox when it is launched",
            ));
        }
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { logins::export(&keeper, &context, &login).await }).await
    }

    async fn add_recovery_key(&self, context: &Context) -> Result<Secret> {
        context.require(Scope::VaultManage)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { keeper.add_recovery_key(&context).await }).await
    }

    async fn remove_recovery_key(&self, context: &Context) -> Result<Status> {
        context.require(Scope::VaultManage)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { keeper.remove_recovery_key(&context).await }).await
    }

    // The key is the proof, as the passphrase is when unlocking.
    async fn recover(&self, context: &Context, recovery: Recovery) -> Result<Status> {
        context.require(Scope::StatusRead)?;
        let Recovery { key, new } = recovery;
        let key = RecoveryKey::read(&key)?;
        let turn = self.keeper.turn(context).await?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        let sessions = Arc::clone(&self.sessions);
        self.keeper
            .owned(async move {
                let status = keeper.recover(&context, turn, (&key, new)).await?;
                keeper.record(&context, &sessions.close_all(&context)).await?;
                Ok(status)
            })
            .await
    }

    async fn export(&self, context: &Context, passphrase: Secret) -> Result<Exported> {
        context.require(Scope::VaultManage)?;
        let turn = self.keeper.turn(context).await?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { export(&keeper, &context, turn, passphrase).await }).await
    }

    async fn import(&self, context: &Context, import: Import) -> Result<Imported> {
        context.require(Scope::VaultManage)?;
        let turn = self.keeper.turn(context).await?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { take_over(&keeper, &context, turn, import).await }).await
    }
}

async fn export(
    keeper: &Keeper,
    context: &Context,
    mut turn: Turn,
    passphrase: Secret,
) -> Result<Exported> {
    let (file, keys) = keeper.view().await?.unlocked()?;
    let own = keeper.derive_new(&mut turn, passphrase).await?;
    drop(turn);
    let sealed = portable::seal(&file, &keys, &own)?;
    let entries = u64::try_from(file.entries().len()).map_err(Error::internal)?;
    let event = Event::new(EventKind::VaultExported, Actor::of(context))
        .with("aileron.vault.entries", entries);
    keeper.record(context, &[event]).await?;
    Ok(Exported { file: sealed, entries })
}

async fn take_over(
    keeper: &Keeper,
    context: &Context,
    mut turn: Turn,
    import: Import,
) -> Result<Imported> {
    let Import { file, passphrase, replace } = import;
    let sealed = portable::Sealed::parse(&file)?;
    // Said before the work of a passphrase is done.
    keeper.view().await?.unlocked()?;
    let (kdf, salt) = sealed.challenge();
    let own = keeper.derive(&mut turn, kdf, salt.to_vec(), passphrase).await?;
    drop(turn);
    merge::into(keeper, context, sealed.open(&own)?, replace).await
}
