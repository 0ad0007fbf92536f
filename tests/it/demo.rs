//! The demo, as a new user runs it.

use std::process::{Command, Stdio};

use crate::house::program;

#[test]
fn the_demo_tells_the_main_job_to_its_end() {
    let output = Command::new(program())
        .arg("demo")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", std::env::temp_dir())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    for step in [
        "the vault is created",
        "is trusted, key sha256:",
        "the API key is bound",
        "notes-list ran",
        "approval needed",
        "was refused: person_required",
        "it ran, once",
        "receipt verifies offline",
        "flipping a byte is detected",
        "cutting the tail is detected",
        "swapping two lines is detected",
        "signing again with the log's own key is detected",
        "a planted canary was found",
    ] {
        assert!(told.contains(step), "{step:?} is missing in:\n{told}");
    }
}
