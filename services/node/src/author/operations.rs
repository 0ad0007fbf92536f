//! Asks a built connector which operations it has: it is called with each, with no arguments and
//! no network, and says `unknown_op`, as published, for those it has not.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use aileron_contract::{Result, Secret, names::Sha256Hash};
use aileron_executor::formats::manifest::Manifest;
use aileron_wasmhost::{Call, Host, Limits, Module, Options};
use serde_json::{Map, Value};

use super::{trial::Scratch, upstream::Replayed};

/// A connector that does not answer by then has the operation: it is doing something.
const WALL: Duration = Duration::from_secs(2);

/// Those of `ops` that the connector says it has not. Whatever else a call ends with is what an
/// operation does that is called with nothing.
pub(super) async fn lacking(
    folder: &Path,
    module: Vec<u8>,
    manifest: Manifest,
    ops: BTreeSet<String>,
) -> Result<BTreeSet<String>> {
    if ops.is_empty() {
        return Ok(ops);
    }
    let scratch = Scratch::new(folder)?;
    let host = Host::new(Options {
        cache_dir: scratch.folder().join("modules"),
        cache_key: Secret::new(crate::services::random::<32>()?.to_vec()),
    })?;
    let limits = Limits { memory: manifest.limits.memory, wall: WALL.min(manifest.limits.wall) };
    let module = Module { hash: Sha256Hash::of(&[&module]), wasm: module.into() };
    let nobody = Arc::new(Replayed::new(manifest, Vec::new()));
    let mut lacking = BTreeSet::new();
    for op in ops {
        let call = Call { op: op.clone(), args: Map::new(), limits };
        let report = host.call(module.clone(), call, Arc::clone(&nobody) as _).await;
        let reported = report.outcome.err().and_then(|failure| failure.details);
        let class = reported.as_ref().and_then(|it| it.get("reported_class"));
        if class.and_then(Value::as_str) == Some("unknown_op") {
            lacking.insert(op);
        }
    }
    host.shutdown().await;
    Ok(lacking)
}

/// What is wrong with an operation that is not there.
pub(super) fn sentence(op: &str) -> String {
    format!(
        "the built connector has no operation {op:?}: such an action can only fail. Correct op, or \
         add it and build again (aileron connector build)"
    )
}
