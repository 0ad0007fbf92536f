//! The agents that can be launched, where their programs are, and how each is told of its tools.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::{
    connection::Process,
    failure::{Failure, Result},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agent {
    Claude,
    Codex,
}

impl Agent {
    const ALL: [Self; 2] = [Self::Claude, Self::Codex];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agent| agent.name() == name)
    }

    /// As published; its program is called the same.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
        }
    }

    pub(super) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Ours first, then the person's own. Ours are single words: an argument of the person's cannot
    /// become part of one of them.
    pub(super) fn arguments(
        self,
        process: &Process,
        tools: &Path,
        own: &[OsString],
    ) -> Result<Vec<OsString>> {
        let mut arguments = match self {
            Self::Claude => claude(tools),
            Self::Codex => codex(process.program()?, tools)?,
        };
        arguments.extend(own.iter().cloned());
        Ok(arguments)
    }
}

fn claude(tools: &Path) -> Vec<OsString> {
    let mut configuration = OsString::from("--mcp-config=");
    configuration.push(tools);
    vec!["--allowedTools=Bash(*) mcp__aileron".into(), configuration]
}

/// Overrides for this one run: the person's own configuration and login stay where they are. They
/// name the session's file; what is secret is in it.
fn codex(program: &Path, tools: &Path) -> Result<Vec<OsString>> {
    let text = |path: &Path| match path.to_str() {
        Some(text) => Ok(serde_json::Value::from(text).to_string()),
        None => Err(Failure::plain(format!("{} is not UTF-8 text", path.display()))),
    };
    let (program, tools) = (text(program)?, text(tools)?);
    let overrides = [
        format!("mcp_servers.aileron.command={program}"),
        format!("mcp_servers.aileron.args=[\"session-mcp\",{tools}]"),
        // Codex would ask the person about each call once more, or refuse it where it cannot ask.
        // What needs a person waits for one here.
        "mcp_servers.aileron.default_tools_approval_mode=\"approve\"".to_owned(),
    ];
    Ok(overrides.into_iter().flat_map(|it| ["-c".into(), OsString::from(it)]).collect())
}

/// The MCP server of a session, but for its token.
pub(super) struct Tools {
    pub(super) program: PathBuf,
    /// Without `/v1`.
    pub(super) url: String,
    /// Where people find the web page.
    pub(super) page: String,
    pub(super) session: String,
}

/// The programs a launch needs.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) agent: PathBuf,
    pub(super) tools: PathBuf,
}

impl Program {
    pub(super) fn find(agent: Agent, process: &Process) -> Result<Self> {
        let name = agent.name();
        let on_path = |name: &str| on_path(name, process.path.as_deref());
        let found = on_path(name).ok_or_else(|| {
            Failure::plain(format!("{name} is not installed: no program of that name on the PATH"))
        })?;
        let beside = process.program.as_ref().map(|own| own.with_file_name("aileron-mcp"));
        let tools = beside.filter(|path| executable(path)).or_else(|| on_path("aileron-mcp"));
        let tools = tools.ok_or_else(|| {
            Failure::plain(
                "aileron-mcp is neither beside this program nor on the PATH: install it with \
                 `cargo install --locked --path cli/mcp`",
            )
        })?;
        Ok(Self { agent: found, tools })
    }
}

/// A relative folder would be another one in every place the person starts an agent.
fn on_path(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| executable(program))
}

fn executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn put(folder: &Path, name: &str, mode: u32) -> PathBuf {
        let file = folder.join(name);
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn programs_are_found_where_the_path_says_and_the_tools_beside_this_one_first() {
        let [own, bare, far] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        put(bare.path(), "claude", 0o644);
        let agent = put(far.path(), "claude", 0o755);
        let other = put(far.path(), "aileron-mcp", 0o755);
        let path = ["here".as_ref(), bare.path(), far.path()];
        let process = Process {
            program: Some(own.path().join("aileron")),
            path: Some(std::env::join_paths(path).unwrap()),
            ..Process::default()
        };
        let found = Program::find(Agent::Claude, &process).unwrap();
        assert_eq!((&found.agent, &found.tools), (&agent, &other));
        let beside = put(own.path(), "aileron-mcp", 0o755);
        assert_eq!(Program::find(Agent::Claude, &process).unwrap().tools, beside);
        assert!(Program::find(Agent::Codex, &process).is_err());
        let pathless = Process { path: None, ..process };
        assert!(Program::find(Agent::Claude, &pathless).is_err());
    }
}
