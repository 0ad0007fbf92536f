//! `aileron connector …`.

mod decision;
mod preview;

use aileron_api::packages::InstallConnectorRequest;

use super::{
    binding, check,
    install::{self, Memo},
    package::{self, Wanted},
};
use crate::{
    arguments::{ConnectorCommand, ConnectorInstallArguments},
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    progress::watched,
    table, terminal,
};

pub(super) async fn run(command: ConnectorCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        // Handled before a connection was made.
        #[cfg(feature = "runtime")]
        ConnectorCommand::Author(_) => {}
        ConnectorCommand::Check(arguments) => {
            return check::run(connection, arguments.include_prerelease, arguments.json).await;
        }
        ConnectorCommand::Install(arguments) => {
            let person = connection.person(None).await?;
            let done = install_wanted(arguments, connection, &person).await;
            person.leave().await;
            done?;
        }
        ConnectorCommand::List { json } => {
            let answer = connection.client.connectors().await?;
            if json {
                connection.printer.data(answer.raw);
                return Ok(Exit::Done);
            }
            let rows = answer.value.items.into_iter().map(|connector| {
                let hosts = connector.capabilities.network_hosts.join(" ");
                [connector.fqn, connector.version, hosts]
            });
            let nothing = "no connectors are installed";
            table::print(connection.printer, nothing, ["CONNECTOR", "VERSION", "HOSTS"], rows);
        }
    }
    Ok(Exit::Done)
}

async fn install_wanted(
    arguments: ConnectorInstallArguments,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<()> {
    let ConnectorInstallArguments { fqn, version, hash, yes } = arguments;
    let Wanted { fqn, version, hash: own } =
        package::wanted(connection, person, "connector", &fqn, version.as_deref()).await?;
    let request = InstallConnectorRequest { fqn, version, expected_hash: hash.or(own) };
    add(request, yes, connection, person).await
}

async fn add(
    request: InstallConnectorRequest,
    yes: bool,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<()> {
    let mut memo = Memo::default();
    if request.expected_hash.is_none() {
        decision::decide(connection, person, &mut memo, &request.fqn, yes).await?;
    }
    install::ensure_trust(connection, person, &mut memo, &request.fqn, yes).await?;
    // What was shown is what is installed, to the byte.
    let shown = consent(connection.printer, person, &request, yes).await;
    let shown = memo.reminded(connection.printer, shown)?;
    let expected_hash = shown.or(request.expected_hash);
    let request = InstallConnectorRequest { expected_hash, ..request };
    let doing = format!("installing {}", request.fqn);
    let installed = person.client.install_connector(&request);
    let installed = watched(connection.printer, &person.client, doing, installed).await?.value;
    let package = format!("{}@{}", installed.fqn, installed.version);
    if installed.already_installed {
        connection.printer.say(format!("Already installed: {package}"));
    } else {
        connection.printer.tick(format!("Installed {package}"));
        connection.printer.say(format!("  {}", installed.hash));
    }
    binding::mention_stale(connection.printer, &installed.newly_stale_bindings);
    Ok(())
}

/// Shows what the connector may do and asks once. An installed one needs no question. Returns the
/// hash of what was shown.
pub(super) async fn consent(
    printer: Printer,
    person: &Person,
    request: &InstallConnectorRequest,
    yes: bool,
) -> Result<Option<String>> {
    let doing = format!("fetching and verifying {}", request.fqn);
    let preview = person.client.preview_connector(request);
    let preview = match watched(printer, &person.client, doing, preview).await {
        // A token that may install but not look was minted by a person: that was the consent.
        Err(error) if yes && Failure::lacks_right(&error) => return Ok(None),
        answer => answer?.value,
    };
    if preview.already_installed {
        return Ok(Some(preview.hash));
    }
    preview::show(printer, &preview);
    if yes || terminal::confirm(printer, "Install?")? {
        Ok(Some(preview.hash))
    } else {
        Err(Failure::NotInstalled)
    }
}
