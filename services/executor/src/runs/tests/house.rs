//! One executor among stand-ins, on a database that outlives it.

use std::{
    fmt::Write as _,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32},
    },
    time::Duration,
};

use aileron_contract::{
    Context, Principal, Result, Timestamp,
    bindings::{Binding, BindingStatus},
    credential::CredentialKind,
    executor::{Call, Decision, Pending, Run, RunResult, RunState, Started},
    failure::Failure,
    names::{RunId, Sha256Hash},
};
use aileron_store::{Database, Location};
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Notify;

use super::fakes::{FakeAudit, FakeEgress, FakeGuest, FakeLibrary, FakeTokens};
use crate::{
    fakes::{FakeBindings, FakeVault, Fuse},
    formats::{action, manifest},
    packages::{catalog::Installed, store::Loaded},
    runs::{Engine, Pace, Parts},
};

pub(super) struct House {
    _folder: Option<tempfile::TempDir>,
    location: Location,
    pub(super) fuse: Arc<Fuse>,
    pub(super) vault: Arc<FakeVault>,
    pub(super) egress: Arc<FakeEgress>,
    pub(super) audit: Arc<FakeAudit>,
    pub(super) tokens: Arc<FakeTokens>,
    pub(super) library: Arc<FakeLibrary>,
    pub(super) clock: fn() -> Timestamp,
}

const MANIFEST: &str = r#"
[connector]
name = "github://acme/notes"
version = "1.0.0"
publisher = "acme"

[capabilities.network]
hosts = ["notes.example:443"]

[capabilities.credential]
kind = "api_key"
scope = "notes"
"#;

impl House {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("state.db"));
        Self { _folder: Some(folder), ..Self::on(location) }
    }

    pub(super) fn on(location: Location) -> Self {
        let fuse = Arc::new(Fuse::default());
        let house = Self {
            _folder: None,
            location,
            vault: Arc::new(FakeVault {
                fuse: Arc::clone(&fuse),
                bindings: Arc::new(FakeBindings {
                    listed: Mutex::new(vec![binding("me")]),
                    ..FakeBindings::default()
                }),
                ..FakeVault::default()
            }),
            egress: Arc::new(FakeEgress {
                fuse: Arc::clone(&fuse),
                upstream: Mutex::default(),
                acted: Mutex::default(),
                gate: Mutex::default(),
                reached: Notify::new(),
                waiting: AtomicU32::new(0),
            }),
            audit: Arc::new(FakeAudit {
                fuse: Arc::clone(&fuse),
                broken: AtomicBool::new(false),
                records: Mutex::default(),
            }),
            tokens: Arc::default(),
            library: Arc::default(),
            fuse,
            clock: Timestamp::now,
        };
        house.connector("");
        house.action("list", &[("list", "")], false);
        house.action("create", &[("create", "")], false);
        house.action("gated", &[("create", "")], true);
        house
    }

    /// Installs the connector, with more lines for its manifest.
    pub(super) fn connector(&self, more: &str) {
        let manifest = manifest::parse(format!("{MANIFEST}{more}").as_bytes(), "m").unwrap();
        let loaded = Loaded {
            hash: connector_hash(),
            package: manifest.package.clone(),
            manifest,
            wasm: Bytes::new(),
        };
        self.library.connectors.lock().unwrap().insert(connector_hash(), Arc::new(loaded));
    }

    /// Installs an action: its steps are operations with further lines of their own.
    pub(super) fn action(&self, name: &str, steps: &[(&str, &str)], gated: bool) {
        self.action_with(name, steps, gated, "");
    }

    /// And with lines after its gate.
    pub(super) fn action_with(&self, name: &str, steps: &[(&str, &str)], gated: bool, more: &str) {
        let mut text = format!(
            "+++\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \
             \"github://acme/notes/actions/{name}@1.0.0\"\n[match]\nintent = \"i\"\n\
             [[requires.connectors]]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\nhash = \
             \"{}\"\ncapabilities = [\"list\", \"create\", \"wrong_kind\", \"stubborn\", \
             \"panics\", \"nothing\"]\n[[inputs]]\nname = \"title\"\ntype = \"string\"\nrequired = \
             false\ndescription = \"d\"\n",
            connector_hash()
        );
        for (place, (op, more)) in steps.iter().enumerate() {
            write!(
                text,
                "[[execute]]\nid = \"s{place}\"\nconnector = \"github://acme/notes\"\nop = \
                 \"{op}\"\n{more}\n"
            )
            .unwrap();
        }
        write!(text, "[approval]\nrequired = {gated}\n{more}+++\nbody\n").unwrap();
        self.action_file(&text);
    }

    pub(super) fn action_file(&self, text: &str) {
        let installed = Installed {
            file: Arc::new(action::parse(text.as_bytes(), "a.md").unwrap()),
            hash: Sha256Hash::of(&[text.as_bytes()]),
            path: PathBuf::from("a.md"),
            enabled: true,
            pinned: Some(true),
        };
        let name = installed.file.name.to_string();
        self.library.actions.lock().unwrap().insert(name, Arc::new(installed));
    }

    pub(super) async fn database(&self) -> Database {
        Database::open(self.location.clone(), &[]).await.unwrap()
    }

    pub(super) async fn open(&self) -> Arc<Engine> {
        self.open_paced(vec![Duration::from_millis(1); 3]).await.unwrap()
    }

    pub(super) async fn open_paced(&self, pace: Vec<Duration>) -> Result<Arc<Engine>> {
        Engine::open(Parts {
            database: self.database().await,
            vault: Arc::<FakeVault>::clone(&self.vault),
            bindings: Arc::<FakeBindings>::clone(&self.vault.bindings),
            egress: Arc::<FakeEgress>::clone(&self.egress),
            audit: Arc::<FakeAudit>::clone(&self.audit),
            tokens: Arc::<FakeTokens>::clone(&self.tokens),
            library: Arc::<FakeLibrary>::clone(&self.library),
            guest: Arc::new(FakeGuest),
            clock: self.clock,
            approval_wall: Duration::from_hours(1),
            pace: Pace(pace),
        })
        .await
    }
}

fn connector_hash() -> Sha256Hash {
    Sha256Hash::of(&[b"the connector"])
}

pub(super) fn binding(identity: &str) -> Binding {
    Binding {
        name: format!("api_key/notes/{identity}").parse().unwrap(),
        connector: "github://acme/notes".parse().unwrap(),
        kind: CredentialKind::ApiKey,
        service: "notes".to_owned(),
        identity: identity.parse().unwrap(),
        default: false,
        scope: None,
        account: None,
        status: BindingStatus::Active,
        stale_reason: None,
        hosts: Some(vec!["notes.example:443".parse().unwrap()]),
        access_key_id: None,
        region: None,
        granted_scopes: Vec::new(),
        verified: true,
        missing_scopes: Vec::new(),
        refresh_token_present: false,
        refreshing_since: None,
        created_at: Timestamp::UNIX_EPOCH,
        agreed_at: Timestamp::UNIX_EPOCH,
        last_used_at: None,
        last_refreshed_at: None,
    }
}

pub(super) fn call(action: &str, arguments: Value) -> Call {
    let arguments = arguments.as_object().unwrap().clone();
    Call { action: action.parse().unwrap(), arguments, identity: None }
}

pub(super) fn agent() -> Context {
    Context {
        principal: Principal::Agent("claude".into()),
        session: Some("s1".parse().unwrap()),
        ..Context::service("test")
    }
}

pub(super) fn person() -> Context {
    Context { principal: Principal::Person("p1".into()), ..Context::service("test") }
}

pub(super) fn approve() -> Decision {
    Decision { approved: true, reason: None, digest: None }
}

pub(super) fn done(started: Started) -> RunResult {
    match started {
        Started::Done(result) => result,
        other => panic!("{other:?}"),
    }
}

pub(super) fn failed(started: Started) -> Failure {
    match started {
        Started::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

pub(super) fn pending(started: Started) -> Pending {
    match started {
        Started::Pending(pending) => pending,
        other => panic!("{other:?}"),
    }
}

/// The run once it has come to an end.
pub(super) async fn ended(engine: &Arc<Engine>, id: &RunId) -> Run {
    for _ in 0..12_000 {
        let run = engine.run_by_id(&person(), id).await.unwrap();
        let waits = matches!(
            run.state,
            RunState::Running | RunState::Approved | RunState::Parked | RunState::AwaitingVault
        );
        if !waits {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the run does not end");
}
