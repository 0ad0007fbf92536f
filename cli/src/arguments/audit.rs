//! `aileron audit …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List events, newest first
    List(AuditListArguments),
    /// Show one event in full
    Show {
        /// The event's id
        audit_id: String,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Export a receipt that proves one event to a stranger
    Receipt {
        /// The event's id
        audit_id: String,
    },
    /// Print the log's newest signed checkpoint: keep it elsewhere
    Checkpoint {
        /// Print the key that verifies the log instead
        #[arg(long)]
        key: bool,
    },
    /// Check the log, or one receipt, without asking the daemon
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub(crate) struct AuditListArguments {
    /// Only events at or after this time (RFC 3339)
    #[arg(long)]
    pub(crate) since: Option<String>,
    /// Only events before this time (RFC 3339)
    #[arg(long)]
    pub(crate) until: Option<String>,
    /// Only this event
    #[arg(long, value_name = "ID")]
    pub(crate) audit_id: Option<String>,
    /// Only events of this connector
    #[arg(long, value_name = "FQN")]
    pub(crate) connector: Option<String>,
    /// Only failures of this class
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Only events of this type, such as execution.failed
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// At most this many
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// Also show the person sessions that commands of yours opened and closed
    #[arg(long)]
    pub(crate) all: bool,
    /// Print the runtime's answer as it is; nothing is left out
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The folder that holds the log, instead of audit/ in the state folder
    #[arg(long, value_name = "DIR", conflicts_with = "receipt")]
    pub(crate) dir: Option<PathBuf>,
    /// A checkpoint kept elsewhere: the log must be a continuation of it
    #[arg(long, value_name = "FILE", conflicts_with = "receipt")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Check this receipt instead of the log
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) receipt: Option<PathBuf>,
    /// The log's public key, as text or as a file
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
