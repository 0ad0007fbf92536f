//! Who runs a connector's code: the WebAssembly host, or a stand-in where the run itself is tested.

use std::sync::Arc;

use aileron_contract::failure::Failure;
use aileron_wasmhost::{Call, Host, Module, Network, Report};
use async_trait::async_trait;

/// Runs one call of a connector to its end.
#[async_trait]
pub(crate) trait Guest: Send + Sync + 'static {
    /// Makes the module ready, so that the first call's time is not spent on compiling it.
    async fn prepare(&self, module: Module) -> Result<(), Failure>;

    async fn call(&self, module: Module, call: Call, network: Arc<dyn Network>) -> Report;
}

#[async_trait]
impl Guest for Host {
    async fn prepare(&self, module: Module) -> Result<(), Failure> {
        Self::prepare(self, module).await.map(drop)
    }

    async fn call(&self, module: Module, call: Call, network: Arc<dyn Network>) -> Report {
        Self::call(self, module, call, network).await
    }
}
