//! `aileron binding …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum BindingCommand {
    /// Bind a credential to a connector, for the hosts it declares
    Setup(BindingSetupArguments),
    /// List bindings
    List {
        /// Only bindings of this connector
        #[arg(long, value_name = "FQN")]
        connector: Option<String>,
        /// Only bindings of this kind, such as api_key
        #[arg(long)]
        kind: Option<String>,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Show one binding; never its value
    Inspect {
        /// The binding, such as api_key/linear/work
        name: String,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Replace a binding's credential with a fresh one
    Rebind(BindingRebindArguments),
    /// Sign in at the provider again, keeping the binding's name
    Reauthorize(ReauthorizeArguments),
    /// Choose the binding that is used where several fit
    Default {
        /// The binding, such as api_key/linear/work
        name: String,
    },
    /// Remove a binding, here and at its provider
    Revoke {
        /// The binding, such as api_key/linear/work
        name: String,
        /// Revoke without being asked
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BindingSetupArguments {
    /// The installed connector
    pub(crate) fqn: String,
    /// Whose account it is
    #[arg(long, default_value = "default")]
    pub(crate) identity: String,
    /// The service part of the binding's name
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// A note on which account it is
    #[arg(long)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) value: ValueArguments,
    #[command(flatten)]
    pub(crate) sign_in: SignIn,
    /// Consent to the hosts and scopes without being asked
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BindingRebindArguments {
    /// The binding, such as api_key/linear/work
    pub(crate) name: String,
    /// Agree to the hosts the connector declares now, and keep the stored credential
    #[arg(long, conflicts_with_all = KEPT)]
    pub(crate) keep_value: bool,
    #[command(flatten)]
    pub(crate) value: ValueArguments,
    #[command(flatten)]
    pub(crate) sign_in: SignIn,
    /// Consent to the hosts and scopes without being asked
    #[arg(long)]
    pub(crate) yes: bool,
}

/// What says something about a value that is not the stored one.
const KEPT: [&str; 6] =
    ["value_file", "access_key_id", "session_token_file", "region", "no_browser", "device"];

#[derive(Debug, Args)]
pub(crate) struct ReauthorizeArguments {
    /// The binding, such as oauth2/google/work
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) sign_in: SignIn,
    /// Consent to the hosts and scopes without being asked
    #[arg(long)]
    pub(crate) yes: bool,
}

/// A credential that the person has at hand.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ValueArguments {
    /// Read the credential from a file instead of asking
    #[arg(long, value_name = "PATH")]
    pub(crate) value_file: Option<PathBuf>,
    /// The id that goes with a signing key (AWS)
    #[arg(long, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// Read the session token that goes with a signing key from a file
    #[arg(long, value_name = "PATH")]
    pub(crate) session_token_file: Option<PathBuf>,
    /// Where a signing key is used, when there are several
    #[arg(long)]
    pub(crate) region: Option<String>,
}

/// How to sign in at a provider.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct SignIn {
    /// Print the address of the page instead of opening it
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Sign in on another machine, with a code
    #[arg(long, conflicts_with = "no_browser")]
    pub(crate) device: bool,
}
