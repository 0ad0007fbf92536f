//! The agent's process: it has this terminal, gets the signals this process gets, and its end is
//! ours.

use std::{ffi::OsString, io::IsTerminal as _, os::unix::process::ExitStatusExt as _, path::Path};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

use super::environment;
use crate::failure::{Failure, Result};

/// Runs the agent and returns its exit code; 128 and the signal when one ended it. Of our
/// `variables` it gets those that are not withheld.
pub(super) async fn to_its_end(
    program: &Path,
    arguments: &[OsString],
    variables: &[OsString],
) -> Result<i32> {
    let mut command = Command::new(program);
    command.args(arguments);
    for name in environment::withheld(variables) {
        command.env_remove(name);
    }
    let mut signals = Signals::take().map_err(|error| Failure::plain(error.to_string()))?;
    let failed = |error| Failure::file("start", program, error);
    let mut child = command.spawn().map_err(failed)?;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(failed)?;
                let signal = status.signal().map(|signal| 128_i32.saturating_add(signal));
                return Ok(status.code().or(signal).unwrap_or(1));
            }
            asked = signals.next() => pass_on(&child, asked),
        }
    }
}

/// What the terminal sends goes to the agent, too, which is in the same foreground: what is passed
/// on is only what was meant for this process alone.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    at_terminal: bool,
}

impl Signals {
    fn take() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            at_terminal: std::io::stdin().is_terminal(),
        })
    }

    async fn next(&mut self) -> Signal {
        loop {
            let (asked, of_terminal) = tokio::select! {
                _ = self.interrupt.recv() => (Signal::INT, true),
                _ = self.quit.recv() => (Signal::QUIT, true),
                _ = self.terminate.recv() => (Signal::TERM, false),
                _ = self.hang_up.recv() => (Signal::HUP, false),
            };
            if !(of_terminal && self.at_terminal) {
                return asked;
            }
        }
    }
}

fn pass_on(child: &Child, asked: Signal) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // One that has just ended needs it no more.
        let _gone = kill_process(pid, asked);
    }
}
