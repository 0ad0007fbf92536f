//! Connectors are compiled when they are installed, not when they are first called.

use aileron_contract::names::Sha256Hash;
use aileron_wasmhost::{Host, Module};
use bytes::Bytes;
use futures::future::join_all;

use crate::packages::{Parts, verify::VerifiedConnector};

/// Makes the modules ready. They are installed whatever comes of it: a call says what is wrong
/// with a module that cannot be compiled.
pub(super) async fn compile(
    parts: &Parts,
    connectors: impl IntoIterator<Item = &VerifiedConnector>,
) {
    let Some(host) = &parts.host else { return };
    let native = connectors.into_iter().filter(|verified| !verified.manifest.forwarder);
    let modules: Vec<_> =
        native.map(|verified| (verified.hash, verified.files.binary.clone())).collect();
    join_all(modules.into_iter().map(|(hash, wasm)| one(host, hash, wasm))).await;
}

async fn one(host: &Host, hash: Sha256Hash, wasm: Bytes) {
    if let Err(failure) = host.prepare(Module { hash, wasm }).await {
        tracing::warn!(%hash, message = failure.message, "a connector is not ready to be called");
    }
}
