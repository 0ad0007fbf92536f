//! An author's commands: from a new project to the packages of a release. They need no daemon.

mod project;
mod release;
mod trial;

pub(super) use project::{action, check, key};

use std::path::Path;

use crate::{
    arguments::AuthorCommand,
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    runtime,
};

/// The commands of `aileron connector` that work on a project. `crates` is where cargo keeps its
/// registry.
pub(super) async fn run(command: AuthorCommand, crates: &Path, printer: Printer) -> Result<Exit> {
    match command {
        AuthorCommand::New(arguments) => project::create(&arguments, printer),
        AuthorCommand::Build { project } => project::build(&project, crates, printer),
        AuthorCommand::Test(arguments) => trial::run(arguments, printer).await,
        AuthorCommand::Pack(arguments) => release::pack(&arguments, printer),
        AuthorCommand::Sign { project, key } => release::sign(&project, &key, printer),
        AuthorCommand::Publish { project, dry_run: true, json } => {
            release::layout(&project, json, printer).await
        }
        AuthorCommand::Publish { .. } => {
            printer.error("publishing is what the repository's workflow does: push the tag");
            printer.say("  aileron connector publish --dry-run shows what it publishes");
            Ok(Exit::Misused)
        }
    }
}

/// What did not work, in its own words.
fn done<T>(result: runtime::author::Result<T>) -> Result<T> {
    result.map_err(|error| Failure::plain(error.public()))
}
