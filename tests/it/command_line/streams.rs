//! Where a command's words go, and what it does when they cannot go there.

use std::{ffi::OsStr, fs::OpenOptions, os::unix::ffi::OsStrExt as _, process::Stdio};

use aileron_contract::limits;
use aileron_node::demo::Servers;

use super::{House, out, succeeds, talk};

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_failure_and_a_full_disk_is_one() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    for arguments in [&["completions", "bash"][..], &["help"], &["status"]] {
        let mut child =
            house.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(!talk(&output).contains("panicked"), "{arguments:?}: {}", talk(&output));
        assert!(!talk(&output).contains("roken pipe"), "{arguments:?}: {}", talk(&output));
    }
    for arguments in [&["completions", "bash"][..], &["version"], &["status"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = house.command(arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told = talk(&output);
        assert!(told.contains("standard output cannot be written"), "{arguments:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_full_is_kept_once_and_the_daemon_writes_on() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let log = house.path().join("daemon.log");
    let full = std::fs::File::create(&log).unwrap();
    full.set_len(limits::LOG_FILE + 1).unwrap();
    house.start().await;
    let kept = std::fs::metadata(house.path().join("daemon.log.1")).unwrap();
    assert_eq!(kept.len(), limits::LOG_FILE);
    assert!(house.log().contains("listening"), "{}", house.log());
    assert!(std::fs::metadata(&log).unwrap().len() < limits::LOG_FILE);
}

#[test]
fn a_variable_that_is_not_text_stops_only_who_needs_it() {
    let run = |name: &str| {
        std::process::Command::new(super::program())
            .arg("version")
            .env(name, OsStr::from_bytes(b"\xff\xfe"))
            .output()
            .unwrap()
    };
    assert_eq!(run("SOMETHING_ELSE").status.code(), Some(0));
    assert_eq!(run("AILERON_HOME").status.code(), Some(0), "a path may be any bytes");
    let refused = run("AILERON_TOKEN");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(talk(&refused), "error: AILERON_TOKEN is not UTF-8 text\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listing_is_one_json_document_and_the_same_each_time() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    succeeds(&house.run_as_person(&["vault", "init"]));
    for line in [
        "status",
        "daemon status",
        "vault list",
        "vault list --scope user",
        "secret list",
        "keyring list",
        "connector list",
        "action list",
        "action runs",
        "binding list",
        "approval list",
        "audit list",
        "audit list --type vault.created",
        "audit verify",
    ] {
        let arguments: Vec<_> = line.split_whitespace().chain(["--json"]).collect();
        let first = succeeds(&house.run(&arguments));
        let value: serde_json::Value = serde_json::from_str(&first).unwrap();
        assert!(value.is_object(), "{line}: {first}");
        assert_eq!(first.lines().count(), 1, "{line}: {first}");
        assert_eq!(first, succeeds(&house.run(&arguments)), "{line}");
        assert!(!first.contains('\u{1b}'), "{line}");
    }
    let tokens = house.run_as_person(&["token", "list", "--json"]);
    assert_eq!(succeeds(&tokens), "{\"items\":[]}\n", "{}", out(&tokens));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_s_list_leaves_out_sessions_unless_it_is_asked_for_them() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    succeeds(&house.run_as_person(&["vault", "init"]));
    succeeds(&house.run_as_person(&["token", "list"]));
    let listed = house.run(&["audit", "list"]);
    assert!(!succeeds(&listed).contains("person_session"), "{}", out(&listed));
    assert!(out(&listed).contains("vault.created"));
    assert!(talk(&listed).contains("left out: 2 openings and closings"), "{}", talk(&listed));
    for arguments in [
        &["audit", "list", "--all"][..],
        &["audit", "list", "--json"],
        &["audit", "list", "--type", "person_session.opened"],
    ] {
        let listed = succeeds(&house.run(arguments));
        assert!(listed.contains("person_session.opened"), "{arguments:?}: {listed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_is_told_with_its_cause() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    let url = succeeds(&house.run(&["daemon", "start"])).trim().to_owned();
    let at = |url: &str| {
        let mut command = house.command(["status"]);
        command.env("AILERON_API_URL", url).env("AILERON_TOKEN", "x").output().unwrap()
    };
    for (url, said) in [
        ("http://127.0.0.1:1/v1", "Connection refused"),
        (&*format!("{}/v1", servers.source_url), "certificate"),
        ("http://example.com/v1", "use https:// for another machine"),
        (&*url, "the address of a runtime ends in /v1"),
        (&*format!("{url}/v1"), "this bearer token is not known here"),
    ] {
        let told = at(url);
        assert_eq!(told.status.code(), Some(1), "{url}");
        assert!(talk(&told).contains(said), "{url}: {}", talk(&told));
    }
}
