//! `aileron connector …`.

use aileron_api::packages::{ConnectorPreview, InstallConnectorRequest};

use super::{
    binding,
    install::{self, Memo},
};
use crate::{
    arguments::ConnectorCommand,
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    table, terminal,
};

pub(super) async fn run(command: ConnectorCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        ConnectorCommand::Install(arguments) => {
            let version = arguments.version.as_deref();
            let (fqn, version) = install::versioned(&arguments.fqn, version)?;
            let person = connection.person(None).await?;
            let expected_hash = arguments.hash;
            let request = InstallConnectorRequest { fqn, version, expected_hash };
            let done = add(request, arguments.yes, connection, &person).await;
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

async fn add(
    request: InstallConnectorRequest,
    yes: bool,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<()> {
    install::ensure_trust(connection, person, &mut Memo::default(), &request.fqn, yes).await?;
    consent(connection.printer, person, &request, yes).await?;
    let working = connection.printer.working("installing");
    let installed = person.client.install_connector(&request).await;
    drop(working);
    let installed = installed?.value;
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

/// Shows what the connector may do and asks once. An installed one needs no question.
pub(super) async fn consent(
    printer: Printer,
    person: &Person,
    request: &InstallConnectorRequest,
    yes: bool,
) -> Result<()> {
    let working = printer.working("fetching and verifying the connector");
    let preview = person.client.preview_connector(request).await;
    drop(working);
    let preview = match preview {
        // A token that may install but not look was minted by a person: that was the consent.
        Err(error) if yes && Failure::lacks_right(&error) => return Ok(()),
        answer => answer?.value,
    };
    if preview.already_installed {
        return Ok(());
    }
    show(printer, &preview);
    if yes || terminal::confirm(printer, "Install?")? { Ok(()) } else { Err(Failure::Declined) }
}

fn show(printer: Printer, preview: &ConnectorPreview) {
    printer.say("Connector install preview");
    printer.say(format!("  FQN:       {}", preview.fqn));
    printer.say(format!("  Version:   {}", preview.version));
    printer.say(format!("  Hash:      {}", preview.hash));
    printer.say(format!("  Publisher: {}", preview.publisher));
    let key = preview.fingerprint.as_deref().unwrap_or_default();
    printer.say(format!("  Signature: {} {key}", preview.signature_status));
    printer.say("  Network access:");
    for host in &preview.capabilities.network_hosts {
        printer.say(format!("    {host}"));
    }
    if preview.capabilities.network_hosts.is_empty() {
        printer.say("    none");
    }
    if let Some(need) = &preview.capabilities.credential {
        let scope = need.scope.as_deref().map(|scope| format!(" ({scope})")).unwrap_or_default();
        printer.say(format!("  Credential required: {}{scope}", need.kind));
    }
}
