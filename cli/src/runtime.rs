//! The one file that links the runtime: the daemon, an author's work, the demo's servers.

use std::path::PathBuf;

use aileron_node::{Environment, Flags};

use crate::{
    arguments::{DaemonRunArguments, ServeArguments},
    exit::Exit,
    failure::{Failure, Result},
};

pub(crate) use aileron_node::{author, demo};

/// Where cargo keeps its registry.
pub(crate) fn crates() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match (variable("CARGO_HOME"), variable("HOME")) {
        (Some(own), _) => PathBuf::from(own),
        (None, Some(home)) => PathBuf::from(home).join(".cargo"),
        (None, None) => PathBuf::from(".cargo"),
    }
}

/// Runs the daemon with all roles, until it is asked to stop.
pub(crate) async fn daemon(arguments: DaemonRunArguments) -> Result<Exit> {
    run(Vec::new(), arguments).await
}

/// Runs the daemon with some roles.
pub(crate) async fn serve(arguments: ServeArguments) -> Result<Exit> {
    run(arguments.roles, arguments.run).await
}

async fn run(roles: Vec<String>, arguments: DaemonRunArguments) -> Result<Exit> {
    let DaemonRunArguments { config, listen, log, until_input_ends } = arguments;
    let flags = Flags { config, listen, roles, log, until_input_ends };
    let environment = Environment::new(std::env::vars_os());
    match Box::pin(aileron_node::daemon::run(&environment, &flags)).await {
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
