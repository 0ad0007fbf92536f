//! `aileron sync`, `aileron action drift` and `aileron action accept`.

use clap::Args;

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct SyncArguments {
    /// Bind every credential that is missing before exiting
    #[arg(long)]
    pub(crate) bind_all: bool,
    /// Answer every question with yes
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print the runtime's answer as it is
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(false))]
pub(crate) struct AcceptArguments {
    /// The action's name
    #[arg(group = "what")]
    pub(crate) name: Option<String>,
    /// Everything that waits, after one look at all of it
    #[arg(long, group = "what")]
    pub(crate) all: bool,
    /// The lockfile: it is written anew, and what stands there is kept beside it
    #[arg(long, group = "what")]
    pub(crate) lock: bool,
    /// Do not ask; for a person, not for a token
    #[arg(long)]
    pub(crate) yes: bool,
}
