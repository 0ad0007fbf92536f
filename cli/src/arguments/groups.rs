//! The other groups of commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusSection {
    Runtime,
    Notifications,
    Vault,
    HostBindings,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Start the daemon in the background, or print where it already runs
    Start,
    /// Stop the daemon
    Stop,
    /// Is the daemon running, and is its vault open?
    Status {
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the daemon in this terminal
    #[cfg(feature = "runtime")]
    Run(DaemonRunArguments),
}

#[cfg(feature = "runtime")]
#[derive(Clone, Debug, Args)]
pub(crate) struct DaemonRunArguments {
    /// The configuration file, instead of config.yaml in the state folder
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The address to listen on, such as 127.0.0.1:0
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// What to log: trace, debug, info, warn, error or a filter
    #[arg(long)]
    pub(crate) log: Option<String>,
    /// End when standard input does: for a program whose daemon must not outlive it
    #[arg(long, hide = true)]
    pub(crate) until_input_ends: bool,
}

#[cfg(feature = "runtime")]
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArguments {
    /// Roles of this process: gateway, executor, vault, audit, launcher
    #[arg(long, value_name = "ROLES", value_delimiter = ',', required = true)]
    pub(crate) roles: Vec<String>,
    #[command(flatten)]
    pub(crate) run: DaemonRunArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Store a secret; its value is asked for, or read from standard input
    Set(SecretSetArguments),
    /// List the names of secrets
    List {
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Delete a secret
    Delete {
        /// The secret's name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SecretSetArguments {
    /// The secret's name
    pub(crate) name: String,
    /// Read the vault passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyringCommand {
    /// Make a key pair to sign your own connectors and actions with
    #[cfg(feature = "runtime")]
    Generate {
        /// The folder for the key's files
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
    },
    /// Trust a publisher's signing key
    Trust {
        /// github://owner or github://owner/repo
        authority: String,
        /// Trust the key in this file instead of the published one
        #[arg(long, value_name = "PATH", conflicts_with = "key")]
        key_file: Option<PathBuf>,
        /// Trust this key (base64) instead of the published one
        #[arg(long, value_name = "BASE64")]
        key: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List trusted publishers and their fingerprints
    List {
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Stop trusting a publisher, or one key
    #[command(group = clap::ArgGroup::new("which").required(true).multiple(false))]
    Revoke {
        /// github://owner or github://owner/repo
        #[arg(group = "which")]
        authority: Option<String>,
        /// One key, by its fingerprint
        #[arg(long, value_name = "FINGERPRINT", group = "which")]
        key: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorCommand {
    #[cfg(feature = "runtime")]
    #[command(flatten)]
    Author(super::AuthorCommand),
    /// Look for newer versions of the connectors in use, or check a project's files
    Check(ConnectorCheckArguments),
    /// Fetch, verify and install a connector
    Install(ConnectorInstallArguments),
    /// List installed connectors
    List {
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ConnectorCheckArguments {
    /// A connector's project: check every file of it instead, all problems at once
    #[cfg(feature = "runtime")]
    pub(crate) project: Option<PathBuf>,
    /// Count pre-releases too
    #[arg(long)]
    #[cfg_attr(feature = "runtime", arg(conflicts_with = "project"))]
    pub(crate) include_prerelease: bool,
    /// Print the runtime's answer, or the project's problems, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectorInstallArguments {
    /// The connector, such as github://owner/repo, with or without @version, or files of your own:
    /// an aileron.tar.gz, or a folder with one or with its files
    pub(crate) fqn: String,
    /// The version to install, instead of the newest
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// Refuse anything but these bytes
    #[arg(long, value_name = "sha256:…")]
    pub(crate) hash: Option<String>,
    /// Answer every question with yes
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Mint a token for a program; it is shown once
    Mint(TokenMintArguments),
    /// List tokens
    List {
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token
    Revoke {
        /// The token's id
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenMintArguments {
    /// What the token is for
    #[arg(long)]
    pub(crate) label: String,
    /// Rights, such as actions:run,actions:list
    #[arg(long, value_delimiter = ',', required = true)]
    pub(crate) scopes: Vec<String>,
    /// How many days it lives
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) days: u16,
    /// Print the runtime's answer as it is
    #[arg(long)]
    pub(crate) json: bool,
}
