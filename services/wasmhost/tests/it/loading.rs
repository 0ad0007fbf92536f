//! From bytes to a module that is ready.

use aileron_contract::{failure::Class, names::Sha256Hash};
use aileron_wasmhost::{Limits, Module};
use futures::future::join_all;

use crate::support::{Canned, House, call, guest, module, open};

/// Bytes that are no module, under the hash of one.
fn garbage(hash: Sha256Hash) -> Module {
    Module { hash, wasm: "garbage".into() }
}

#[tokio::test]
async fn a_module_that_cannot_be_loaded_says_why() {
    let unknown = r#"(module (import "aileron_host" "steal" (func)) (func (export "_start")))"#;
    let no_start = "(module)";
    let wrong_start = r#"(module (func (export "_start") (param i32)))"#;
    let house = House::new();
    for (wat, words) in [(unknown, "steal"), (no_start, "_start"), (wrong_start, "type mismatch")] {
        let failure = house.run(wat).await.outcome.unwrap_err();
        assert_eq!(failure.class, Class::ConnectorRuntimeError);
        assert!(failure.message.contains(words), "{failure}");
        assert_eq!(failure.details.unwrap()["reported_class"], "connector_load_failed");
    }
}

#[tokio::test]
async fn what_is_no_core_module_is_refused() {
    let component = wat::parse_str("(component)").unwrap();
    let broken = b"\0asm\x01\0\0\0\xff\xff".to_vec();
    let text = b"(module)".to_vec();
    for wasm in [component, broken, text, vec![]] {
        let house = House::new();
        let module = Module { hash: Sha256Hash::of(&[&wasm]), wasm: wasm.into() };
        let failure = house.host.prepare(module).await.unwrap_err();
        assert_eq!(failure.class, Class::ConnectorRuntimeError);
        assert_eq!(failure.details.unwrap()["reported_class"], "connector_load_failed");
    }
}

#[tokio::test]
async fn proposals_that_would_escape_the_meter_are_refused() {
    let house = House::new();
    for wat in [
        "(module (memory 1) (memory 1))",
        "(module (memory i64 1))",
        "(module (memory 1 2 shared))",
    ] {
        assert!(house.host.prepare(module(wat)).await.is_err(), "{wat}");
    }
}

#[tokio::test]
async fn many_callers_share_one_compilation() {
    let house = House::new();
    let module = module(&guest("", ""));
    // Only the first has the bytes: the others succeed because they wait for its compilation.
    let first = house.host.prepare(module.clone());
    let others = (0..15).map(|_| house.host.prepare(garbage(module.hash)));
    let all = join_all(
        std::iter::once(futures::FutureExt::left_future(first))
            .chain(others.map(futures::FutureExt::right_future)),
    )
    .await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert!(house.host.prepared(&module.hash).is_some());
}

#[tokio::test]
async fn a_failed_compilation_is_tried_again() {
    let house = House::new();
    let module = module(&guest("", ""));
    assert!(house.host.prepare(garbage(module.hash)).await.is_err());
    assert!(house.host.prepared(&module.hash).is_none());
    assert!(house.host.prepare(module).await.is_ok());
}

#[tokio::test]
async fn the_next_start_takes_the_module_from_disk() {
    let house = House::new();
    let module = module(&guest("", ""));
    house.host.prepare(module.clone()).await.unwrap();
    let next = open(&house.folder);
    assert!(next.prepared(&module.hash).is_none());
    let report =
        next.call(garbage(module.hash), call(Limits::default()), Canned::answering(200, "")).await;
    assert_eq!(report.outcome, Ok(None));
}

#[tokio::test]
async fn a_file_somebody_else_wrote_is_compiled_again_instead() {
    let house = House::new();
    let module = module(&guest("", ""));
    house.host.prepare(module.clone()).await.unwrap();
    let folder = house.folder.path().join("modules");
    for entry in std::fs::read_dir(&folder).unwrap() {
        std::fs::write(entry.unwrap().path(), b"machine code of somebody else, long enough")
            .unwrap();
    }
    let next = open(&house.folder);
    assert!(next.prepare(garbage(module.hash)).await.is_err());
    assert!(next.prepare(module).await.is_ok());
}

#[tokio::test]
async fn the_cache_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    house.host.prepare(module(&guest("", ""))).await.unwrap();
    let folder = house.folder.path().join("modules");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}
