//! The host: prepares modules and runs calls.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use aileron_contract::{Error, Result, Secret, failure::Failure, limits, names::Sha256Hash};
use bytes::Bytes;
use futures::FutureExt;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    drive::drive,
    engine,
    guest::{self, Capture, End, Finished, Setup},
    modules::{Modules, Prepared},
    network::Network,
    report::{Journal, Report},
    ticker::Ticker,
    verdict,
};

/// Where and under which key compiled modules are kept on disk.
#[derive(Debug)]
pub struct Options {
    pub cache_dir: PathBuf,
    /// Authenticates the files: machine code that this home did not write is never run.
    pub cache_key: Secret,
}

/// A connector's module, and the hash it is known by. The caller has checked that they belong
/// together.
#[derive(Clone, Debug)]
pub struct Module {
    pub hash: Sha256Hash,
    pub wasm: Bytes,
}

/// One call of a connector.
#[derive(Clone, Debug)]
pub struct Call {
    pub op: String,
    pub args: Map<String, Value>,
    pub limits: Limits,
}

/// What one call may use. Larger values than the runtime's caps are lowered to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: u64,
    /// From the call to its report, requests included; compiling is bounded by itself.
    pub wall: Duration,
}

/// Runs connector calls, each in a fresh instance. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    modules: Modules,
    places: Arc<Semaphore>,
    ticker: Ticker,
    /// Compilations under way, and guests on threads of their own.
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// How a drive ended.
enum Driven {
    Finished(Finished),
    OutOfTime,
    ShuttingDown,
    Broken,
}

impl Host {
    /// Starts the engine and its clock. Fails when the machine cannot carry the pool or the cache
    /// folder cannot be made.
    pub fn new(options: Options) -> Result<Self> {
        let engine = engine::engine().map_err(internal)?;
        let linker = guest::linker(&engine).map_err(internal)?;
        let tasks = TaskTracker::new();
        let modules = Modules::open(options, &engine, linker, tasks.clone())?;
        let ticker = Ticker::start(engine).map_err(Error::internal)?;
        let places = usize::try_from(limits::GUEST_CONCURRENCY).map_err(Error::internal)?;
        Ok(Self(Arc::new(Inner {
            modules,
            places: Arc::new(Semaphore::new(places)),
            ticker,
            tasks,
            stop: CancellationToken::new(),
        })))
    }

    /// The module if it is ready in memory: the caller then need not read and hash its bytes.
    pub fn prepared(&self, hash: &Sha256Hash) -> Option<Prepared> {
        self.0.modules.ready(hash)
    }

    /// Makes a module ready: from memory, from disk, or by compiling it, once at a time per hash.
    /// Fails with `connector_runtime_error` when it is no module, or imports what no host offers.
    pub async fn prepare(&self, module: Module) -> Result<Prepared, Failure> {
        match self.0.stop.run_until_cancelled(self.0.modules.prepare(module)).await {
            Some(prepared) => prepared,
            None => Err(verdict::shutting_down()),
        }
    }

    /// Prepares the module and runs one call.
    pub async fn call(&self, module: Module, call: Call, network: Arc<dyn Network>) -> Report {
        match self.prepare(module).await {
            Ok(prepared) => self.run(&prepared, call, network).await,
            Err(failure) => Report::refused(failure),
        }
    }

    /// Runs one call of a prepared module. Dropping the future ends the guest.
    pub async fn run(&self, prepared: &Prepared, call: Call, network: Arc<dyn Network>) -> Report {
        let started = Instant::now();
        let limits = call.limits.capped();
        let stdin = match envelope(&call) {
            Ok(stdin) => stdin,
            Err(failure) => return Report::refused(failure),
        };
        let stdout = Capture::refusing(limits::GUEST_STDOUT);
        let stderr = Capture::truncating(limits::GUEST_STDERR);
        let journal = Journal::default();
        let busy = Arc::new(AtomicBool::new(false));
        let (asks, inbox) = mpsc::channel(1);
        let setup = Setup {
            stdin,
            stdout: stdout.clone(),
            stderr: stderr.clone(),
            journal: journal.clone(),
            asks,
            memory: limits.memory,
            busy: Arc::clone(&busy),
        };
        let guest = Arc::clone(&self.0).guest(prepared.clone(), setup).boxed();
        let driven = drive(guest, &busy, inbox, network.as_ref(), &self.0.tasks);
        let driven = self.0.held_to(limits.wall, driven).await;
        let stderr = text(stderr.take());
        let outcome = match driven {
            Driven::Finished(it) => verdict::outcome(it, stdout.take(), &stderr, &limits),
            Driven::OutOfTime => Err(verdict::wall_time(&limits)),
            Driven::ShuttingDown => Err(verdict::shutting_down()),
            Driven::Broken => Err(verdict::engine_failed()),
        };
        let lines = journal.take();
        Report {
            outcome,
            logs: lines.kept,
            logs_dropped: lines.dropped,
            stderr,
            elapsed: started.elapsed(),
        }
    }

    /// Ends every guest and waits for what runs in the background.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Inner {
    /// Waits for a place in the pool, then runs the guest in it.
    async fn guest(self: Arc<Self>, prepared: Prepared, setup: Setup) -> Finished {
        let Ok(_place) = Arc::clone(&self.places).acquire_owned().await else {
            let end = End::NotStarted("the runtime is shutting down".to_owned());
            return Finished { end, sticky: None, status: None, starved: false };
        };
        let _ticking = self.ticker.guest();
        guest::run(prepared.instance(), setup).await
    }

    async fn held_to(
        &self,
        wall: Duration,
        driven: impl Future<Output = Option<Finished>>,
    ) -> Driven {
        let driven = tokio::time::timeout(wall, driven);
        match self.stop.run_until_cancelled(Box::pin(driven)).await {
            Some(Ok(Some(finished))) => Driven::Finished(finished),
            Some(Ok(None)) => Driven::Broken,
            Some(Err(_elapsed)) => Driven::OutOfTime,
            None => Driven::ShuttingDown,
        }
    }
}

impl Limits {
    fn capped(self) -> Self {
        Self {
            memory: self.memory.min(limits::GUEST_MEMORY_MAX),
            wall: self.wall.min(limits::GUEST_WALL_MAX),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: limits::GUEST_MEMORY, wall: limits::GUEST_WALL }
    }
}

/// What the guest reads on standard input.
fn envelope(call: &Call) -> Result<Bytes, Failure> {
    #[derive(Serialize)]
    struct Envelope<'a> {
        op: &'a str,
        args: &'a Map<String, Value>,
    }
    let envelope = Envelope { op: &call.op, args: &call.args };
    match serde_json::to_vec(&envelope) {
        Ok(json) => Ok(json.into()),
        Err(error) => {
            tracing::error!(%error, "a call's arguments cannot be written as JSON");
            Err(verdict::engine_failed())
        }
    }
}

fn text((kept, dropped): (Vec<u8>, u64)) -> String {
    let text = String::from_utf8_lossy(&kept);
    if dropped == 0 {
        return text.into_owned();
    }
    format!("{text}\n[aileron: {dropped} bytes dropped]\n")
}

fn internal(error: wasmtime::Error) -> Error {
    Error::internal(format!("{error:#}"))
}
