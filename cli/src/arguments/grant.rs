//! `aileron approval grant …`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct GrantArguments {
    /// The installed action's name
    pub(crate) action: String,
    /// An argument that must have exactly this value; converted to the declared type
    #[arg(long = "arg", value_name = "KEY=VALUE")]
    pub(crate) arg: Vec<String>,
    /// An argument that may have any value
    #[arg(long, value_name = "KEY")]
    pub(crate) any: Vec<String>,
    /// An argument that has to be left out
    #[arg(long, value_name = "KEY")]
    pub(crate) without: Vec<String>,
    #[command(flatten)]
    pub(crate) caller: GrantCaller,
    /// How many calls at most
    #[arg(long, value_name = "N")]
    pub(crate) max_uses: u32,
    /// For how long, such as 30m, 8h or 7d
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires: String,
    /// The account that calls have to ask for
    #[arg(long)]
    pub(crate) identity: Option<String>,
    /// Show what becomes possible, but do not ask; needed where there is no terminal
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print the runtime's answer as it is
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whom the grant is for.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct GrantCaller {
    /// The agent session that may call: aileron sessions list --active
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// The minted token whose program may call: aileron token list
    #[arg(long, value_name = "ID")]
    pub(crate) token: Option<String>,
}
