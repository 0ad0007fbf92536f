//! The vault's door: every method checks the caller's right, then asks the keeper.

mod entries;

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result, Scope, Secret, Vault,
    audit::{Actor, Event, EventKind},
    limits,
    names::{SecretName, VaultPath},
    vault::{Acceptance, Entry, EntryFilter, Older, PassphraseChange, Pin, PinDomain, Status},
};
use async_trait::async_trait;

use crate::{
    envelope,
    file::Metadata,
    keeper::{Changed, Content, Keeper},
    lock::Lock,
};

/// The vault as its contract promises it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) lock: Lock,
}

#[async_trait]
impl Vault for Door {
    async fn status(&self, context: &Context) -> Result<Status> {
        context.require(Scope::StatusRead)?;
        Ok(self.keeper.view().await?.status())
    }

    // Nobody can prove to be the person before there is a passphrase, and the passphrase is the
    // proof afterwards: creating and unlocking need no further right than to ask.
    async fn create(&self, context: &Context, passphrase: Secret) -> Result<Status> {
        context.require(Scope::StatusRead)?;
        let turn = self.keeper.turn(context).await?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { keeper.create(&context, turn, passphrase).await }).await
    }

    async fn unlock(&self, context: &Context, passphrase: Secret) -> Result<Status> {
        context.require(Scope::StatusRead)?;
        self.keeper.must_be_closed().await?;
        let turn = self.keeper.turn(context).await?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { keeper.unlock(&context, turn, passphrase).await }).await
    }

    async fn lock(&self, context: &Context) -> Result<Status> {
        context.require(Scope::VaultLock)?;
        let (lock, context) = (self.lock.clone(), context.clone());
        self.keeper.owned(async move { lock.lock(&context).await }).await
    }

    /// All person sessions but the caller's end: they were opened with the old passphrase.
    async fn change_passphrase(
        &self,
        context: &Context,
        change: PassphraseChange,
    ) -> Result<Status> {
        context.require(Scope::VaultManage)?;
        let turn = self.keeper.turn(context).await?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        let sessions = Arc::clone(&self.lock.sessions);
        self.keeper
            .owned(async move {
                let status = keeper.change_passphrase(&context, turn, change).await?;
                let closed = sessions.close_others(&context);
                keeper.record(&context, &closed).await?;
                Ok(status)
            })
            .await
    }

    async fn older(&self, context: &Context) -> Result<Option<Older>> {
        context.require(Scope::StatusRead)?;
        self.keeper.older().await
    }

    // As with unlocking: the passphrase is the proof.
    async fn accept_older(&self, context: &Context, acceptance: Acceptance) -> Result<Status> {
        context.require(Scope::StatusRead)?;
        let turn = self.keeper.turn(context).await?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        let sessions = Arc::clone(&self.lock.sessions);
        self.keeper
            .owned(async move {
                let status = keeper.accept_older(&context, turn, acceptance).await?;
                keeper.record(&context, &sessions.close_all(&context)).await?;
                Ok(status)
            })
            .await
    }

    async fn entries(&self, context: &Context, filter: EntryFilter) -> Result<Vec<Entry>> {
        context.require(Scope::BindingsList)?;
        let view = self.keeper.view().await?;
        if matches!(view.content, Content::Missing) {
            return Ok(Vec::new());
        }
        Ok(entries::select(view.file()?.entries(), &filter))
    }

    async fn put_secret(&self, context: &Context, name: SecretName, value: Secret) -> Result<()> {
        context.require(Scope::SecretsWrite)?;
        sized(&value)?;
        let path = VaultPath::from(&name);
        let event = secret_event(EventKind::SecretStored, context, &path);
        let metadata = Metadata { kind: "secret".to_owned(), ..Metadata::default() };
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper
            .owned(async move {
                keeper
                    .change(&context, |draft, keys| {
                        value.expose(|value| draft.put(keys, path.as_str(), metadata, value))?;
                        Ok(Changed { value: (), events: vec![event] })
                    })
                    .await
            })
            .await
    }

    async fn delete_secret(&self, context: &Context, name: SecretName) -> Result<()> {
        context.require(Scope::SecretsWrite)?;
        let path = VaultPath::from(&name);
        let event = secret_event(EventKind::SecretDeleted, context, &path);
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper
            .owned(async move {
                keeper
                    .change(&context, |draft, _| {
                        if !draft.remove(path.as_str()) {
                            return Err(not_found(&format!("there is no secret {name}")));
                        }
                        Ok(Changed { value: (), events: vec![event] })
                    })
                    .await
            })
            .await
    }

    async fn pin(&self, context: &Context, domain: PinDomain, record: Vec<u8>) -> Result<Pin> {
        context.require(Scope::VaultManage)?;
        let (_, keys) = self.keeper.view().await?.unlocked()?;
        Ok(Pin(envelope::authenticate(&*keys.pin(domain)?, &record)?))
    }

    async fn check_pin(
        &self,
        context: &Context,
        domain: PinDomain,
        record: Vec<u8>,
        pin: Pin,
    ) -> Result<bool> {
        context.require(Scope::VaultManage)?;
        let (_, keys) = self.keeper.view().await?.unlocked()?;
        let expected = envelope::authenticate(&*keys.pin(domain)?, &record)?;
        Ok(envelope::equal(&expected, &pin.0))
    }
}

fn secret_event(kind: EventKind, context: &Context, path: &VaultPath) -> Event {
    Event::new(kind, Actor::of(context)).with("aileron.secret.path", path.as_str())
}

fn not_found(what: &str) -> Error {
    Error::new(Reason::NotFound, what)
}

pub(crate) fn sized(value: &Secret) -> Result<()> {
    if value.is_empty() {
        return Err(Error::new(Reason::MissingValue, "a secret's value must not be empty"));
    }
    if value.len() > limits::SECRET {
        return Err(Error::new(
            Reason::BodyTooLarge,
            format!("a secret has at most {} bytes", limits::SECRET),
        ));
    }
    Ok(())
}
