//! Connectors are compiled when they are installed, not when they are first called.

use aileron_wasmhost::{Host, Module};
use futures::future::join_all;

use crate::packages::{Parts, underway::Watched, verify::VerifiedConnector};

/// Makes the modules ready. They are installed whatever comes of it: a call says what is wrong
/// with a module that cannot be compiled.
pub(super) async fn compile(
    parts: &Parts,
    connectors: impl IntoIterator<Item = &VerifiedConnector>,
) {
    let Some(host) = &parts.host else { return };
    let native = connectors.into_iter().filter(|verified| !verified.manifest.forwarder);
    let modules: Vec<_> = native
        .map(|verified| {
            let watched = parts.underway.compiling(&verified.package);
            (watched, Module { hash: verified.hash, wasm: verified.files.binary.clone() })
        })
        .collect();
    join_all(modules.into_iter().map(|(watched, module)| one(host, watched, module))).await;
}

async fn one(host: &Host, watched: Watched, module: Module) {
    let (_until_done, hash) = (watched, module.hash);
    if let Err(failure) = host.prepare(module).await {
        tracing::warn!(%hash, message = failure.message, "a connector is not ready to be called");
    }
}
