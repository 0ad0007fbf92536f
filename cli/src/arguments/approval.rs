//! `aileron approval …`

use clap::{Args, Subcommand};

use super::GrantArguments;

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalCommand {
    /// List calls that wait for you
    List {
        /// Go on telling what comes and goes, until ctrl-c
        #[arg(long)]
        watch: bool,
        /// Print the runtime's answer as it is; with --watch, each event in a line
        #[arg(long)]
        json: bool,
    },
    /// Show a call that waits for you, in full, and decide nothing
    Show {
        /// The approval's id
        id: String,
        /// Print what the runtime tells of it as it is
        #[arg(long)]
        json: bool,
    },
    /// Let a call run, once, exactly as shown, and print what becomes of it
    Approve(ApproveArguments),
    /// Refuse a call, or all calls that wait of one agent session
    Deny(DenyArguments),
    /// Let calls run in advance: a few times, for one agent session or one token
    Grant(GrantArguments),
    /// List what was granted, and what became of it
    Grants {
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Take a grant back: such calls wait for you again
    Revoke {
        /// The grant's id
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DenyArguments {
    /// The approval's id
    #[arg(required_unless_present = "session")]
    pub(crate) id: Option<String>,
    /// Refuse all that waits of this session
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    pub(crate) session: Option<String>,
    /// Recorded with the decision, and told to the agent
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// With --session: do not ask; needed where there is no terminal
    #[arg(long, requires = "session")]
    pub(crate) yes: bool,
    /// With --session: print which were denied as the runtime tells it
    #[arg(long, requires = "session")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArguments {
    /// The approval's id
    pub(crate) id: String,
    /// Recorded with the decision
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Show the call, but do not ask; needed where there is no terminal
    #[arg(long)]
    pub(crate) yes: bool,
    /// Decide, and do not wait for what becomes of the call
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Print the runtime's answer on what became of it as it is
    #[arg(long, conflicts_with = "no_wait")]
    pub(crate) json: bool,
}
