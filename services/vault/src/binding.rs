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
        let exists = |advice: &str| {
            Err(Error::new(Reason::BindingExists, format!("{name} exists already: {advice}")))
        };
        if let Some(Self { binding, .. }) = earlier {
            if binding.connector != *connector {
                return exists("it belongs to another connector, choose another identity");
            }
            if *refuse_existing {
                let again = format!("`aileron binding rebind {name}`");
                return exists(&format!("replace it with {again}, or choose another identity"));
            }
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

#[cfg(test)]
mod tests {
    use aileron_contract::credential::{HeaderTemplate, Reach, Signing};

    use super::*;

    fn consent() -> Consent {
        Consent {
            connector: "github://acme/notes".parse().unwrap(),
            service: "notes".to_owned(),
            identity: "me".parse().unwrap(),
            account: Some("me@example.com".to_owned()),
            scope: None,
            reach: Reach {
                hosts: vec!["b.example:443".parse().unwrap(), "a.example:8443".parse().unwrap()],
                form: Form::ApiKey(HeaderTemplate::new("X-Key", "{key}").unwrap()),
            },
            access_key_id: None,
            region: None,
            refuse_existing: false,
        }
    }

    /// What was made is verified; of what was read the door knows.
    fn verified(read: Binding) -> Binding {
        assert!(!read.verified);
        Binding { verified: true, ..read }
    }

    #[test]
    fn a_binding_reads_back_from_its_labels() {
        let record = Record::new(&consent(), None, Timestamp::from_second(1_000).unwrap()).unwrap();
        let metadata = record.metadata();
        assert_eq!(metadata.labels["hosts"], "a.example:8443 b.example:443");
        assert_eq!(metadata.labels["created_at"], "1000");
        let read = Record::read("api_key/notes/me", &metadata).unwrap();
        assert_eq!((verified(read.binding), read.form), (record.binding, record.form));
    }

    #[test]
    fn damaged_labels_are_no_binding_rather_than_half_of_one() {
        let now = Timestamp::UNIX_EPOCH;
        let good = Record::new(&consent(), None, now).unwrap().metadata();
        for (key, value) in [
            ("hosts", "a.example:443 *.evil"),
            ("status", "excellent"),
            ("header", ""),
            ("format", "without the place"),
            ("connector_fqn", "github://acme"),
        ] {
            let mut bad = good.clone();
            bad.labels.insert(key.to_owned(), value.to_owned());
            assert!(Record::read("api_key/notes/me", &bad).is_none(), "{key}");
        }
        assert!(Record::read("agents/notes/me", &good).is_none());
        assert!(Record::read("_api_key/notes/me", &good).is_none());
    }

    #[test]
    fn a_stale_binding_says_why_and_a_word_nobody_knows_is_no_known_reason() {
        let good = Record::new(&consent(), None, Timestamp::UNIX_EPOCH).unwrap().metadata();
        let read = |metadata: &Metadata| {
            let binding = Record::read("api_key/notes/me", metadata).unwrap().binding;
            (binding.status, binding.stale_reason)
        };
        assert_eq!(read(&good), (BindingStatus::Active, None));
        for reason in StaleReason::ALL {
            let mut stale = good.clone();
            mark_stale(&mut stale, *reason);
            assert_eq!(read(&stale), (BindingStatus::Stale, Some(*reason)));
            stale.labels.insert("stale_reason".to_owned(), "moonlight".to_owned());
            assert_eq!(read(&stale), (BindingStatus::Stale, Some(StaleReason::Unknown)));
        }
    }

    #[test]
    fn a_published_binding_has_no_hosts_and_no_form() {
        let labels = [("connector_fqn", "github://acme/notes"), ("created_at", "5")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let metadata = Metadata { kind: "api_key".to_owned(), environment: String::new(), labels };
        let read = Record::read("api_key/notes/me", &metadata).unwrap();
        assert_eq!((read.binding.hosts, read.form), (None, None));
        assert_eq!(read.binding.status, BindingStatus::Active);
    }

    #[test]
    fn a_signing_key_has_a_name_and_perhaps_a_region() {
        let now = Timestamp::UNIX_EPOCH;
        let form = Form::AwsSigv4(Signing { service: "s3".parse().ok(), ..Signing::default() });
        let nameless = Consent { reach: Reach { hosts: Vec::new(), form }, ..consent() };
        assert!(Record::new(&nameless, None, now).is_err());
        let id = "AKIAEXAMPLE".parse().ok();
        let named =
            Consent { access_key_id: id.clone(), region: "eu-west-1".parse().ok(), ..nameless };
        let record = Record::new(&named, None, now).unwrap();
        let metadata = record.metadata();
        assert_eq!(metadata.labels["access_key_id"], "AKIAEXAMPLE");
        assert_eq!(metadata.labels["signing"], "s3//");
        let read = Record::read("aws_sigv4/notes/me", &metadata).unwrap();
        assert_eq!((verified(read.binding), read.form), (record.binding, record.form));
        let keyed = Consent { access_key_id: id, ..consent() };
        assert!(Record::new(&keyed, None, now).is_err());
    }

    #[test]
    fn another_connectors_binding_is_never_replaced() {
        let now = Timestamp::UNIX_EPOCH;
        let earlier = Record::new(&consent(), None, now).unwrap();
        assert!(Record::new(&consent(), Some(&earlier), now).is_ok());
        let other = Consent { connector: "github://evil/notes".parse().unwrap(), ..consent() };
        let refused = Record::new(&other, Some(&earlier), now).unwrap_err();
        assert_eq!(refused.reason(), Reason::BindingExists);
        let careful = Consent { refuse_existing: true, ..consent() };
        let refused = Record::new(&careful, Some(&earlier), now).unwrap_err();
        assert!(refused.public().contains("binding rebind api_key/notes/me"), "{refused}");
    }
}
