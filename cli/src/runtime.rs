//! The one file that links the runtime: the daemon, an author's work, the demo's servers.

use aileron_node::Flags;

use crate::{
    arguments::{DaemonRunArguments, ServeArguments},
    exit::Exit,
    failure::{Failure, Result},
};

pub(crate) use aileron_node::{Environment, author, demo};

/// Runs the daemon with all roles, until it is asked to stop.
pub(crate) async fn daemon(
    arguments: DaemonRunArguments,
    environment: &Environment,
) -> Result<Exit> {
    run(Vec::new(), arguments, environment).await
}

/// Runs the daemon with some roles.
pub(crate) async fn serve(arguments: ServeArguments, environment: &Environment) -> Result<Exit> {
    run(arguments.roles, arguments.run, environment).await
}

async fn run(
    roles: Vec<String>,
    arguments: DaemonRunArguments,
    environment: &Environment,
) -> Result<Exit> {
    let DaemonRunArguments { config, listen, log, until_input_ends } = arguments;
    let flags = Flags { config, listen, roles, log, until_input_ends };
    match Box::pin(aileron_node::daemon::run(environment, &flags)).await {
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(Failure::plain(explain(&error))),
    }
}

/// The daemon's own terminal may see the causes: nothing else does.
fn explain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string())
        .chain(causes.map(|cause| format!("  because: {cause}")))
        .collect::<Vec<_>>()
        .join("\n")
}
