//! `aileron-mcp`: actions as tools for a host that starts a program and talks to it over standard
//! input and output. A client of the REST API, as any program could be one.
//!
//! Deliberately absent: the tools themselves (they are `aileron_api::mcp`, shared with `/mcp`), any
//! decision, and anything on standard output but the protocol.

mod environment;
mod lines;
mod rest;
mod standard;

use std::{alloc::System, io::Write as _, process::ExitCode, sync::Arc};

use aileron_api::mcp::{Options, Server};
use rmcp::ServiceExt as _;
use tokio_util::task::TaskTracker;
use zeroizing_alloc::ZeroAlloc;

use crate::{environment::Environment, lines::Lines, rest::Rest};

/// Wipes what is freed: the token passes through buffers of libraries that do not.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

const HELP: &str = "\
aileron-mcp: a Model Context Protocol server over standard input and output.
It offers each enabled action of the Aileron runtime as a tool. It is started by an MCP host.

Usage: aileron-mcp [--help | --version]

Environment:
  AILERON_URL                   address of the runtime, such as http://127.0.0.1:4000; without it
                                AILERON_API_URL, else the daemon of this machine
  AILERON_HOME                  the state folder of that daemon (default ~/.aileron)
  AILERON_TOKEN                 bearer token: an agent session's, or a minted one that may list
                                and run actions and poll approvals (default: the daemon's own)
  AILERON_SESSION_ID            the agent session that calls belong to
  AILERON_MCP_REFRESH_INTERVAL  how often to look for new tools: 5s (default), 1m30s, or a number
                                of seconds; 0 turns it off

The manual: /docs/mcp of the runtime.
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    let first = first.as_ref().map(|first| first.to_string_lossy());
    match first.as_deref() {
        None => {}
        Some("--version" | "-v" | "-V") => {
            return say(concat!("aileron-mcp ", env!("CARGO_PKG_VERSION"), "\n"));
        }
        Some("--help" | "-h") => return say(HELP),
        Some(other) => return complain(&format!("{other:?} is not understood; see --help")),
    }
    let variable = |name: &str| std::env::var_os(name)?.into_string().ok();
    match serve(Environment::read(variable)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => complain(&why),
    }
}

fn serve(environment: Environment) -> Result<(), String> {
    // One thread: a call is a few microseconds of work here, and handing it to another costs more.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let options = Options {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        refresh: environment.refresh,
        tasks: TaskTracker::new(),
    };
    let door = Rest::new(environment)?;
    let served = runtime.block_on(async {
        let server = Server::new(Arc::new(door), options);
        let transport = Lines::new(standard::input(), standard::output());
        let running = Box::pin(server.serve(transport)).await.map_err(|error| error.to_string())?;
        running.waiting().await.map_err(|error| error.to_string())
    });
    // A thread that still reads standard input is not waited for.
    runtime.shutdown_background();
    served.map(drop)
}

fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(why: &str) -> ExitCode {
    // Without a standard error there is nobody to tell.
    drop(writeln!(std::io::stderr(), "aileron-mcp: {why}"));
    ExitCode::FAILURE
}
