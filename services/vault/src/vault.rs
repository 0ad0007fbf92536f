//! The vault's door: every method checks the caller's right, then asks the keeper.

mod defaults;
mod entries;
mod hosts;

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result, Scope, Secret, Vault,
    audit::{Actor, Event, EventKind},
    credential::Form,
    limits,
    names::{BindingName, Fqn, HostPort, SecretName, VaultPath},
    vault::{
        Binding, BindingFilter, Consent, Entry, EntryFilter, PassphraseChange, Pin, PinDomain,
        State, Status,
    },
};
use async_trait::async_trait;

use crate::{
    access::Sessions,
    binding::{self, Record},
    egress::inject,
    envelope,
    file::Metadata,
    keeper::{Changed, Content, Keeper},
};

pub(crate) use defaults::set_default;

/// The vault as its contract promises it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) sessions: Arc<Sessions>,
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
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { keeper.create(&context, passphrase).await }).await
    }

    async fn unlock(&self, context: &Context, passphrase: Secret) -> Result<Status> {
        context.require(Scope::StatusRead)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { keeper.unlock(&context, passphrase).await }).await
    }

    /// The keys and all person sessions go first, and go even when the log cannot be written.
    async fn lock(&self, context: &Context) -> Result<Status> {
        context.require(Scope::VaultLock)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        let sessions = Arc::clone(&self.sessions);
        self.keeper.owned(async move { lock(&keeper, &sessions, &context).await }).await
    }

    /// All person sessions but the caller's end: they were opened with the old passphrase.
    async fn change_passphrase(
        &self,
        context: &Context,
        change: PassphraseChange,
    ) -> Result<Status> {
        context.require(Scope::VaultManage)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        let sessions = Arc::clone(&self.sessions);
        self.keeper
            .owned(async move {
                let status = keeper.change_passphrase(&context, change).await?;
                let closed = sessions.close_others(&context);
                keeper.record(&context, &closed).await?;
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

    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding> {
        context.require(Scope::BindingsWrite)?;
        credential(&consent.reach.form, &value)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { bind(&keeper, &context, &consent, value).await }).await
    }

    async fn bindings(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>> {
        context.require(Scope::BindingsList)?;
        let view = self.keeper.view().await?;
        if matches!(view.content, Content::Missing) {
            return Ok(Vec::new());
        }
        let records = binding::select(view.file()?.entries(), &filter);
        Ok(records.into_iter().map(|record| self.with_last_use(record.binding)).collect())
    }

    async fn declare_hosts(
        &self,
        context: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>> {
        context.require(Scope::PackagesInstall)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper
            .owned(async move { hosts::declare(&keeper, &context, &connector, &hosts).await })
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

impl Door {
    fn with_last_use(&self, mut binding: Binding) -> Binding {
        binding.last_used_at = self.keeper.last_use(&binding.name).or(binding.last_used_at);
        binding
    }
}

pub(crate) async fn lock(
    keeper: &Keeper,
    sessions: &Sessions,
    context: &Context,
) -> Result<Status> {
    if keeper.view().await?.status().state == State::Unlocked
        && let Err(error) = keeper.flush_uses().await
    {
        tracing::warn!(%error, "when bindings were last used could not be written");
    }
    let mut events = sessions.close_all(context);
    if keeper.forget().await {
        events.push(Event::new(EventKind::VaultLocked, Actor::of(context)));
    }
    keeper.record(context, &events).await?;
    Ok(keeper.view().await?.status())
}

async fn bind(
    keeper: &Keeper,
    context: &Context,
    consent: &Consent,
    value: Secret,
) -> Result<Binding> {
    let now = (keeper.clock)();
    keeper
        .change(context, |draft, keys| {
            let kind = consent.reach.form.kind();
            let name = BindingName::new(kind.text(), &consent.service, &consent.identity)?;
            let earlier = draft.entries().get(name.as_str()).map(|sealed| &sealed.metadata);
            let earlier = match earlier {
                Some(metadata) => Some(Record::read(name.as_str(), metadata).ok_or_else(|| {
                    let advice = "revoke it first";
                    Error::new(Reason::BindingExists, format!("{name} is taken: {advice}"))
                })?),
                None => None,
            };
            let record = Record::new(consent, earlier.as_ref(), now)?;
            let metadata = record.metadata();
            value.expose(|value| draft.put(keys, name.as_str(), metadata, value))?;
            let kind = if earlier.is_some() {
                EventKind::BindingRebound
            } else {
                EventKind::BindingCreated
            };
            let event = binding_event(kind, context, &record.binding).with(
                "aileron.binding.hosts",
                binding::host_label(record.binding.hosts.as_deref().unwrap_or_default()),
            );
            Ok(Changed { value: record.binding, events: vec![event] })
        })
        .await
}

pub(crate) fn binding_event(kind: EventKind, context: &Context, binding: &Binding) -> Event {
    Event::new(kind, Actor::of(context))
        .with("aileron.binding.name", binding.name.as_str())
        .with("aileron.connector.fqn", binding.connector.as_str())
        .with("aileron.capability.kind", binding.kind.text())
}

fn secret_event(kind: EventKind, context: &Context, path: &VaultPath) -> Event {
    Event::new(kind, Actor::of(context)).with("aileron.secret.path", path.as_str())
}

fn not_found(what: &str) -> Error {
    Error::new(Reason::NotFound, what)
}

fn sized(value: &Secret) -> Result<()> {
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

/// What egress could not join is refused before it is sealed: a line feed, half a password.
fn credential(form: &Form, value: &Secret) -> Result<()> {
    sized(value)?;
    if matches!(form, Form::Oauth2) {
        return Err(Error::new(
            Reason::UnsupportedKind,
            "a token is not pasted: bindings of kind oauth2 are made by signing in",
        ));
    }
    value.expose(|value| inject::check(form, value)).map_err(|reason| {
        let kind = form.kind();
        let public = format!("this is no credential of kind {kind}: {reason}; check the paste");
        Error::new(Reason::InvalidRequest, public)
    })
}
