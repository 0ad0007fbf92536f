//! The project's own conformance suite and its inspector, against `/mcp` and the program.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{names, stdio, text};
use crate::{
    hostile::{Connector, Deed},
    household::Household,
};

/// Node and the packages, as `tests/run` installed them.
fn node(script: &str, arguments: &[&str]) -> Output {
    let tools = std::env::var_os("AILERON_MCP_TOOLS");
    let tools = tools.unwrap_or_else(|| panic!("AILERON_MCP_TOOLS is not set: run tests/run"));
    let tools = PathBuf::from(tools);
    let modules = tools.join("node_modules");
    Command::new(modules.join("node/bin/node"))
        .arg(modules.join("@modelcontextprotocol").join(script))
        .args(arguments)
        .env_clear()
        .env("PATH", modules.join("node/bin"))
        .env("HOME", std::env::temp_dir())
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    let stream = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", stream(&output.stdout), stream(&output.stderr))
}

/// Neither can send a token, so this adds one. It speaks for the daemon's address, and passes
/// on every other name as it is.
async fn with_token(daemon: String, token: String) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let own = listener.local_addr().unwrap().to_string();
    let address = own.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((near, _)) = listener.accept().await {
            let (daemon, token, own) = (daemon.clone(), token.clone(), own.clone());
            connections.spawn(async move {
                drop(pass(near, &daemon, &token, &own).await);
            });
        }
    });
    (address, tasks)
}

/// One request a connection: its head is changed, everything else passes.
async fn pass(mut near: TcpStream, daemon: &str, token: &str, own: &str) -> std::io::Result<()> {
    let (mut request, mut block) = (Vec::new(), [0; 4096]);
    let end = loop {
        if let Some(end) = memchr::memmem::find(&request, b"\r\n\r\n") {
            break end;
        }
        match near.read(&mut block).await? {
            0 => return Ok(()),
            read => request.extend_from_slice(&block[..read]),
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).replace(own, daemon);
    let lines =
        head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let head = lines.collect::<Vec<_>>().join("\r\n");
    let head = format!("{head}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
    let mut far = TcpStream::connect(daemon).await?;
    far.write_all(head.as_bytes()).await?;
    far.write_all(&request[end + 4..]).await?;
    tokio::io::copy_bidirectional(&mut near, &mut far).await.map(drop)
}

impl Household {
    /// The tools the suite calls by name.
    async fn with_fixtures() -> Self {
        let home = Self::new().await;
        let simple = home.renamed("notes-list", "test-simple-text");
        home.writes_action("test-simple-text", &simple).await;
        // It lacks what it needs whenever it is called without arguments.
        let error = home.renamed("notes-create", "test-error-handling");
        home.writes_action("test-error-handling", &error).await;
        // It goes on until its wall, three seconds later.
        let slow = Connector {
            repo: "slow",
            hosts: &[],
            credential: None,
            wall_seconds: 3,
            gated: false,
            deeds: vec![Deed::Does("(loop $on (br $on))")],
        };
        slow.install(&home.person, &home.servers).await;
        let slow = home.renamed("slow-do", "test-tool-with-progress");
        let (before, after) = slow.split_once("[[inputs]]").unwrap();
        let (_, after) = after.split_once("[[execute]]").unwrap();
        let slow = format!("{before}[[execute]]{after}").replace("${args.deed}", "a");
        home.writes_action("test-tool-with-progress", &slow).await;
        home
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_of_the_suite_passes_whose_capability_is_declared() {
    let home = Household::with_fixtures().await;
    let token = home.token("conformance").await;
    let daemon = home.url().strip_prefix("http://").unwrap().to_owned();
    let (address, _tasks) = with_token(daemon, token).await;
    let skipped: BTreeSet<&str> = include_str!("skipped.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let listed = node("conformance/dist/index.js", &["list", "--server"]);
    let listed = told(&listed);
    let known: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- ")?.split(' ').next())
        .collect();
    let foreign: Vec<_> = skipped.difference(&known).collect();
    assert!(foreign.is_empty() && known.len() > 20, "the suite knows no {foreign:?}: {listed}");
    let mut failed = Vec::new();
    for scenario in known.difference(&skipped) {
        let url = format!("http://{address}/mcp");
        let arguments = ["server", "--url", &url, "--scenario", scenario].map(str::to_owned);
        let output = tokio::task::spawn_blocking(move || {
            node("conformance/dist/index.js", &arguments.each_ref().map(String::as_str))
        });
        let output = output.await.unwrap();
        if !output.status.success() {
            failed.push(format!("{scenario}:\n{}", told(&output)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inspector_lists_and_calls_through_both_doors() {
    let home = Household::new().await;
    let token = home.token("inspector").await;
    let url = home.url();
    let program = stdio::program().display().to_string();
    let daemon = url.strip_prefix("http://").unwrap().to_owned();
    let (address, _tasks) = with_token(daemon, token.clone()).await;
    let over_stdio = vec![
        "-e".to_owned(),
        format!("AILERON_URL={url}"),
        "-e".to_owned(),
        format!("AILERON_TOKEN={token}"),
        program,
    ];
    let over_http = vec![format!("http://{address}/mcp")];
    for door in [over_stdio, over_http] {
        let inspect = async |further: &[&str]| -> Value {
            let mut arguments = vec!["--cli".to_owned()];
            arguments.extend(door.iter().cloned());
            arguments.extend(further.iter().map(|it| (*it).to_owned()));
            let output = tokio::task::spawn_blocking(move || {
                let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
                node("inspector-cli/build/cli.js", &arguments)
            });
            let output = output.await.unwrap();
            assert!(output.status.success(), "{}", told(&output));
            serde_json::from_slice(&output.stdout).unwrap()
        };
        let listing = inspect(&["--method", "tools/list"]).await;
        assert!(names(&listing).contains(&"notes_list"), "{listing}");
        let called = inspect(&["--method", "tools/call", "--tool-name", "notes_list"]).await;
        assert!(text(&called).contains("Welcome"), "{called}");
    }
}
