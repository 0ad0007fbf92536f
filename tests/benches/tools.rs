//! One call of a tool, through both doors, against the echo of the reference server over the same
//! transport and what this machine takes to flush the run's records: `tests/run --bench` prints,
//! and a person reads.

#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench reports figures, and stops at the unexpected"
)]

#[expect(dead_code, reason = "other benches use the rest")]
mod figures;
#[path = "../it/hostile.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod hostile;
#[path = "../it/house.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod house;
#[path = "../it/mcp/http.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod http;
#[path = "../it/main_job.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod main_job;
#[path = "../it/mcp/stdio.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod stdio;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use aileron_api::sessions::BeginSession;
use aileron_node::demo::Servers;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{
    figures::{flushes, fsync_time, median, target},
    hostile::{Connector, Deed},
    house::House,
};

const CALLS: usize = 300;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(tools) = std::env::var_os("AILERON_MCP_TOOLS").map(PathBuf::from) else {
            println!("tools: AILERON_MCP_TOOLS names no folder with the reference server");
            return;
        };
        let everything = Everything::start(tools).await;
        let servers = Servers::start().await.unwrap();
        let mut house = House::new(&servers);
        let program = house.start().await;
        let person = main_job::moves_in(&program, &servers).await;
        echo().install(&person, &servers).await;
        let body = BeginSession { agent: "claude".to_owned(), working_dir: None };
        let begun = program.begin_session(&body).await.unwrap().value;
        let token = begun.caveat_token.unwrap().into_inner();
        let daemon = house.discovery().unwrap();

        let over_stdio = Door::Stdio(Box::new(everything.over_stdio().await));
        let over_http = Door::Http(Box::new(everything.over_http().await));
        let mut theirs = [("over its stdio", over_stdio), ("over HTTP", over_http)];
        let ours = stdio::Tools::start(&daemon.url, &token, Some(&begun.session.id), "60s").await;
        let mut ours = Door::Stdio(Box::new(ours));
        // A call of the program crosses both: the host's pipes, and HTTP to the daemon.
        compare("aileron-mcp", &mut theirs, &mut ours, daemon.pid).await;
        let mut ours = Door::Http(Box::new(http::Tools::start(&daemon.url, &token).await));
        compare("/mcp", &mut theirs[1..], &mut ours, daemon.pid).await;
    });
}

/// The reference server, over both transports. Each process ends with what holds it.
struct Everything {
    folder: PathBuf,
    url: String,
    _child: Child,
}

impl Everything {
    async fn start(folder: PathBuf) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let mut command = command(&folder, "streamableHttp");
        command.env("PORT", free.port().to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let started = Instant::now();
        while tokio::net::TcpStream::connect(free).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "the reference server is missing");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { folder, url: format!("http://{free}"), _child: child }
    }

    async fn over_stdio(&self) -> stdio::Tools {
        let mut command = command(&self.folder, "stdio");
        command.stderr(Stdio::null());
        let mut tools = stdio::Tools::of(command);
        tools.hello("2025-06-18").await;
        tools
    }

    async fn over_http(&self) -> http::Tools {
        http::Tools::start(&self.url, "").await
    }
}

fn command(folder: &Path, transport: &str) -> Command {
    let modules = folder.join("node_modules");
    let server = modules.join("@modelcontextprotocol/server-everything/dist/index.js");
    let mut command = Command::new(modules.join("node/bin/node"));
    command.arg(server).arg(transport).env_clear().kill_on_drop(true);
    command
}

/// A connector that answers with what it was called with, and reaches nothing.
fn echo() -> Connector<'static> {
    let echo = "(call $write (i32.const 1) (i32.const 4096) (i32.load (i32.const 8)))";
    Connector {
        repo: "echo",
        hosts: &[],
        credential: None,
        wall_seconds: 3,
        gated: false,
        deeds: vec![Deed::Does(echo)],
    }
}

/// Somebody who serves tools, over one transport or the other.
enum Door {
    Stdio(Box<stdio::Tools>),
    Http(Box<http::Tools>),
}

impl Door {
    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        match self {
            Self::Stdio(tools) => tools.call(tool, arguments).await,
            Self::Http(tools) => tools.call(tool, arguments).await,
        }
    }

    async fn list(&mut self) {
        let listed = match self {
            Self::Stdio(tools) => tools.ask("tools/list", json!({})).await,
            Self::Http(tools) => tools.ask("tools/list", json!({})).await,
        };
        assert!(listed["tools"].is_array(), "{listed}");
    }

    async fn measure(&mut self, tool: &str, arguments: &Value, calls: usize) -> Duration {
        let mut times = Vec::with_capacity(calls);
        for _ in 0..calls {
            let started = Instant::now();
            let answer = self.call(tool, arguments.clone()).await;
            times.push(started.elapsed());
            assert!(answer["isError"] != json!(true), "{answer}");
        }
        median(times)
    }
}

/// All in turns, so that whatever else this machine does falls on each.
async fn compare(name: &str, theirs: &mut [(&str, Door)], ours: &mut Door, daemon: u32) {
    const ROUNDS: usize = 3;
    let (deed, said, nothing) = (json!({ "deed": "a" }), json!({ "message": "a" }), json!({}));
    // As every host begins: what is listed once is not looked for with each call. Then warm: their
    // script and our guests are compiled.
    for (_, reference) in &mut *theirs {
        reference.list().await;
        reference.measure("echo", &said, 20).await;
    }
    ours.list().await;
    ours.measure("echo_do", &deed, 20).await;
    ours.measure("notes_list", &nothing, 20).await;
    let (mut runs, mut notes, mut disk) = (vec![], vec![], vec![]);
    let mut echoes = vec![vec![]; theirs.len()];
    for _ in 0..ROUNDS {
        disk.push(fsync_time());
        for ((_, reference), echoes) in theirs.iter_mut().zip(&mut echoes) {
            echoes.push(reference.measure("echo", &said, CALLS / ROUNDS).await);
        }
        runs.push(ours.measure("echo_do", &deed, CALLS / ROUNDS).await);
        notes.push(ours.measure("notes_list", &nothing, CALLS / ROUNDS).await);
    }
    let (run, note, fsync) = (median(runs), median(notes), median(disk));
    println!("{name}: an action that echoes, p50:    {run:>10.1?}");
    println!("{name}: an action that asks a server:  {note:>10.1?}");
    println!("{name}: fsync of this disk, meanwhile: {fsync:>10.1?}");
    let counted = flushes(daemon, async {
        ours.measure("echo_do", &deed, 50).await;
    })
    .await;
    let each = counted.map(|counted| counted as f64 / 50.0);
    match each {
        Some(each) => println!("{name}: fsyncs per run:                {each:>10.2}"),
        None => println!("{name}: fsyncs per run not counted, strace is missing or refused"),
    }
    for ((way, _), echoes) in theirs.iter().zip(echoes) {
        let echo = median(echoes);
        println!("{name}: the reference's echo {way}, p50: {echo:.1?}");
        let Some(each) = each else { continue };
        let goal = echo + fsync.mul_f64(each);
        let ratio = run.as_secs_f64() / goal.as_secs_f64();
        println!("{name}: of that echo and the fsyncs ({goal:.1?}): {ratio:.2} x");
        target(&format!("{name}, at most 1.00 x the echo {way} and fsyncs:"), ratio <= 1.0);
    }
}
