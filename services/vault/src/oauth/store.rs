//! Where grants are kept: in the vault's file, beside the labels that say how they are.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result, Timestamp,
    audit::{Actor, Event, EventKind},
    bindings::{Binding, Consent, Purpose, StaleReason},
    credential::CredentialKind,
    names::BindingName,
};

use super::{
    answer::Answer,
    grant::{self, Grant},
    setups::Plan,
    trouble::Trouble,
};
use crate::{
    binding::{self, LAST_REFRESHED, REFRESHABLE, REFRESHING, Record},
    bindings::binding_event,
    file::{Entries, Metadata},
    keeper::{Changed, Keeper},
};

/// The grants in the vault's file.
#[derive(Clone, Debug)]
pub(crate) struct Store(pub(crate) Arc<Keeper>);

/// A binding with its grant, as the file has them.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) record: Record,
    pub(crate) grant: Grant,
    /// The mark of a refresh whose outcome is not known.
    pub(crate) mark: Option<String>,
}

impl Store {
    pub(crate) fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// Refuses what could not be stored in the end: before the person is sent anywhere. Returns
    /// the consent as it will be sealed.
    pub(crate) async fn prepare(&self, consent: &Consent, purpose: Purpose) -> Result<Consent> {
        let kind = consent.reach.form.kind();
        if kind != CredentialKind::Oauth2 {
            return Err(Error::new(
                Reason::UnsupportedKind,
                format!("a credential of kind {kind} is not obtained from a provider"),
            ));
        }
        let (file, _) = self.0.view().await?.unlocked()?;
        let name = named(consent)?;
        let earlier = binding::earlier(file.entries(), &name)?;
        let consent = adjusted(consent, purpose, &name, earlier.as_ref())?;
        Record::new(&consent, earlier.as_ref(), self.now())?;
        Ok(consent)
    }

    /// Seals a new grant. The binding is active, whatever it was.
    pub(crate) async fn create(&self, plan: &Plan, answer: &Answer) -> Result<Binding> {
        let Plan { context, consent, client, purpose } = plan;
        let now = self.now();
        let grant = Grant::new(client, answer, now);
        let granted = grant::granted(client, answer);
        let value = grant.render()?;
        self.0
            .change(context, |draft, keys| {
                let name = named(consent)?;
                let earlier = binding::earlier(draft.entries(), &name)?;
                let consent = adjusted(consent, *purpose, &name, earlier.as_ref())?;
                let mut record = Record::new(&consent, earlier.as_ref(), now)?;
                record.binding.granted_scopes.clone_from(&granted);
                record.binding.refresh_token_present = grant.refresh_token().is_some();
                draft.put(keys, name.as_str(), record.metadata(), &value)?;
                let kind = match earlier {
                    Some(_) => EventKind::BindingRebound,
                    None => EventKind::BindingCreated,
                };
                let hosts = record.binding.hosts.as_deref().unwrap_or_default();
                let event = binding_event(kind, context, &record.binding)
                    .with("aileron.binding.hosts", binding::host_label(hosts))
                    .with("aileron.binding.granted_scopes", granted.join(" "));
                Ok(Changed { value: record.binding, events: vec![event] })
            })
            .await
    }

    /// What the file has now; `vault_locked` without the keys.
    pub(crate) async fn read(&self, name: &BindingName) -> Result<Option<Kept>> {
        let (file, keys) = self.0.view().await?.unlocked()?;
        let Some(sealed) = file.entries().get(name.as_str()) else { return Ok(None) };
        let Some(record) = Record::read(name.as_str(), &sealed.metadata) else { return Ok(None) };
        if record.binding.kind != CredentialKind::Oauth2 {
            return Ok(None);
        }
        let mark = sealed.metadata.labels.get(REFRESHING).cloned();
        let value = file.open(&keys, name.as_str())?;
        let grant = Grant::parse(&value).map_err(|error| {
            let text = format!("{error}: bind {name} again");
            Error::new(Reason::VaultUnreadable, text).caused_by(error)
        })?;
        Ok(Some(Kept { record, grant, mark }))
    }

    /// Before new tokens are asked for: on the disk, so that a crash does not hide the question.
    pub(crate) async fn mark(&self, context: &Context, kept: &Kept) -> Result<String> {
        let mark = self.now().to_string();
        let binding = &kept.record.binding;
        self.0
            .change(context, |draft, keys| {
                draft.relabel(keys, binding.name.as_str(), |metadata| {
                    label(metadata, REFRESHING, &mark);
                })?;
                let event = binding_event(EventKind::BindingRefreshing, context, binding);
                Ok(Changed { value: (), events: vec![event] })
            })
            .await?;
        Ok(mark)
    }

    /// Stores new tokens in the place of the old. False when the binding is not the one they were
    /// asked for any more: somebody bound it again, or revoked it.
    pub(crate) async fn settle(
        &self,
        context: &Context,
        binding: &Binding,
        mark: &str,
        grant: &Grant,
    ) -> Result<bool> {
        let now = self.now();
        let value = grant.render()?;
        self.0
            .change(context, |draft, keys| {
                let name = binding.name.as_str();
                let Some(mut metadata) = marked(draft.entries(), name, mark) else {
                    return Ok(Changed { value: false, events: Vec::new() });
                };
                metadata.labels.remove(REFRESHING);
                label(&mut metadata, LAST_REFRESHED, &now.as_second().to_string());
                refreshable(&mut metadata, grant);
                draft.put(keys, name, metadata, &value)?;
                let event = binding_event(EventKind::BindingRefreshed, context, binding)
                    .with("aileron.outcome", "succeeded");
                Ok(Changed { value: true, events: vec![event] })
            })
            .await
    }

    /// The refresh brought nothing, and the refresh token is as good as before.
    pub(crate) async fn unmark(
        &self,
        context: &Context,
        binding: &Binding,
        mark: &str,
        trouble: &Trouble,
    ) -> Result<()> {
        self.0
            .change(context, |draft, keys| {
                let name = binding.name.as_str();
                if marked(draft.entries(), name, mark).is_none() {
                    return Ok(Changed { value: (), events: Vec::new() });
                }
                draft.relabel(keys, name, |metadata| {
                    metadata.labels.remove(REFRESHING);
                })?;
                let event = binding_event(EventKind::BindingRefreshed, context, binding);
                Ok(Changed { value: (), events: vec![told(event, trouble)] })
            })
            .await
    }

    /// The grant is dead: a person has to go to the provider again.
    pub(crate) async fn stale(
        &self,
        context: &Context,
        binding: &Binding,
        mark: &str,
        (reason, trouble): (StaleReason, &Trouble),
    ) -> Result<()> {
        self.0
            .change(context, |draft, keys| {
                let name = binding.name.as_str();
                if marked(draft.entries(), name, mark).is_none() {
                    return Ok(Changed { value: (), events: Vec::new() });
                }
                draft.relabel(keys, name, |metadata| {
                    metadata.labels.remove(REFRESHING);
                    binding::mark_stale(metadata, reason);
                })?;
                let event = binding_event(EventKind::BindingStale, context, binding)
                    .with("aileron.binding.stale_reason", reason.text());
                Ok(Changed { value: (), events: vec![told(event, trouble)] })
            })
            .await
    }

    /// Removes the binding, whatever state it is in.
    pub(crate) async fn remove(&self, context: &Context, name: &BindingName) -> Result<()> {
        self.0
            .change(context, |draft, _| {
                let sealed =
                    draft.entries().get(name.as_str()).ok_or_else(|| binding::missing(name))?;
                let kind = EventKind::BindingRevoked;
                let event = match Record::read(name.as_str(), &sealed.metadata) {
                    Some(record) => binding_event(kind, context, &record.binding),
                    None => Event::new(kind, Actor::of(context))
                        .with("aileron.binding.name", name.as_str()),
                };
                draft.remove(name.as_str());
                Ok(Changed { value: (), events: vec![event] })
            })
            .await
    }
}

pub(crate) fn named(consent: &Consent) -> Result<BindingName> {
    BindingName::new(CredentialKind::Oauth2.text(), &consent.service, &consent.identity)
}

/// Authorizing again means the binding that is there, under the account it has.
fn adjusted(
    consent: &Consent,
    purpose: Purpose,
    name: &BindingName,
    earlier: Option<&Record>,
) -> Result<Consent> {
    let mut consent = consent.clone();
    if purpose == Purpose::Reauthorize {
        let earlier = earlier.ok_or_else(|| binding::missing(name))?;
        consent.refuse_existing = false;
        consent.account = consent.account.or_else(|| earlier.binding.account.clone());
    }
    Ok(consent)
}

/// The metadata of the entry, while it carries this very mark.
fn marked(entries: &Entries, name: &str, mark: &str) -> Option<Metadata> {
    let metadata = &entries.get(name)?.metadata;
    (metadata.labels.get(REFRESHING)? == mark).then(|| metadata.clone())
}

pub(super) fn label(metadata: &mut Metadata, key: &str, value: &str) {
    metadata.labels.insert(key.to_owned(), value.to_owned());
}

fn refreshable(metadata: &mut Metadata, grant: &Grant) {
    match grant.refresh_token() {
        Some(_) => label(metadata, REFRESHABLE, "true"),
        None => {
            metadata.labels.remove(REFRESHABLE);
        }
    }
}

fn told(event: Event, trouble: &Trouble) -> Event {
    event
        .with("aileron.outcome", "failed")
        .with("aileron.provider.status", trouble.status())
        .with("aileron.provider.error", trouble.code())
}
