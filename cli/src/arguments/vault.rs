//! `aileron vault …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Create the vault
    Init(VaultInitArguments),
    /// Unlock the vault
    Unlock(VaultUnlockArguments),
    /// Forget every key until the next unlock
    Lock,
    /// Go on with an older vault file: a backup that you restored
    AcceptOlder(VaultAcceptOlderArguments),
    /// Change the passphrase
    Passwd(VaultPasswdArguments),
    /// Store an agent's login; its value is asked for, or read from a file or standard input
    Put(VaultPutArguments),
    /// Delete an entry, by its path as listed
    Delete {
        /// The path, such as agents/claude/oauth, user/github or api_key/linear/work
        path: String,
        /// Delete without being asked
        #[arg(long)]
        yes: bool,
    },
    /// List what the vault holds; never a value
    List(VaultListArguments),
    /// The recovery key: a second way into the vault
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// Write the whole vault to one file, encrypted under a passphrase of its own
    Export(VaultExportArguments),
    /// Take over what such a file holds
    Import(VaultImportArguments),
}

#[derive(Debug, Args)]
pub(crate) struct VaultUnlockArguments {
    /// Read the passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The passphrase is lost: open with the recovery key, and set a new passphrase
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) recovery: bool,
    /// Read the recovery key from a file
    #[arg(long, value_name = "PATH", requires = "recovery")]
    pub(crate) recovery_key_file: Option<PathBuf>,
    /// Read the new passphrase from a file
    #[arg(long, value_name = "PATH", requires = "recovery")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VaultAcceptOlderArguments {
    /// Read the file's passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Accept it without being asked
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VaultPutArguments {
    /// The login's path: agents/NAME/PURPOSE
    pub(crate) path: String,
    /// Read the value from a file, byte for byte
    #[arg(long, value_name = "PATH")]
    pub(crate) from_file: Option<PathBuf>,
    /// What kind of login it is; api_key and oauth_refresh_token go without saying
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecoveryCommand {
    /// Make a recovery key; it is shown once, and an earlier one stops working
    Add {
        /// Replace an earlier one without being asked
        #[arg(long)]
        yes: bool,
        /// Read the vault passphrase from a file
        #[arg(long, value_name = "PATH")]
        passphrase_file: Option<PathBuf>,
    },
    /// Make the recovery key worthless
    Remove {
        /// Remove it without being asked
        #[arg(long)]
        yes: bool,
        /// Read the vault passphrase from a file
        #[arg(long, value_name = "PATH")]
        passphrase_file: Option<PathBuf>,
    },
    /// Is there one?
    Status {
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct VaultExportArguments {
    /// Where to write it; never over a file that is there
    pub(crate) file: PathBuf,
    /// Read the file's own passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) export_passphrase_file: Option<PathBuf>,
    /// Read the vault passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VaultImportArguments {
    /// The exported file
    pub(crate) file: PathBuf,
    /// Let the file win where both have an entry
    #[arg(long)]
    pub(crate) replace: bool,
    /// Read the file's own passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) export_passphrase_file: Option<PathBuf>,
    /// Read the vault passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VaultInitArguments {
    /// Also make a recovery key, shown once
    #[arg(long)]
    pub(crate) recovery_key: bool,
    /// Read the passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VaultPasswdArguments {
    /// Read the current passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Read the new passphrase from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    /// Also replace the vault key and encrypt everything again
    #[arg(long)]
    pub(crate) rotate: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VaultListArguments {
    /// Only one typed namespace, or all of them
    #[arg(long)]
    pub(crate) scope: Option<VaultScope>,
    /// Only paths that start like this
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// Also list what a control plane keeps here
    #[arg(long)]
    pub(crate) include_control_plane: bool,
    /// Print the runtime's answer as it is
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VaultScope {
    Agent,
    User,
    /// Both of them
    All,
}
