//! The agents that can be launched, where their programs are, and how each is told of its tools.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::failure::{Failure, Result};

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
    pub(super) fn arguments(self, tools: &Path, own: &[OsString]) -> Result<Vec<OsString>> {
        let mut arguments = match self {
            Self::Claude => claude(tools),
            Self::Codex => codex(tools)?,
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
fn codex(tools: &Path) -> Result<Vec<OsString>> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::plain(format!("cannot find this program: {error}")))?;
    let text = |path: &Path| match path.to_str() {
        Some(text) => Ok(serde_json::Value::from(text).to_string()),
        None => Err(Failure::plain(format!("{} is not UTF-8 text", path.display()))),
    };
    let (program, tools) = (text(&program)?, text(tools)?);
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
    pub(super) fn find(agent: Agent) -> Result<Self> {
        let name = agent.name();
        let found = on_path(name).ok_or_else(|| {
            Failure::plain(format!("{name} is not installed: no program of that name on the PATH"))
        })?;
        let beside = std::env::current_exe().ok().map(|own| own.with_file_name("aileron-mcp"));
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

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| executable(program))
}

fn executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
