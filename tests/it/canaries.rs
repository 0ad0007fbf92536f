//! Canaries: a credential of every kind is bound, used and handed back by its upstream, and after
//! that it is in no file, no log, no argument, no environment, and in no process's memory but the
//! vault's. The same scan finds what is planted on purpose in each of these places.

mod kinds;
mod scan;

use std::{
    fmt::Write as _,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use aileron_node::demo::Servers;

use crate::{
    house::{PATIENCE, create_vault, person},
    oidc::Provider,
    split::Split,
    upstream::{Upstream, answer},
};
use kinds::{Kind, fresh};
use scan::{Needles, Process};

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_secret_of_any_kind_is_left_nowhere_but_with_the_vault() {
    let servers = Servers::start().await.unwrap();
    let provider = Provider::start(30);
    // Hands back whatever it is sent, as hostile upstreams do.
    let upstream = Upstream::start(|request| {
        let body = serde_json::json!({ "output": { "echo": request } }).to_string();
        answer("200 OK", "", body.as_bytes())
    })
    .await;
    let mut split = Split::start(&servers);
    let program = split.program().await;
    create_vault(&program).await;
    let person = person(&program).await;

    let mut secrets = Vec::new();
    let mut told = String::new();
    for kind in Kind::all(&upstream, &provider) {
        let hosts = kind.hosts();
        let connector = kind.connector(&hosts);
        connector.install(&person, &servers).await;
        secrets.extend(kind.bind(&person, &connector).await);
        for _ in 0..2 {
            let outcome = connector.run(&program, 0).await.unwrap();
            writeln!(told, "{outcome:?}").unwrap();
        }
    }
    let issued: Vec<String> = serde_json::from_str(&provider.control("issued").await).unwrap();
    assert!(issued.len() >= 4, "two tokens, and two in their place: {issued:?}");
    secrets.extend(issued.iter().cloned());

    // The upstream was sent each of them, and nobody was told.
    let needles = Needles::of(&secrets);
    let sent = upstream.seen().concat();
    assert!(needles.in_bytes(sent.as_bytes()).len() >= 6, "{sent}");
    assert_eq!(needles.in_bytes(told.as_bytes()), [""; 0], "{told}");

    // Connections are closed with those who hold them.
    drop((person, program));
    let vault = Process::of("vault", split.process("vault"));
    let others = [
        Process::of("log", split.process("audit")),
        Process::of("executor", split.process("executor")),
        Process::of("launcher", split.process("launcher")),
        Process::of("gateway", split.process("gateway")),
    ];
    let mut found = scan::files(split.house.path(), &needles);
    for process in others.iter().chain([&vault]) {
        found.extend(process.lines(&needles));
    }
    // The ends of connections are noticed by a task of the server's.
    let deadline = Instant::now() + PATIENCE / 2;
    let memory = loop {
        let memory: Vec<_> = others.iter().flat_map(|it| it.memory(&needles)).collect();
        if memory.is_empty() || Instant::now() > deadline {
            break memory;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    found.extend(memory);
    assert_eq!(found, [""; 0]);
    let log = split.house.log();
    assert!(!log.is_empty() && split.house.path().join("secrets.json").is_file());
}

/// One secret in every spelling, put where each part of the scan looks.
#[test]
fn the_same_scan_finds_a_canary_in_every_place_and_spelling() {
    let canary = fresh("planted");
    let needles = Needles::of(std::slice::from_ref(&canary));
    let spelled = scan::spellings(&canary);
    assert!(spelled.len() >= 6, "{spelled:?}");
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &spelled {
        // In the middle of a file, in a folder within, readable by nobody but its owner.
        let within = folder.path().join("audit").join(name);
        std::fs::create_dir_all(&within).unwrap();
        let file = within.join("audit-2026-01-01.jsonl");
        std::fs::write(&file, format!("{}{{\"x\":\"{text}\"}}", "-".repeat(3 << 20))).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
        let found = scan::files(&within, &needles);
        assert!(found.len() == 1 && found[0].contains("audit-2026"), "{name}: {found:?}");

        let shell = |argument: &str, variable: &str| {
            let mut child = Command::new("sh")
                .args(["-c", "echo ready; read -r end", argument])
                .env("PLANTED", variable)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let process = Process::of(name, child.id());
            // Until it is what was asked for, it is a copy of the test itself.
            let mut ready = [0; 6];
            child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
            let (lines, memory) = (process.lines(&needles), process.memory(&needles));
            child.kill().unwrap();
            child.wait().unwrap();
            (lines, memory)
        };
        let (lines, memory) = shell(text, "nothing");
        assert!(lines.iter().any(|line| line.contains("arguments")), "{name}: {lines:?}");
        assert!(!memory.is_empty(), "{name}");
        let (lines, memory) = shell("nothing", text);
        assert!(lines.iter().any(|line| line.contains("environment")), "{name}: {lines:?}");
        assert!(!memory.is_empty(), "{name}");
        let (lines, memory) = shell("nothing", "nothing");
        assert_eq!((lines.len(), memory.len()), (0, 0), "{name}: {lines:?} {memory:?}");
    }
}
