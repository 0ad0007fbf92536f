//! The vault and the log.

use aileron_contract::{
    Audit, Context, Error, Reason, Result, Scope, Secret, Stream, Timestamp, Vault,
    audit::{self, Actor, Checkpoint, Event, Filter, Record},
    bindings::{Binding, BindingStatus, Consent},
    credential::{Form, HeaderTemplate, Reach},
    names::{AuditId, BindingName, SecretName},
    vault::{
        Acceptance, Entry, EntryFilter, EntryScope, Older, PassphraseChange, Pin, PinDomain, State,
        Status, Writing,
    },
};
use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::{World, world::later};

impl World {
    pub(crate) fn status_now(&self) -> Status {
        let state = self.state.lock().unwrap().unwrap_or(State::Locked);
        Status { state, format: Some(2), generation: Some(7), recovery_key: false }
    }
}

impl World {
    fn planted_by(&self, record: Record) -> Record {
        let planted = self.text("");
        if planted.is_empty() {
            return record;
        }
        let actor = Actor { id: planted.clone(), ..record.actor };
        let payload = [("aileron.action.name".to_owned(), planted.into())].into_iter().collect();
        Record { kind: self.text(&record.kind), actor, payload, ..record }
    }
}

pub(super) fn binding(consent: Consent) -> Binding {
    let Consent { connector, service, identity, account, scope, reach, .. } = consent;
    let kind = reach.form.kind();
    Binding {
        name: BindingName::new(kind.text(), &service, &identity).unwrap(),
        connector,
        kind,
        service,
        identity,
        default: false,
        scope,
        account,
        status: BindingStatus::Active,
        stale_reason: None,
        verified: true,
        hosts: Some(reach.hosts),
        access_key_id: None,
        region: None,
        granted_scopes: Vec::new(),
        missing_scopes: Vec::new(),
        refresh_token_present: false,
        refreshing_since: None,
        created_at: later(),
        agreed_at: later(),
        last_used_at: None,
        last_refreshed_at: None,
    }
}

pub(super) fn known() -> Binding {
    let reach = Reach {
        hosts: vec!["a.example:443".parse().unwrap()],
        form: Form::ApiKey(HeaderTemplate::default()),
    };
    binding(Consent {
        connector: "github://acme/notes".parse().unwrap(),
        service: "notes".to_owned(),
        identity: "default".parse().unwrap(),
        account: None,
        scope: None,
        reach,
        access_key_id: None,
        region: None,
        refuse_existing: false,
    })
}

#[async_trait]
impl Vault for World {
    async fn status(&self, context: &Context) -> Result<Status> {
        self.enter("vault_status", context, Scope::StatusRead)?;
        Ok(self.status_now())
    }

    async fn create(&self, _: &Context, _: Secret) -> Result<Status> {
        *self.state.lock().unwrap() = Some(State::Unlocked);
        Ok(self.status_now())
    }

    async fn unlock(&self, _: &Context, passphrase: Secret) -> Result<Status> {
        if self.status_now().state == State::Unlocked {
            return Err(Error::new(Reason::VaultAlreadyUnlocked, "it is unlocked already"));
        }
        if passphrase.expose(|text| text == b"older") {
            return Err(Error::new(Reason::VaultRolledBack, "it is an older file"));
        }
        if !passphrase.expose(|text| text == b"good") {
            return Err(Error::new(Reason::PassphraseRejected, "wrong passphrase"));
        }
        *self.state.lock().unwrap() = Some(State::Unlocked);
        Ok(self.status_now())
    }

    async fn lock(&self, context: &Context) -> Result<Status> {
        self.enter("lock", context, Scope::VaultLock)?;
        *self.state.lock().unwrap() = Some(State::Locked);
        Ok(self.status_now())
    }

    async fn change_passphrase(&self, context: &Context, _: PassphraseChange) -> Result<Status> {
        self.enter("change_passphrase", context, Scope::VaultManage)?;
        Ok(self.status_now())
    }

    async fn older(&self, context: &Context) -> Result<Option<Older>> {
        self.enter("older", context, Scope::StatusRead)?;
        let present = Writing { generation: 3, at: None };
        let last = Writing { generation: 7, at: Some(later()) };
        let rolled_back = self.status_now().state != State::Unlocked;
        Ok(rolled_back.then_some(Older { present, last, same_vault: true }))
    }

    async fn accept_older(&self, _: &Context, acceptance: Acceptance) -> Result<Status> {
        let Acceptance { passphrase, generation } = acceptance;
        if generation != 3 {
            return Err(Error::new(Reason::ConsentChanged, "it is another file"));
        }
        if !passphrase.expose(|text| text == b"older") {
            return Err(Error::new(Reason::PassphraseRejected, "wrong passphrase"));
        }
        *self.state.lock().unwrap() = Some(State::Unlocked);
        Ok(self.status_now())
    }

    async fn entries(&self, context: &Context, _: EntryFilter) -> Result<Vec<Entry>> {
        self.enter("entries", context, Scope::BindingsList)?;
        Ok(vec![Entry {
            path: "secret/team/key".parse().unwrap(),
            scope: EntryScope::Secret,
            kind: String::new(),
            environment: String::new(),
            labels: std::collections::BTreeMap::default(),
        }])
    }

    async fn put_secret(&self, context: &Context, name: SecretName, value: Secret) -> Result<()> {
        self.enter("put_secret", context, Scope::SecretsWrite)?;
        let value = value.expose(<[u8]>::to_vec);
        self.secrets.lock().unwrap().push((name.to_string(), value));
        Ok(())
    }

    async fn delete_secret(&self, context: &Context, _: SecretName) -> Result<()> {
        self.enter("delete_secret", context, Scope::SecretsWrite)
    }

    async fn pin(&self, _: &Context, _: PinDomain, _: Vec<u8>) -> Result<Pin> {
        panic!("the gateway pins nothing")
    }

    async fn check_pin(&self, _: &Context, _: PinDomain, _: Vec<u8>, _: Pin) -> Result<bool> {
        panic!("the gateway checks no pins")
    }
}

pub(crate) fn record(index: u64) -> Record {
    Record {
        index,
        id: format!("audit-{index}").parse().unwrap(),
        kind: "execution.succeeded".to_owned(),
        timestamp: "2030-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
        actor: Actor { kind: audit::ActorKind::Human, id: "user".to_owned(), display_name: None },
        payload: serde_json::Map::new(),
        trace_id: None,
    }
}

#[async_trait]
impl Audit for World {
    async fn append(&self, _: &Context, event: Event) -> Result<Record> {
        let mut log = self.log.lock().unwrap();
        let Event { kind, actor, payload, .. } = event;
        let (kind, next) = (kind.text().to_owned(), record(u64::try_from(log.len()).unwrap()));
        let written = Record { kind, actor, payload, ..next };
        log.push(written.clone());
        Ok(written)
    }

    async fn query(&self, context: &Context, filter: Filter) -> Result<Vec<Record>> {
        self.enter("query", context, Scope::AuditRead)?;
        let limit = usize::try_from(filter.limit.unwrap_or(100)).unwrap();
        let log = self.log.lock().unwrap();
        let of = |record: &&Record| match &filter.session {
            None => true,
            Some(id) => record.payload.get("aileron.session.id") == Some(&id.as_str().into()),
        };
        let found = log.iter().rev().filter(of).take(limit).cloned();
        Ok(found.map(|record| self.planted_by(record)).collect())
    }

    async fn get(&self, context: &Context, id: AuditId) -> Result<Record> {
        self.enter("get", context, Scope::AuditRead)?;
        let log = self.log.lock().unwrap();
        let found = log.iter().find(|record| record.id == id).cloned();
        let found = found.map(|record| self.planted_by(record));
        found.ok_or_else(|| Error::new(Reason::NotFound, "no such event"))
    }

    async fn watch(&self, context: &Context, from: u64) -> Result<Stream<Record>> {
        self.enter("watch", context, Scope::AuditRead)?;
        self.watches.lock().unwrap().push(from);
        let log = self.log.lock().unwrap();
        let records = log.iter().filter(|record| record.index >= from).cloned().map(Ok);
        let Some(cut) = *self.cut_after.lock().unwrap() else {
            let records: Vec<_> = records.collect();
            return Ok(stream::iter(records).chain(stream::pending()).boxed());
        };
        let mut records: Vec<_> = records.take(cut).collect();
        records.push(Err(Error::new(Reason::Busy, "the watcher fell behind")));
        Ok(stream::iter(records).boxed())
    }

    async fn checkpoint(&self, context: &Context) -> Result<Checkpoint> {
        self.enter("checkpoint", context, Scope::AuditRead)?;
        let size = u64::try_from(self.log.lock().unwrap().len()).unwrap();
        Ok(Checkpoint { note: "note\n".to_owned(), verifier_key: "name+1+k".to_owned(), size })
    }

    async fn receipt(&self, context: &Context, id: AuditId) -> Result<String> {
        self.enter("receipt", context, Scope::AuditRead)?;
        Ok(format!("receipt of {id}\n"))
    }
}
