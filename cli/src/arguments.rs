//! What the command line accepts. Parsing only: what a command does stands in `commands`.

#![expect(clippy::doc_markdown, reason = "the comments are the help text, shown as it stands")]

mod action;
mod approval;
mod audit;
#[cfg(feature = "runtime")]
mod author;
mod binding;
mod grant;
mod groups;
mod hub;
mod launch;
mod upkeep;
mod vault;

use clap::{Parser, Subcommand};

pub(crate) use action::{ActionCommand, AddSuiteArguments, RunArguments};
pub(crate) use approval::{ApprovalCommand, ApproveArguments, DenyArguments};
pub(crate) use audit::{AuditCommand, AuditListArguments, VerifyArguments};
pub(crate) use binding::{
    BindingCommand, BindingRebindArguments, BindingSetupArguments, SignIn, ValueArguments,
};
pub(crate) use grant::{GrantArguments, GrantCaller};
#[cfg(feature = "runtime")]
pub(crate) use groups::ConnectorCheckArguments;
pub(crate) use groups::{
    ConnectorCommand, ConnectorInstallArguments, DaemonCommand, KeyringCommand, SecretCommand,
    SecretSetArguments, StatusSection, TokenCommand, TokenMintArguments,
};
pub(crate) use hub::{HubCommand, HubKind};
pub(crate) use launch::{
    ContainerArguments, LaunchArguments, LogLevel, SessionMcpArguments, SessionsCommand,
    SessionsListArguments,
};
pub(crate) use upkeep::{AcceptArguments, SyncArguments};
pub(crate) use vault::{
    RecoveryCommand, VaultAcceptOlderArguments, VaultCommand, VaultExportArguments,
    VaultImportArguments, VaultInitArguments, VaultListArguments, VaultPasswdArguments,
    VaultPutArguments, VaultScope, VaultUnlockArguments,
};

#[cfg(feature = "runtime")]
pub(crate) use author::{
    AuthorCommand, NewActionArguments, NewArguments, PackArguments, TestArguments,
};
#[cfg(feature = "runtime")]
pub(crate) use groups::{DaemonRunArguments, ServeArguments};

/// Where the page opens.
#[derive(Debug, Subcommand)]
pub(crate) enum OpenTarget {
    /// What waits for your decision
    Approvals,
    /// One approval
    Approval {
        /// Its id, as `aileron approval list` shows it
        id: String,
    },
}

/// Lets an AI agent act for you without ever holding your credentials.
#[derive(Debug, Parser)]
#[command(name = "aileron", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job from end to end, on a fresh home with sample servers
    #[cfg(feature = "runtime")]
    Demo {
        /// Leave the home and the daemon running for exploring
        #[arg(long)]
        keep: bool,
    },
    /// Start an agent with your actions as its tools
    Launch(LaunchArguments),
    /// Agent sessions; without a command, lists them
    Sessions {
        #[command(subcommand)]
        command: Option<SessionsCommand>,
        #[command(flatten)]
        list: SessionsListArguments,
    },
    #[command(hide = true)]
    SessionMcp(SessionMcpArguments),
    /// The web page in your browser, signed in; without an argument, its overview
    Open {
        #[command(subcommand)]
        target: Option<OpenTarget>,
    },
    /// Report the running runtime
    Status {
        /// Narrow the report to one section
        section: Option<StatusSection>,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Start, stop or look at the local daemon
    #[command(subcommand)]
    Daemon(DaemonCommand),
    /// Run some roles of a split deployment in this process
    #[cfg(feature = "runtime")]
    Serve(ServeArguments),
    /// Stop the local daemon (the same as `daemon stop`)
    Stop,
    /// The vault that holds your credentials
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Secrets kept in the vault
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Publishers whose signatures you trust
    #[command(subcommand)]
    Keyring(KeyringCommand),
    /// What publishers offer
    #[command(subcommand)]
    Hub(HubCommand),
    /// Connectors
    #[command(subcommand)]
    Connector(ConnectorCommand),
    /// Actions an agent may call
    #[command(subcommand)]
    Action(ActionCommand),
    /// Install the connectors your action files ask for, and report missing credentials
    Sync(SyncArguments),
    /// Credentials bound to connectors
    #[command(subcommand)]
    Binding(BindingCommand),
    /// Calls that wait for your decision
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// The log of everything that happened
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Tokens for programs that act without you
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print the version
    Version,
    /// Print a completion script for a shell
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: clap_complete::Shell,
    },
}
