//! Bindings: a credential's labels, as published, with the consent that bounds it.

use std::{collections::BTreeMap, ops::Bound};

use aileron_contract::{
    Error, Reason, Result, Timestamp,
    bindings::{Binding, BindingFilter, BindingStatus, Consent, StaleReason},
    credential::{CredentialKind, Form, SigningWord},
    limits,
    names::{BindingName, Fqn, HostPort, Identity},
};

use crate::file::{Entries, Metadata};

mod form;
#[cfg(test)]
mod tests;

/// A binding's stored form, and back.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) binding: Binding,
    /// The form consented to; none on a binding of an older file, where the manifest's counts.
    pub(crate) form: Option<Form>,
}

/// Labels that a consent given anew changes. `hosts` is ours, the others are published.
pub(crate) const HOSTS: &str = "hosts";
pub(crate) const STATUS: &str = "status";
pub(crate) const STALE_REASON: &str = "stale_reason";

/// Published labels that say when a credential was last used.
pub(crate) const LAST_USED: &str = "last_used_at";
pub(crate) const LAST_REFRESHED: &str = "last_refreshed_at";

/// Published labels of bindings that were obtained from a provider.
pub(crate) const GRANTED: &str = "granted_scopes";
pub(crate) const MISSING: &str = "missing_scopes";
pub(crate) const REFRESHABLE: &str = "refresh_token_present";
/// Ours: the person's choice among several. Sealed like all labels that decide something; in a
/// file of version 1, which seals none, it is not believed.
pub(crate) const DEFAULT: &str = "default";
/// Ours: when a person last agreed to the binding. Sealed: what was granted for it ends with it.
pub(crate) const AGREED: &str = "agreed_at";
/// Ours: when new tokens were last asked for, until it is known what came of it.
pub(crate) const REFRESHING: &str = "refreshing";

impl Record {
    /// What a person's consent becomes. `earlier` keeps the day it was first given, and its place
    /// among several.
    pub(crate) fn new(consent: &Consent, earlier: Option<&Self>, now: Timestamp) -> Result<Self> {
        let Consent {
            connector,
            service,
            identity,
            account,
            scope,
            reach,
            access_key_id,
            region,
            refuse_existing,
        } = consent;
        let kind = reach.form.kind();
        signing_labels(consent)?;
        let name = BindingName::new(kind.text(), service, identity)?;
        if let Some(Self { binding, form: _ }) = earlier {
            replaceable(binding, connector, *refuse_existing)?;
        }
        for text in [account, scope].into_iter().flatten() {
            prose(text)?;
        }
        let created_at = earlier.map_or(now, |earlier| earlier.binding.created_at);
        let binding = Binding {
            name,
            connector: connector.clone(),
            kind,
            service: service.clone(),
            identity: identity.clone(),
            default: earlier.is_some_and(|earlier| earlier.binding.default),
            scope: scope.clone(),
            account: account.clone(),
            status: BindingStatus::Active,
            stale_reason: None,
            verified: true,
            hosts: Some(agreed(&reach.hosts)?),
            access_key_id: access_key_id.clone(),
            region: region.clone(),
            granted_scopes: Vec::new(),
            missing_scopes: Vec::new(),
            refresh_token_present: false,
            refreshing_since: None,
            created_at,
            agreed_at: now,
            last_used_at: None,
            last_refreshed_at: None,
        };
        Ok(Self { binding, form: Some(reach.form.clone()) })
    }

    /// None for entries that are no binding, or lack what makes one.
    pub(crate) fn read(path: &str, metadata: &Metadata) -> Option<Self> {
        let name: BindingName = path.parse().ok()?;
        let label = |key: &str| metadata.labels.get(key).filter(|value| !value.is_empty());
        let time = |key: &str| {
            let seconds = label(key)?.parse().ok()?;
            Timestamp::from_second(seconds).ok()
        };
        let status = match label(STATUS) {
            Some(status) => status.parse().ok()?,
            None => BindingStatus::Active,
        };
        let kind: CredentialKind = name.kind().parse().ok()?;
        let word = |key: &str| -> Result<Option<SigningWord>> {
            let word = label(key).filter(|_| kind == CredentialKind::AwsSigv4);
            word.map(|word| word.parse()).transpose()
        };
        let created_at = time("created_at").unwrap_or(Timestamp::UNIX_EPOCH);
        let binding = Binding {
            connector: label("connector_fqn")?.parse::<Fqn>().ok()?,
            kind,
            service: name.service().to_owned(),
            identity: name.identity().parse::<Identity>().ok()?,
            default: label(DEFAULT).is_some_and(|chosen| chosen == "true"),
            scope: label("scope").cloned(),
            account: label("account").cloned(),
            status,
            stale_reason: label(STALE_REASON)
                .map(|reason| reason.parse().unwrap_or(StaleReason::Unknown)),
            // The door knows, not the record.
            verified: false,
            hosts: match metadata.labels.get(HOSTS) {
                Some(text) => Some(hosts(text)?),
                None => None,
            },
            access_key_id: word("access_key_id").ok()?,
            region: word("region").ok()?,
            granted_scopes: words(label(GRANTED)),
            missing_scopes: words(label(MISSING)),
            refresh_token_present: label(REFRESHABLE).is_some_and(|present| present == "true"),
            refreshing_since: label(REFRESHING).and_then(|mark| mark.parse().ok()),
            created_at,
            agreed_at: label(AGREED).and_then(|at| at.parse().ok()).unwrap_or(created_at),
            last_used_at: time(LAST_USED),
            last_refreshed_at: time(LAST_REFRESHED),
            name,
        };
        Some(Self { binding, form: form::read(kind, label).ok()? })
    }

    /// All labels of a new binding.
    pub(crate) fn metadata(&self) -> Metadata {
        let Self { binding, form } = self;
        let mut labels = BTreeMap::new();
        let mut set = |key: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                labels.insert(key.to_owned(), value);
            }
        };
        let seconds = |time: Option<Timestamp>| time.map(|time| time.as_second().to_string());
        set("service", Some(binding.service.clone()));
        set("identity", Some(binding.identity.to_string()));
        set("connector_fqn", Some(binding.connector.to_string()));
        set(DEFAULT, binding.default.then(|| "true".to_owned()));
        set(STATUS, Some(binding.status.to_string()));
        set(STALE_REASON, binding.stale_reason.map(|reason| reason.to_string()));
        set("created_at", seconds(Some(binding.created_at)));
        set(AGREED, Some(binding.agreed_at.to_string()));
        set("scope", binding.scope.clone());
        set("account", binding.account.clone());
        set(LAST_USED, seconds(binding.last_used_at));
        set(LAST_REFRESHED, seconds(binding.last_refreshed_at));
        set("access_key_id", binding.access_key_id.as_ref().map(ToString::to_string));
        set("region", binding.region.as_ref().map(ToString::to_string));
        set(GRANTED, Some(binding.granted_scopes.join(" ")));
        set(MISSING, Some(binding.missing_scopes.join(" ")));
        set(REFRESHABLE, binding.refresh_token_present.then(|| "true".to_owned()));
        set(REFRESHING, binding.refreshing_since.map(|mark| mark.to_string()));
        for (key, value) in form.iter().flat_map(form::labels) {
            set(key, Some(value));
        }
        if let Some(hosts) = &binding.hosts {
            // Present though empty: consent to no host at all is consent all the same.
            labels.insert(HOSTS.to_owned(), host_label(hosts));
        }
        Metadata { kind: binding.kind.to_string(), environment: String::new(), labels }
    }
}

/// The binding of this name, for what would replace it. What is none is not replaced.
pub(crate) fn earlier(entries: &Entries, name: &BindingName) -> Result<Option<Record>> {
    let Some(sealed) = entries.get(name.as_str()) else { return Ok(None) };
    let record = Record::read(name.as_str(), &sealed.metadata).ok_or_else(|| {
        Error::new(Reason::BindingExists, format!("{name} is taken: revoke it first"))
    })?;
    Ok(Some(record))
}

/// The binding of this name, for what changes it.
pub(crate) fn present(entries: &Entries, name: &BindingName) -> Result<Record> {
    let sealed = entries.get(name.as_str());
    let record = sealed.and_then(|sealed| Record::read(name.as_str(), &sealed.metadata));
    record.ok_or_else(|| missing(name))
}

pub(crate) fn missing(name: &BindingName) -> Error {
    Error::new(Reason::BindingNotFound, format!("there is no binding {name}"))
}

/// The labels of a binding that waits for a person, for this reason.
pub(crate) fn mark_stale(metadata: &mut Metadata, reason: StaleReason) {
    let labels = &mut metadata.labels;
    labels.insert(STATUS.to_owned(), BindingStatus::Stale.to_string());
    labels.insert(STALE_REASON.to_owned(), reason.to_string());
}

/// The bindings of a file that match, by name.
pub(crate) fn select(entries: &Entries, filter: &BindingFilter) -> Vec<Record> {
    let BindingFilter { connector, kind, name } = filter;
    let matches = |binding: &Binding| {
        connector.as_ref().is_none_or(|connector| *connector == binding.connector)
            && kind.is_none_or(|kind| kind == binding.kind)
            && name.as_ref().is_none_or(|name| *name == binding.name)
    };
    let labelled = |metadata: &Metadata| {
        let label = metadata.labels.get("connector_fqn");
        connector.as_ref().is_none_or(|wanted| label.is_some_and(|own| own == wanted.as_str()))
    };
    // A name begins with its kind. Asked for each request: what cannot match is not even parsed.
    let prefix = match (name, kind) {
        (Some(name), _) => name.as_str().to_owned(),
        (None, Some(kind)) => format!("{kind}/"),
        (None, None) => String::new(),
    };
    entries
        .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
        .take_while(|(path, _)| path.starts_with(&prefix))
        .filter(|(_, sealed)| labelled(&sealed.metadata))
        .filter_map(|(path, sealed)| Record::read(path, &sealed.metadata))
        .filter(|record| matches(&record.binding))
        .collect()
}

pub(crate) fn host_label(hosts: &[HostPort]) -> String {
    hosts.iter().map(HostPort::to_string).collect::<Vec<_>>().join(" ")
}

/// The hosts of a consent, in order and once each.
pub(crate) fn agreed(hosts: &[HostPort]) -> Result<Vec<HostPort>> {
    if hosts.len() > limits::CONSENT_HOSTS {
        let public = format!("a consent names at most {} hosts", limits::CONSENT_HOSTS);
        return Err(Error::new(Reason::InvalidRequest, public));
    }
    let mut hosts = hosts.to_vec();
    hosts.sort();
    hosts.dedup();
    Ok(hosts)
}

fn words(text: Option<&String>) -> Vec<String> {
    let words = text.map(|text| text.split_ascii_whitespace());
    words.into_iter().flatten().map(str::to_owned).collect()
}

/// None when one of them is not a host: half a consent is none.
fn hosts(text: &str) -> Option<Vec<HostPort>> {
    text.split_ascii_whitespace().map(|host| host.parse().ok()).collect()
}

/// May a consent for this connector take the place of what is there?
fn replaceable(earlier: &Binding, connector: &Fqn, refuse_existing: bool) -> Result<()> {
    let name = &earlier.name;
    let exists = |advice: &str| {
        Err(Error::new(Reason::BindingExists, format!("{name} exists already: {advice}")))
    };
    if earlier.connector != *connector {
        return exists("it belongs to another connector, choose another identity");
    }
    if refuse_existing {
        let again = format!("`aileron binding rebind {name}`");
        return exists(&format!("replace it with {again}, or choose another identity"));
    }
    Ok(())
}

/// A signing key needs a name, and nothing else has one.
fn signing_labels(consent: &Consent) -> Result<()> {
    let refused = |public: &str| Err(Error::new(Reason::InvalidRequest, public));
    let own = consent.access_key_id.as_ref();
    match &consent.reach.form {
        Form::AwsSigv4(signing) if own.or(signing.access_key_id.as_ref()).is_none() => {
            refused("a signing key comes with an access key id: say which")
        }
        Form::AwsSigv4(_) => Ok(()),
        _ if own.is_some() || consent.region.is_some() => {
            refused("an access key id and a region go with kind aws_sigv4 only")
        }
        _ => Ok(()),
    }
}

/// Text for people, in one line.
pub(crate) fn prose(text: &str) -> Result<()> {
    if text.len() <= 1024 && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::new(
        Reason::InvalidRequest,
        "a description is one line of at most 1024 bytes, without control characters",
    ))
}
