//! `aileron daemon start|stop|status`.

use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, test_kill_process, waitpid};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    connection::{self, Connection, Settings},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    table,
};

/// The daemon drains requests before it ends.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn start(settings: &Settings, printer: Printer) -> Result<Exit> {
    super::open::sweep(&settings.home);
    let found = match connection::running(&settings.home).await? {
        Some(found) => found,
        None => connection::start(settings, printer).await?,
    };
    printer.data(found.url);
    Ok(Exit::Done)
}

pub(super) async fn stop(settings: &Settings, printer: Printer) -> Result<Exit> {
    let Some(found) = connection::running(&settings.home).await? else {
        printer.say("the daemon is not running");
        return Ok(Exit::Done);
    };
    let pid = i32::try_from(found.pid).ok().and_then(Pid::from_raw).ok_or_else(|| {
        Failure::plain("daemon.json names no process; is it the daemon's own file?")
    })?;
    kill_process(pid, Signal::TERM).map_err(|error| {
        Failure::plain(format!("cannot stop the daemon (pid {}): {error}", found.pid))
    })?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        // Ours, when this very command started it: it must be reaped to be gone.
        let reaped = matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(Some(_)));
        if reaped || test_kill_process(pid).is_err() || is_corpse(found.pid) {
            printer.say(format!("the daemon stopped (pid {})", found.pid));
            return Ok(Exit::Done);
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(Failure::plain(format!("the daemon (pid {}) is still finishing its work", found.pid)))
}

/// Has it ended, with a parent that does not look? So it is in a container without an init.
fn is_corpse(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in between may hold anything, parentheses too.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

pub(super) async fn status(settings: &Settings, printer: Printer, json: bool) -> Result<Exit> {
    let Some(found) = connection::running(&settings.home).await? else {
        if json {
            printer.data(json!({ "running": false }).to_string());
        } else {
            printer.data("daemon: not running");
        }
        return Ok(Exit::Done);
    };
    let connection = Connection::local(settings, printer, &found)?;
    let vault = connection.client.vault_status().await?.value.state.to_string();
    if json {
        let report = json!({
            "running": true, "url": found.url, "pid": found.pid, "version": found.version,
            "started_at": found.started_at, "vault_state": vault,
        });
        printer.data(report.to_string());
    } else {
        table::facts(
            printer,
            &[
                ("daemon", format!("running (pid {})", found.pid)),
                ("url", found.url),
                ("version", found.version),
                ("since", found.started_at),
                ("vault", vault),
            ],
        );
    }
    Ok(Exit::Done)
}
