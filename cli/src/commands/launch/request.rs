//! What to launch: our flags stand before the agent or right after it, the rest is the agent's.

use std::ffi::OsString;

use clap::ValueEnum as _;

use super::agent::Agent;
use crate::arguments::{ContainerArguments, LaunchArguments, LogLevel};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) agent: Agent,
    pub(super) log_level: LogLevel,
    pub(super) arguments: Vec<OsString>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("unknown agent: {0:?}")]
    Agent(String),
    #[error(
        "the container sandbox is not there yet, and an agent is not run on this machine unless \
         you say so: aileron launch --local AGENT"
    )]
    NotLocal,
    #[error("--local and --sandbox contradict each other")]
    Both,
    #[error("--log-level: trace, debug, info, warn or error")]
    LogLevel,
}

impl Request {
    /// None without an agent.
    pub(super) fn read(arguments: LaunchArguments) -> Result<Option<Self>, Unfit> {
        let LaunchArguments { mut local, mut log_level, sandbox, container, command } = arguments;
        let mut sandbox = sandbox.is_some() || container.any();
        let mut words = command.into_iter().peekable();
        let Some(name) = words.next() else { return Ok(None) };
        let name = name.to_string_lossy().into_owned();
        let agent = Agent::named(&name).ok_or(Unfit::Agent(name))?;
        while let Some(word) = words.peek().and_then(|word| word.to_str()) {
            if word == "--local" {
                local = true;
            } else if word == "--log-level" {
                words.next();
                log_level = level(words.peek().and_then(|word| word.to_str()))?;
            } else if let Some(value) = word.strip_prefix("--log-level=") {
                log_level = level(Some(value))?;
            } else if !local && (word == "--sandbox" || word.starts_with("--sandbox=")) {
                // With --local it is the agent's own: codex has one.
                sandbox = true;
            } else if !local && let Some(whole) = of_container(word) {
                sandbox = true;
                if !whole {
                    words.next();
                }
            } else {
                break;
            }
            words.next();
        }
        // What follows is the agent's, whatever it looks like.
        words.next_if(|word| word == "--");
        match (local, sandbox) {
            (true, true) => Err(Unfit::Both),
            (false, _) => Err(Unfit::NotLocal),
            (true, false) => Ok(Some(Self { agent, log_level, arguments: words.collect() })),
        }
    }
}

/// Is this a setting of the container? And does its value stand in the same word?
fn of_container(word: &str) -> Option<bool> {
    let (name, value) =
        word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    ContainerArguments::NAMES.contains(&name).then_some(value.is_some())
}

fn level(word: Option<&str>) -> Result<LogLevel, Unfit> {
    word.and_then(|word| LogLevel::from_str(word, true).ok()).ok_or(Unfit::LogLevel)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn read(line: &str) -> Result<Option<Request>, Unfit> {
        let words = ["aileron", "launch"].into_iter().chain(line.split_whitespace());
        match Arguments::try_parse_from(words).unwrap().command {
            Command::Launch(arguments) => Request::read(arguments),
            other => panic!("{other:?}"),
        }
    }

    fn launched(line: &str) -> (Agent, LogLevel, Vec<OsString>) {
        let Request { agent, log_level, arguments } = read(line).unwrap().unwrap();
        (agent, log_level, arguments)
    }

    #[test]
    fn flags_stand_before_the_agent_or_after_it_and_the_rest_is_the_agents() {
        let words = |line: &str| line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        let debug = LogLevel::Debug;
        for line in [
            "--local --log-level debug claude -p x --local",
            "claude --local --log-level=debug -p x --local",
            "--local claude --log-level debug -- -p x --local",
        ] {
            assert_eq!(launched(line), (Agent::Claude, debug, words("-p x --local")), "{line}");
        }
        let codex = launched("--local codex --sandbox read-only exec x");
        assert_eq!(codex, (Agent::Codex, LogLevel::Info, words("--sandbox read-only exec x")));
    }

    #[test]
    fn nothing_runs_on_this_machine_without_being_told() {
        for line in ["claude", "--sandbox claude", "--sandbox=docker claude", "claude --sandbox"] {
            assert_eq!(read(line), Err(Unfit::NotLocal), "{line}");
        }
        assert_eq!(read("claude --sandbox --local"), Err(Unfit::Both));
        for name in ContainerArguments::NAMES {
            for line in [
                format!("{name} auto claude"),
                format!("{name}=auto claude -p x"),
                format!("claude {name} auto -p x"),
                format!("claude {name}=auto"),
                format!("--sandbox {name}=auto claude"),
            ] {
                assert_eq!(read(&line), Err(Unfit::NotLocal), "{line}");
            }
            assert_eq!(read(&format!("claude {name} auto --local")), Err(Unfit::Both));
        }
        assert_eq!(read("--local nope"), Err(Unfit::Agent("nope".to_owned())));
        assert_eq!(read("--local claude --log-level loud"), Err(Unfit::LogLevel));
        assert_eq!(read("--local"), Ok(None));
    }
}
