//! What standard input and output are is the host's choice.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::stdio::program;
use crate::house::PATIENCE;

fn messages() -> String {
    let hello = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    });
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello});
    format!("{hello}\n{}\n", json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
}

/// The program with these two, and no daemon anywhere near.
fn told(input: Stdio, output: Stdio) -> std::process::Child {
    let mut command = Command::new(program());
    command.env_clear().env("AILERON_URL", "http://127.0.0.1:1").stdin(input).stdout(output);
    command.spawn().unwrap()
}

fn introduced(line: &str) {
    let said: Value = serde_json::from_str(line).unwrap();
    assert_eq!(said["result"]["serverInfo"]["name"], "aileron", "{said}");
}

#[test]
fn over_sockets_as_node_makes_them() {
    let (ours_in, theirs_in) = UnixStream::pair().unwrap();
    let (ours_out, theirs_out) = UnixStream::pair().unwrap();
    let mut child = told(OwnedFd::from(theirs_in).into(), OwnedFd::from(theirs_out).into());
    ours_out.set_read_timeout(Some(PATIENCE)).unwrap();
    (&ours_in).write_all(messages().as_bytes()).unwrap();
    let mut lines = BufReader::new(&ours_out).lines();
    introduced(&lines.next().unwrap().unwrap());
    drop(ours_in);
    assert!(lines.next().is_none(), "it ends with its input");
    assert!(child.wait().unwrap().success());
}

#[test]
fn over_one_socket_for_both_directions() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let copy = theirs.try_clone().unwrap();
    let mut child = told(OwnedFd::from(theirs).into(), OwnedFd::from(copy).into());
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    (&ours).write_all(messages().as_bytes()).unwrap();
    let mut lines = BufReader::new(&ours).lines();
    introduced(&lines.next().unwrap().unwrap());
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(lines.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_pipe_that_others_hold_as_well_goes_on_blocking_for_them() {
    let (input, mut to_it) = std::io::pipe().unwrap();
    let (from_it, output) = std::io::pipe().unwrap();
    let mut child = told(input.try_clone().unwrap().into(), output.try_clone().unwrap().into());
    to_it.write_all(messages().as_bytes()).unwrap();
    let mut lines = BufReader::new(from_it).lines();
    introduced(&lines.next().unwrap().unwrap());
    for end in [input.as_fd(), output.as_fd()] {
        let flags = rustix::fs::fcntl_getfl(end).unwrap();
        assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
    }
    drop((to_it, output));
    assert!(lines.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn from_a_file_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    std::fs::write(&input, messages()).unwrap();
    let files = (File::open(&input).unwrap(), File::create(&output).unwrap());
    assert!(told(files.0.into(), files.1.into()).wait().unwrap().success());
    let mut said = String::new();
    File::open(&output).unwrap().read_to_string(&mut said).unwrap();
    introduced(said.lines().next().unwrap());
}
