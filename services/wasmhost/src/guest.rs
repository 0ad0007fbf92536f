//! One guest: its state, and the run of its `_start` in a fresh instance.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aileron_contract::{failure::Failure, limits};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use wasmtime::{InstancePre, Linker, Store, Trap, UpdateDeadline};
use wasmtime_wasi::{
    WasiCtxBuilder,
    p1::{self, WasiP1Ctx},
    p2::pipe::MemoryInputPipe,
};

use crate::{
    network::{GuestRequest, GuestResponse},
    report::Journal,
};

mod imports;
mod memory;
mod meter;
mod pipes;

use imports::Exit;
use meter::Meter;
pub(crate) use pipes::Capture;

/// A request on its way to the caller, who holds the network.
pub(crate) struct Ask {
    pub(crate) request: GuestRequest,
    pub(crate) reply: oneshot::Sender<Result<GuestResponse, Failure>>,
}

/// What a guest starts with.
pub(crate) struct Setup {
    pub(crate) stdin: Bytes,
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
    pub(crate) journal: Journal,
    pub(crate) asks: mpsc::Sender<Ask>,
    /// Bytes of memory it may use.
    pub(crate) memory: u64,
    /// Set when the guest has used the processor for longer than a tick.
    pub(crate) busy: Arc<AtomicBool>,
}

/// How a guest ended.
#[derive(Debug)]
pub(crate) enum End {
    /// `_start` returned, or the guest exited with this code.
    Exited(u32),
    /// The engine stopped it.
    Trapped(Trap),
    /// It never ran: a missing export, or more memory at start than it may use.
    NotStarted(String),
    /// A host function stopped it.
    Stopped(String),
}

/// How a guest ended, and what the host knows about the way there.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) end: End,
    /// The last request's failure, unless a later one succeeded.
    pub(crate) sticky: Option<Failure>,
    /// The status of the last answer.
    pub(crate) status: Option<u16>,
    /// The guest asked for more memory than it may use and did not get it.
    pub(crate) starved: bool,
}

/// What the host functions of one instance share.
pub(crate) struct State {
    wasi: WasiP1Ctx,
    meter: Meter,
    journal: Journal,
    http: Http,
}

struct Http {
    asks: mpsc::Sender<Ask>,
    sent: u32,
    response: Option<GuestResponse>,
    sticky: Option<Failure>,
    /// Survives a later failure: the guest's own error may be about this answer.
    status: Option<u16>,
}

/// Everything a guest can import: the whole of WASI preview 1 and the ten host functions.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_async(&mut linker, |state: &mut State| &mut state.wasi)?;
    imports::add_to(&mut linker)?;
    Ok(linker)
}

/// Runs the guest to its end. Yields to the runtime at every tick.
pub(crate) async fn run(module: InstancePre<State>, setup: Setup) -> Finished {
    let mut store = store(&module, setup);
    let end = start(&mut store, &module).await;
    let State { meter, http, .. } = store.into_data();
    Finished { end, sticky: http.sticky, status: http.status, starved: meter.refused() }
}

fn store(module: &InstancePre<State>, setup: Setup) -> Store<State> {
    let Setup { stdin, stdout, stderr, journal, asks, memory, busy } = setup;
    // No arguments, no environment, no folders; the clocks and the random numbers are real.
    let wasi = WasiCtxBuilder::new()
        .stdin(MemoryInputPipe::new(stdin))
        .stdout(stdout)
        .stderr(stderr)
        .max_random_size(limits::GUEST_RANDOM)
        .allow_tcp(false)
        .allow_udp(false)
        .build_p1();
    let http = Http { asks, sent: 0, response: None, sticky: None, status: None };
    let state = State { wasi, meter: Meter::new(memory), journal, http };
    let mut store = Store::new(module.module().engine(), state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits::GUEST_HOSTCALL);
    // Two ticks, so that a quick guest that starts right before a tick is not taken for a busy one.
    store.set_epoch_deadline(2);
    store.epoch_deadline_callback(move |_| {
        busy.store(true, Ordering::Relaxed);
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

async fn start(store: &mut Store<State>, module: &InstancePre<State>) -> End {
    let not_started = |error: wasmtime::Error| match error.downcast_ref::<Trap>() {
        Some(trap) => End::Trapped(*trap),
        None => End::NotStarted(format!("{error:#}")),
    };
    let instance = match module.instantiate_async(&mut *store).await {
        Ok(instance) => instance,
        Err(error) => return not_started(error),
    };
    let start = match instance.get_typed_func::<(), ()>(&mut *store, "_start") {
        Ok(start) => start,
        Err(error) => return not_started(error),
    };
    match start.call_async(&mut *store, ()).await {
        Ok(()) => End::Exited(0),
        Err(error) => ended(&error),
    }
}

fn ended(error: &wasmtime::Error) -> End {
    if let Some(Exit(code)) = error.downcast_ref() {
        End::Exited(*code)
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        End::Trapped(*trap)
    } else {
        End::Stopped(error.root_cause().to_string())
    }
}
