use std::{path::Path, process::Command};

use crate::support::Fixture;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_verifier_accepts_the_log() {
    let python = std::env::var_os("AILERON_TLOG_PYTHON").expect(
        "AILERON_TLOG_PYTHON must name a Python that has aics-tlog: use tests/run, which makes one",
    );
    let log = Fixture::new().await;
    log.append(1_500).await;
    let folder = log.folder();
    let home = log.stop().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/verify.py");
    let verify = || Command::new(&python).arg(&script).arg(&folder).output().unwrap();
    let accepted = verify();
    assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
    assert_eq!(String::from_utf8_lossy(&accepted.stdout).trim(), "1500");

    // It does look: a tile that is not what was signed is refused.
    let tile = folder.join("tile/0/002");
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&tile, bytes).unwrap();
    assert!(!verify().status.success());
    drop(home);
}
