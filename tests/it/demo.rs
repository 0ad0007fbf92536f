//! The demo, as a new user runs it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::house::{program, until};

/// Ended by its id with the test.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Is there a process of this id that has not ended? One that nobody reaps stays as a corpse.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z')))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_killed_leaves_no_daemon() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Command::new(program());
    command.args(["demo", "--keep"]).env_clear().env("TMPDIR", temporary.path());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut demo = Demo(command.spawn().unwrap());
    let mut daemon = None;
    for line in BufReader::new(demo.0.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, pid)) = line.split_once("a daemon of its own runs at ") {
            let pid = pid.split_once("(pid ").unwrap().1.trim_end_matches(')');
            daemon = Some(pid.parse().unwrap());
        }
        if line.starts_with("kept: ") {
            break;
        }
    }
    let daemon = daemon.unwrap();
    assert!(lives(daemon), "it goes on while the demo does");
    drop(demo);
    until("the demo's daemon ends", async || (!lives(daemon)).then_some(())).await;
}

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
