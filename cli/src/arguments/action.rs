//! `aileron action …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AcceptArguments;

#[derive(Debug, Subcommand)]
pub(crate) enum ActionCommand {
    /// Add an action to a connector's project
    #[cfg(feature = "runtime")]
    New(super::NewActionArguments),
    /// Install an action, and the connectors it needs
    Add(AddArguments),
    /// Install a suite of actions in declaration order
    AddSuite(AddSuiteArguments),
    /// List installed actions
    List {
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Call an action
    Run(RunArguments),
    /// Offer a hidden action to agents again
    Enable {
        /// The installed action's name
        name: String,
    },
    /// Hide an action from agents without removing it
    Disable {
        /// The installed action's name
        name: String,
    },
    /// Show what is no longer as you accepted it, with its difference
    Drift {
        /// Only what became of this action
        name: Option<String>,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Accept something as it is now, after a look at the difference
    Accept(AcceptArguments),
    /// List what was run, and what became of it
    Runs {
        /// Only runs of this action
        #[arg(long)]
        action: Option<String>,
        /// Only runs in this state, such as parked or ambiguous
        #[arg(long)]
        state: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct AddArguments {
    /// The action, such as github://owner/repo/actions/name, with or without @version, or files of
    /// your own: an aileron.tar.gz, an action.md, or a folder with one
    pub(crate) fqn: String,
    /// The version to install, instead of the newest
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// Replace an installed action of that name
    #[arg(long)]
    pub(crate) force: bool,
    /// Answer every question with yes, but for actions that nobody signed
    #[arg(long)]
    pub(crate) yes: bool,
    /// Also install actions that nobody signed
    #[arg(long)]
    pub(crate) accept_unsigned: bool,
    /// Do not offer to bind credentials
    #[arg(long)]
    pub(crate) no_bind: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct AddSuiteArguments {
    /// SCHEME://OWNER/REPO/FILE@REF, or the path of a local file
    pub(crate) source: String,
    /// Replace installed actions of the same names
    #[arg(long)]
    pub(crate) force: bool,
    /// Answer every question with yes, but for actions that nobody signed
    #[arg(long)]
    pub(crate) yes: bool,
    /// Also install actions that nobody signed
    #[arg(long)]
    pub(crate) accept_unsigned: bool,
    /// Do not offer to bind credentials
    #[arg(long)]
    pub(crate) no_bind: bool,
    /// Bind every credential that is missing, without being asked for each
    #[arg(long, conflicts_with = "no_bind")]
    pub(crate) bind_all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The installed action's name
    pub(crate) name: String,
    /// One argument; the value is converted to the declared type
    #[arg(long = "arg", value_name = "KEY=VALUE", conflicts_with = "args")]
    pub(crate) arg: Vec<String>,
    /// All arguments, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) args: Option<String>,
    /// Whose account to use, where a connector has several
    #[arg(long)]
    pub(crate) identity: Option<String>,
    /// Print the runtime's answer as it is
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the successful run's audit id to a file
    #[arg(long, value_name = "PATH")]
    pub(crate) audit_id_out: Option<PathBuf>,
    /// A name for this call: repeating it returns the first outcome
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}
