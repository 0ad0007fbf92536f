//! Who runs a connector's code: the WebAssembly host, or a stand-in where the run itself is tested.

use std::sync::Arc;

use aileron_wasmhost::{Call, Host, Module, Network, Report};
use async_trait::async_trait;

/// Runs one call of a connector to its end.
#[async_trait]
pub(crate) trait Guest: Send + Sync + 'static {
    async fn call(&self, module: Module, call: Call, network: Arc<dyn Network>) -> Report;
}

#[async_trait]
impl Guest for Host {
    async fn call(&self, module: Module, call: Call, network: Arc<dyn Network>) -> Report {
        Self::call(self, module, call, network).await
    }
}
