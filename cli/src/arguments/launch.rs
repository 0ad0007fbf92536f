//! `aileron launch …` and `aileron sessions …`

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct LaunchArguments {
    /// Run the agent on this machine, with your files and your rights
    #[arg(long)]
    pub(crate) local: bool,
    /// What the session's log file holds
    #[arg(long, value_enum, default_value = "info")]
    pub(crate) log_level: LogLevel,
    /// Run the agent in a container: not there yet
    #[arg(long, value_name = "MODE", num_args = 0..=1, default_missing_value = "auto",
          require_equals = true, conflicts_with = "local")]
    pub(crate) sandbox: Option<String>,
    #[command(flatten)]
    pub(crate) container: ContainerArguments,
    /// The agent (claude, codex), the flags above once more, then the agent's own arguments
    #[arg(value_name = "AGENT", trailing_var_arg = true)]
    pub(crate) command: Vec<OsString>,
}

/// Published settings of the container, which is not there yet: whoever gives one is told so.
#[derive(Debug, Args)]
pub(crate) struct ContainerArguments {
    #[arg(long, value_name = "POLICY", hide = true, conflicts_with = "local")]
    pub(crate) sandbox_build: Option<String>,
    #[arg(long, value_name = "MODE", hide = true, conflicts_with = "local")]
    pub(crate) sandbox_proxy: Option<String>,
    #[arg(long, value_name = "MODE", hide = true, conflicts_with = "local")]
    pub(crate) host_login: Option<String>,
    #[arg(long, value_name = "METHOD", hide = true, conflicts_with = "local")]
    pub(crate) claude_auth: Option<String>,
}

impl ContainerArguments {
    /// As they are written.
    pub(crate) const NAMES: [&str; 4] =
        ["--sandbox-build", "--sandbox-proxy", "--host-login", "--claude-auth"];

    /// Was one given?
    pub(crate) fn any(&self) -> bool {
        let Self { sandbox_build, sandbox_proxy, host_login, claude_auth } = self;
        [sandbox_build, sandbox_proxy, host_login, claude_auth].into_iter().any(Option::is_some)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Started by an agent, not by a person: hands the session's file to `aileron-mcp`.
#[derive(Debug, Args)]
pub(crate) struct SessionMcpArguments {
    /// The session's MCP configuration
    pub(crate) file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List agent sessions, newest first
    List(SessionsListArguments),
    /// Show one session
    Get {
        /// The session's id
        id: String,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Show what a session does, as it happens, until it ends
    Watch {
        /// The session's id
        id: String,
        /// Print what there is, then stop
        #[arg(long)]
        no_follow: bool,
        /// Print each event as JSON, one a line
        #[arg(long)]
        json: bool,
    },
    /// End a session: its token stops working at once, its agent's process goes on
    End {
        /// The session's id
        id: String,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Default, Args)]
pub(crate) struct SessionsListArguments {
    /// Only those that run
    #[arg(long)]
    pub(crate) active: bool,
    /// Only this agent's
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<String>,
    /// Only those started at or after this time (RFC 3339)
    #[arg(long, value_name = "RFC3339")]
    pub(crate) since: Option<String>,
    /// At most this many
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// Print the runtime's answer as it is
    #[arg(long)]
    pub(crate) json: bool,
}
