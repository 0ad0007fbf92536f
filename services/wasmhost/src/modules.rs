//! Compiled modules: in memory while they are used, on disk for the next start.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{Result, failure::Failure, limits, names::Sha256Hash};
use futures::{FutureExt, future::BoxFuture};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use tokio_util::task::TaskTracker;
use wasmtime::{Engine, InstancePre, Linker};

use crate::{Module, Options, guest::State, verdict};

mod disk;
mod recent;

use disk::Disk;
use recent::Recent;

/// A module that is compiled, and whose imports are all there.
#[derive(Clone)]
pub struct Prepared {
    instance: InstancePre<State>,
    /// Bytes of machine code.
    size: usize,
}

pub(crate) struct Modules {
    shop: Arc<Shop>,
    recent: Mutex<Recent>,
    tasks: TaskTracker,
}

/// Where modules are made.
struct Shop {
    engine: Engine,
    linker: Linker<State>,
    disk: Disk,
    compilers: Semaphore,
}

/// One making, shared by all who wait for it.
type Making = futures::future::Shared<BoxFuture<'static, Result<Prepared, Failure>>>;

impl Modules {
    pub(crate) fn open(
        options: Options,
        engine: &Engine,
        linker: Linker<State>,
        tasks: TaskTracker,
    ) -> Result<Self> {
        let disk = Disk::open(options, engine)?;
        let compilers = Semaphore::new(limits::MODULE_COMPILERS);
        let shop = Shop { engine: engine.clone(), linker, disk, compilers };
        Ok(Self { shop: Arc::new(shop), recent: Mutex::default(), tasks })
    }

    pub(crate) fn ready(&self, hash: &Sha256Hash) -> Option<Prepared> {
        self.recent().making(hash)?.peek()?.as_ref().ok().cloned()
    }

    pub(crate) async fn prepare(&self, module: Module) -> Result<Prepared, Failure> {
        let making = self.making(module);
        let prepared = match timeout(limits::MODULE_COMPILE_WALL, making).await {
            Ok(made) => made?,
            Err(_elapsed) => return Err(verdict::compile_time()),
        };
        self.recent().trim();
        Ok(prepared)
    }

    /// The making under way or done, or a new one: a failed one is tried again. It goes on when
    /// all who wait are gone.
    fn making(&self, module: Module) -> Making {
        let mut recent = self.recent();
        let hash = module.hash;
        match recent.making(&hash) {
            Some(making) if !matches!(making.peek(), Some(Err(_))) => making,
            _ => {
                let task = self.tasks.spawn(Arc::clone(&self.shop).make(module));
                let making = task.map(|made| made.unwrap_or_else(|error| lost(&error)));
                let making = making.boxed().shared();
                recent.insert(hash, making.clone());
                making
            }
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shop {
    async fn make(self: Arc<Self>, module: Module) -> Result<Prepared, Failure> {
        let shop = Arc::clone(&self);
        let hash = module.hash;
        let kept = spawn_blocking(move || shop.disk.load(&shop.engine, &hash)).await;
        if let Some(kept) = kept.unwrap_or_default() {
            return self.link(&kept);
        }
        let Ok(_compiler) = self.compilers.acquire().await else {
            return Err(verdict::shutting_down());
        };
        let shop = Arc::clone(&self);
        spawn_blocking(move || shop.compile(&module)).await.unwrap_or_else(|error| lost(&error))
    }

    fn compile(&self, module: &Module) -> Result<Prepared, Failure> {
        // Said here in one sentence: the engine would read a component, or text, differently.
        if !module.wasm.starts_with(b"\0asm\x01\0\0\0") {
            return Err(verdict::load_failed("it is not a WebAssembly module of version 1"));
        }
        let compiled = wasmtime::Module::from_binary(&self.engine, &module.wasm)
            .map_err(|error| verdict::load_failed(&format!("{error:#}")))?;
        let prepared = self.link(&compiled)?;
        if let Err(error) = self.disk.save(&compiled, &module.hash) {
            tracing::warn!(%error, hash = %module.hash, "a compiled module cannot be kept on disk");
        }
        Ok(prepared)
    }

    fn link(&self, module: &wasmtime::Module) -> Result<Prepared, Failure> {
        let instance = self
            .linker
            .instantiate_pre(module)
            .map_err(|error| verdict::load_failed(&format!("{error:#}")))?;
        let image = module.image_range();
        let size = image.end.addr().saturating_sub(image.start.addr());
        Ok(Prepared { instance, size })
    }
}

impl Prepared {
    pub(crate) fn instance(&self) -> InstancePre<State> {
        self.instance.clone()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("size", &self.size).finish_non_exhaustive()
    }
}

fn lost<T>(error: &tokio::task::JoinError) -> Result<T, Failure> {
    tracing::error!(%error, "a compilation ended without a result");
    Err(verdict::engine_failed())
}
