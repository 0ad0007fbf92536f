use std::{
    fs,
    path::{Path, PathBuf},
};

use aileron_audit::{Options, Service};
use aileron_contract::{
    Context, Error, Timestamp,
    audit::{Actor, ActorKind, Event, EventKind, Handle, Record},
};
use aileron_receipt::{Checkpoint, VerifierKey, verify::Report};
use aileron_store::Location;
use tempfile::TempDir;

pub(crate) const ORIGIN: &str = "aileron.test/log";

pub(crate) fn context() -> Context {
    Context::service("test")
}

pub(crate) fn options(home: &Path) -> Options {
    Options {
        home: home.to_owned(),
        origin: ORIGIN.to_owned(),
        database: None,
        clock: Timestamp::now,
    }
}

/// A log in a folder of its own.
pub(crate) struct Fixture {
    pub(crate) home: TempDir,
    /// Where its index lives; in the folder without.
    database: Option<Location>,
    pub(crate) service: Service,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::of(TempDir::new().unwrap()).await.unwrap()
    }

    pub(crate) async fn of(home: TempDir) -> Result<Self, Error> {
        Self::on(home, None).await
    }

    /// With its index in this database.
    pub(crate) async fn on(home: TempDir, database: Option<Location>) -> Result<Self, Error> {
        let options = Options { database: database.clone(), ..options(home.path()) };
        let service = Service::open(options).await?;
        Ok(Self { home, database, service })
    }

    pub(crate) fn audit(&self) -> Handle {
        self.service.audit()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("audit")
    }

    pub(crate) async fn append(&self, count: usize) -> Vec<Record> {
        append(&self.audit(), count).await
    }

    pub(crate) async fn stop(self) -> TempDir {
        self.service.shutdown().await;
        self.home
    }

    pub(crate) async fn reopen(self) -> Result<Self, Error> {
        let database = self.database.clone();
        Self::on(self.stop().await, database).await
    }

    pub(crate) fn key(&self) -> VerifierKey {
        key(&self.folder())
    }
}

pub(crate) fn event(at: usize) -> Event {
    let actor = Actor { kind: ActorKind::Service, id: "executor".to_owned(), display_name: None };
    Event::new(EventKind::ExecutionSucceeded, actor)
        .with("aileron.connector.fqn", "github://acme/notes")
        .with("aileron.action.name", format!("notes-{at}"))
}

/// Appends at once, as many callers do.
pub(crate) async fn append(audit: &Handle, count: usize) -> Vec<Record> {
    let context = context();
    let appends = (0..count).map(|at| audit.append(&context, event(at)));
    let mut records: Vec<_> =
        futures::future::join_all(appends).await.into_iter().map(Result::unwrap).collect();
    records.sort_by_key(|record| record.index);
    records
}

pub(crate) fn key(folder: &Path) -> VerifierKey {
    fs::read_to_string(folder.join("log.vkey")).unwrap().parse().unwrap()
}

pub(crate) fn kept(folder: &Path) -> Checkpoint {
    Checkpoint::open(&fs::read(folder.join("checkpoint")).unwrap(), &key(folder)).unwrap()
}

pub(crate) fn verify(folder: &Path, key: &VerifierKey, kept: Option<&Checkpoint>) -> Report {
    aileron_receipt::verify::directory(folder, key, kept).unwrap()
}

pub(crate) fn sound(folder: &Path) {
    let report = verify(folder, &key(folder), None);
    assert!(report.is_sound(), "{report:?}");
}

/// What a person would copy: lines, tiles, checkpoint and public key.
pub(crate) fn copy(from: &Path, to: &Path) {
    for path in public_files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    }
}

pub(crate) fn public_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if next != folder
                || name.starts_with("audit-")
                || name == "checkpoint"
                || name == "log.vkey"
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn log_files(folder: &Path) -> Vec<PathBuf> {
    let is_log = |path: &PathBuf| {
        aileron_receipt::line::is_log_file(path.file_name().unwrap().to_str().unwrap())
    };
    public_files(folder).into_iter().filter(is_log).collect()
}

pub(crate) fn set_aside_files(folder: &Path) -> Vec<PathBuf> {
    let is_aside =
        |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("set-aside-");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_aside).collect()
}
