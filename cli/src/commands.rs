//! One module per group of commands; each command is a function of its arguments.

mod action;
mod approval;
mod audit;
#[cfg(feature = "runtime")]
mod author;
mod binding;
mod check;
mod connector;
mod daemon;
#[cfg(feature = "runtime")]
mod demo;
mod drift;
mod hub;
mod install;
mod keyring;
mod launch;
mod open;
mod package;
mod run;
mod secret;
mod sessions;
mod status;
mod suite;
mod sync;
mod token;
mod vault;
mod verify;

use clap::CommandFactory as _;

#[cfg(feature = "runtime")]
use crate::arguments::{ConnectorCheckArguments, ConnectorCommand, KeyringCommand};
use crate::{
    arguments::{ActionCommand, Arguments, AuditCommand, Command, DaemonCommand, StatusSection},
    connection::{Connection, Settings},
    exit::Exit,
    failure::Result,
    printer::Printer,
};

/// Does what the command line asks.
pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<Exit> {
    match command {
        // Commands that need no running daemon.
        Command::Version => {
            printer.data(concat!("aileron ", env!("CARGO_PKG_VERSION")));
            Ok(Exit::Done)
        }
        Command::Completions { shell } => {
            completions(shell, printer);
            Ok(Exit::Done)
        }
        Command::Stop | Command::Daemon(DaemonCommand::Stop) => {
            daemon::stop(settings, printer).await
        }
        Command::Daemon(DaemonCommand::Start) => daemon::start(settings, printer).await,
        Command::Daemon(DaemonCommand::Status { json }) => {
            daemon::status(settings, printer, json).await
        }
        Command::Status { section: Some(StatusSection::HostBindings), json } => {
            status::host_bindings(&settings.home, json, printer)
        }
        Command::Audit(AuditCommand::Verify(arguments)) => {
            verify::verify(&arguments, settings, printer)
        }
        #[cfg(feature = "runtime")]
        Command::Daemon(DaemonCommand::Run(arguments)) => {
            crate::runtime::daemon(arguments, &settings.process.own.environment).await
        }
        #[cfg(feature = "runtime")]
        Command::Serve(arguments) => {
            crate::runtime::serve(arguments, &settings.process.own.environment).await
        }
        #[cfg(feature = "runtime")]
        Command::Connector(ConnectorCommand::Author(command)) => {
            author::run(command, &settings.process.own.crates, printer).await
        }
        #[cfg(feature = "runtime")]
        Command::Connector(ConnectorCommand::Check(ConnectorCheckArguments {
            project: Some(project),
            json,
            include_prerelease: _,
        })) => author::check(&project, json, printer).await,
        #[cfg(feature = "runtime")]
        Command::Keyring(KeyringCommand::Generate { out }) => author::key(&out, printer),
        #[cfg(feature = "runtime")]
        Command::Action(ActionCommand::New(arguments)) => author::action(&arguments, printer).await,
        #[cfg(feature = "runtime")]
        Command::Demo { keep } => Box::pin(demo::run(keep, &settings.process, printer)).await,
        Command::Launch(arguments) => Box::pin(launch::run(arguments, settings, printer)).await,
        Command::SessionMcp(arguments) => launch::serve_tools(&arguments.file),
        other => {
            let connection = Connection::open(settings, printer).await?;
            let command = Box::pin(connected(other, &connection));
            let done = Box::pin(connection.held.ended_with(command)).await;
            connection.held.close_all().await;
            done
        }
    }
}

fn completions(shell: clap_complete::Shell, printer: Printer) {
    let mut command = Arguments::command();
    // Into memory first: a reader that goes away is no reason to panic.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "aileron", &mut script);
    printer.data(String::from_utf8_lossy(&script).trim_end());
}

async fn connected(command: Command, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        Command::Status { section, json } => status::status(connection, section, json).await,
        Command::Open { target } => open::run(target, connection).await,
        Command::Vault(command) => vault::run(command, connection).await,
        Command::Secret(command) => secret::run(command, connection).await,
        Command::Keyring(command) => keyring::run(command, connection).await,
        Command::Hub(command) => hub::run(command, connection).await,
        Command::Connector(command) => connector::run(command, connection).await,
        Command::Action(ActionCommand::Run(arguments)) => run::run(&arguments, connection).await,
        Command::Action(command) => action::run(command, connection).await,
        Command::Sync(arguments) => sync::run(arguments, connection).await,
        Command::Binding(command) => binding::run(command, connection).await,
        Command::Approval(command) => approval::run(command, connection).await,
        Command::Audit(command) => audit::run(command, connection).await,
        Command::Sessions { command, list } => sessions::run(command, list, connection).await,
        Command::Token(command) => token::run(command, connection).await,
        // Handled before a connection was made.
        _ => Ok(Exit::Done),
    }
}
