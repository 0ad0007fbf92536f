//! One call of a built connector in the real host, before anything is installed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aileron_contract::{Error, Reason, Result, Secret, names::Sha256Hash};
use aileron_executor::formats::manifest::{self, Manifest};
use aileron_wasmhost::{Call, Host, Limits, Module, Network, Options};
use serde_json::{Map, Value};

use super::{
    dist, files,
    recording::{self, Exchange},
    upstream::{Door, Replayed},
};

/// What to call, and who answers its requests.
#[derive(Debug)]
pub struct Trial {
    pub op: String,
    pub args: Map<String, Value>,
    pub upstream: Upstream,
}

/// Who answers the connector's requests.
#[derive(Debug)]
pub enum Upstream {
    /// Nobody: a request fails the call.
    Nobody,
    /// A server, in place of every host the manifest declares; with a credential that is none.
    Server {
        url: String,
        /// Where to keep what was asked and answered.
        record: Option<PathBuf>,
    },
    /// What was kept.
    Recording(PathBuf),
}

/// What came of it.
#[derive(Debug)]
pub struct Tried {
    /// The output, none when there was none, or the failure: its class and its sentence.
    pub outcome: Result<Option<Map<String, Value>>, (String, String)>,
    /// Level and message.
    pub logs: Vec<(String, String)>,
    pub stderr: String,
    pub requests: Vec<Exchange>,
    pub elapsed: Duration,
    /// What one call of this connector may use.
    pub wall: Duration,
    /// In bytes.
    pub memory: u64,
}

/// Runs one call.
pub async fn trial(folder: &Path, trial: Trial) -> Result<Tried> {
    let sources = files::sources(folder)?;
    let manifest = manifest::parse(&sources.manifest.bytes, &sources.manifest.path)?;
    let module = dist::module(folder);
    let wasm = files::optional(&module, files::MODULE_MAX)?.ok_or_else(|| {
        let text = format!("{} is not there: run aileron connector build", module.display());
        Error::new(Reason::InvalidRequest, text)
    })?;
    let scratch = Scratch::new(folder)?;
    let host = Host::new(Options {
        cache_dir: scratch.0.join("modules"),
        cache_key: Secret::new(crate::services::random::<32>()?.to_vec()),
    })?;
    let limits = Limits { memory: manifest.limits.memory, wall: manifest.limits.wall };
    let call = Call { op: trial.op, args: trial.args, limits };
    let module = Module { hash: Sha256Hash::of(&[&wasm]), wasm: wasm.into() };
    let (door, record) = Behind::open(trial.upstream, manifest, &scratch).await?;
    let report = host.call(module, call, door.network()).await;
    host.shutdown().await;
    let requests = door.close().await;
    if let Some(path) = record {
        recording::write(&path, &requests)?;
    }
    let outcome = report.outcome.map_err(|failure| {
        let reported = failure.details.as_ref().and_then(|it| it.get("reported_class"));
        let class = reported.and_then(Value::as_str).unwrap_or(failure.class.text());
        (class.to_owned(), failure.message)
    });
    let Limits { memory, wall } = limits;
    let logs = report.logs.into_iter().map(|line| (line.level, line.message)).collect();
    let (stderr, elapsed) = (report.stderr, report.elapsed);
    Ok(Tried { outcome, logs, stderr, requests, elapsed, wall, memory })
}

/// Whoever answers, opened.
enum Behind {
    Recording(Arc<Replayed>),
    Server(Arc<Door>),
}

impl Behind {
    /// Also gives where to keep what will have been asked.
    async fn open(
        upstream: Upstream,
        manifest: Manifest,
        scratch: &Scratch,
    ) -> Result<(Self, Option<PathBuf>)> {
        Ok(match upstream {
            Upstream::Nobody => {
                (Self::Recording(Arc::new(Replayed::new(manifest, Vec::new()))), None)
            }
            Upstream::Recording(path) => {
                let kept = recording::read(&path)?;
                (Self::Recording(Arc::new(Replayed::new(manifest, kept))), None)
            }
            Upstream::Server { url, record } => {
                (Self::Server(Arc::new(Door::open(manifest, &url, &scratch.0).await?)), record)
            }
        })
    }

    fn network(&self) -> Arc<dyn Network> {
        match self {
            Self::Recording(recording) => Arc::clone(recording) as _,
            Self::Server(door) => Arc::clone(door) as _,
        }
    }

    /// Ends it, and gives what was asked.
    async fn close(self) -> Vec<Exchange> {
        match self {
            Self::Recording(recording) => recording.asked(),
            Self::Server(door) => {
                door.close().await;
                door.asked()
            }
        }
    }
}

/// A folder for the time of one trial.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let folder = folder.canonicalize().map_err(|error| files::failed("open", folder, error))?;
        let name = format!(".trial-{}", hex::encode(crate::services::random::<8>()?));
        let path = folder.join("dist").join(name);
        aileron_store::files::create_private_dir(&path)
            .map_err(|error| files::failed("make", &path, error))?;
        Ok(Self(path))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is found and removed by whoever cleans `dist/`.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
