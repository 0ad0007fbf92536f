//! What the host adds to a call, and what its disk cache saves at a connector's start.
//!
//! `call/host` against `call/raw`: the same module (`notes`, an operation without a request) under
//! the same limits, driven by wasmtime alone. `start/disk` against `start/compile`: a module made
//! ready by a host that finds it on disk, and by one that does not.
#![expect(clippy::expect_used, reason = "a bench that cannot start ends")]

use std::{hint::black_box, sync::Arc, time::Duration};

use aileron_contract::{Secret, failure::Failure, limits, names::Sha256Hash};
use aileron_wasmhost::{
    Call, GuestRequest, GuestResponse, Host, Limits, Module, Network, Options, Report,
};
use async_trait::async_trait;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::Map;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, InstancePre, Linker, PoolingAllocationConfig,
    Store, StoreLimits, StoreLimitsBuilder,
};
use wasmtime_wasi::{
    I32Exit, WasiCtxBuilder,
    p1::{self, WasiP1Ctx},
    p2::pipe::{MemoryInputPipe, MemoryOutputPipe},
};

const NOTES: &[u8] = include_bytes!("../../connectors/starter/notes.wasm");
const CALL: &str = r#"{"op":"none","args":{}}"#;

struct Nothing;

#[async_trait]
impl Network for Nothing {
    async fn http(&self, _request: GuestRequest) -> Result<GuestResponse, Failure> {
        std::future::pending().await
    }
}

fn host(folder: &TempDir) -> Host {
    let cache_dir = folder.path().to_owned();
    Host::new(Options { cache_dir, cache_key: Secret::new(vec![1; 32]) }).expect("a host")
}

fn notes() -> Module {
    Module { hash: Sha256Hash::of(&[NOTES]), wasm: NOTES.into() }
}

struct Raw {
    module: InstancePre<RawState>,
    engine: Engine,
}

struct RawState {
    wasi: WasiP1Ctx,
    limits: StoreLimits,
}

impl Raw {
    fn new() -> wasmtime::Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(limits::GUEST_CONCURRENCY)
            .total_memories(limits::GUEST_CONCURRENCY)
            .total_tables(limits::GUEST_CONCURRENCY)
            .total_stacks(limits::GUEST_CONCURRENCY)
            .table_elements(limits::GUEST_TABLE)
            .max_memory_size(usize::try_from(limits::GUEST_MEMORY_MAX)?);
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .max_wasm_stack(limits::GUEST_STACK)
            .async_stack_size(limits::GUEST_STACK * 2)
            .concurrency_support(false)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;
        let module = wasmtime::Module::new(&engine, NOTES)?;
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_async(&mut linker, |state: &mut RawState| &mut state.wasi)?;
        linker.define_unknown_imports_as_traps(&module)?;
        Ok(Self { module: linker.instantiate_pre(&module)?, engine })
    }

    async fn call(&self) -> wasmtime::Result<usize> {
        let stdout = MemoryOutputPipe::new(limits::GUEST_STDOUT);
        let stderr = MemoryOutputPipe::new(limits::GUEST_STDERR);
        let wasi = WasiCtxBuilder::new()
            .stdin(MemoryInputPipe::new(CALL))
            .stdout(stdout.clone())
            .stderr(stderr)
            .build_p1();
        let limits = StoreLimitsBuilder::new()
            .memory_size(usize::try_from(limits::GUEST_MEMORY)?)
            .table_elements(limits::GUEST_TABLE)
            .build();
        let mut store = Store::new(&self.engine, RawState { wasi, limits });
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(2);
        store.epoch_deadline_async_yield_and_update(1);
        let instance = self.module.instantiate_async(&mut store).await?;
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
        match start.call_async(&mut store, ()).await {
            Err(error) if error.downcast_ref::<I32Exit>().is_none() => return Err(error),
            _ => {}
        }
        Ok(stdout.contents().len())
    }
}

fn call(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let host = host(&folder);
    let prepared = runtime.block_on(host.prepare(notes())).expect("notes compile");
    let raw = Raw::new().expect("a raw engine");
    let network: Arc<dyn Network> = Arc::new(Nothing);
    let run = || async {
        let call = Call { op: "none".to_owned(), args: Map::new(), limits: Limits::default() };
        let report: Report = host.run(&prepared, call, Arc::clone(&network)).await;
        assert!(report.outcome.is_err_and(|failure| failure.message.contains("no operation")));
    };
    let mut group = criterion.benchmark_group("call");
    group.measurement_time(Duration::from_secs(8));
    group.bench_function("raw", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let written = tokio::time::timeout(limits::GUEST_WALL, raw.call()).await;
            assert!(written.is_ok_and(|written| written.is_ok_and(|len| black_box(len) > 0)));
        });
    });
    group.bench_function("host", |bencher| bencher.to_async(&runtime).iter(run));
    group.finish();
}

fn start(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let filled = tempfile::tempdir().expect("a folder");
    let prepare = |host: Host| async move {
        let prepared = host.prepare(notes()).await;
        assert!(prepared.is_ok());
        host
    };
    runtime.block_on(prepare(host(&filled)));
    let mut group = criterion.benchmark_group("start");
    group.sample_size(20);
    group.bench_function("disk", |bencher| {
        bencher.to_async(&runtime).iter_batched(|| host(&filled), prepare, BatchSize::PerIteration);
    });
    group.bench_function("compile", |bencher| {
        // The folder lives as long as the host that writes to it.
        let fresh = || {
            let folder = tempfile::tempdir().expect("a folder");
            (host(&folder), folder)
        };
        let compile =
            |(host, folder): (Host, TempDir)| async move { (prepare(host).await, folder) };
        bencher.to_async(&runtime).iter_batched(fresh, compile, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, call, start);
criterion_main!(benches);
