//! `aileron binding …`, and the offer to bind that installs share.

use aileron_api::{
    Sensitive,
    bindings::{Binding, BindingFilter, BindingSetup, BindingSource, BindingSpec},
    packages::Connector,
};

use crate::{
    arguments::{BindingCommand, BindingSetupArguments},
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    table, terminal,
};

pub(super) async fn run(command: BindingCommand, connection: &Connection<'_>) -> Result<Exit> {
    let printer = connection.printer;
    match command {
        BindingCommand::Setup(arguments) => {
            let person = connection.person(None).await?;
            let done = setup(&arguments, connection, &person).await;
            person.leave().await;
            done?;
        }
        BindingCommand::List { connector, kind, json } => {
            let filter = BindingFilter { connector_fqn: connector, kind };
            let answer = connection.client.bindings(&filter).await?;
            if json {
                printer.data(answer.raw);
                return Ok(Exit::Done);
            }
            let rows = answer.value.items.into_iter().map(|binding| {
                let used =
                    binding.last_used_at.as_deref().map_or_else(|| "never".to_owned(), table::time);
                let status = status_of(&binding);
                [binding.name, binding.connector_fqn, status, used]
            });
            let nothing = "nothing is bound: aileron binding setup CONNECTOR";
            table::print(printer, nothing, ["BINDING", "CONNECTOR", "STATUS", "LAST USED"], rows);
        }
        BindingCommand::Inspect { name, json } => {
            let answer = connection.client.binding(&name).await?;
            if json {
                printer.data(answer.raw);
            } else {
                inspect(printer, answer.value);
            }
        }
        BindingCommand::Revoke { name } => {
            let person = connection.person_of_vault().await?;
            let revoked = person.client.revoke_binding(&name).await;
            person.leave().await;
            revoked?;
            printer.tick(format!("{name} is revoked"));
        }
    }
    Ok(Exit::Done)
}

/// Offers to bind what an installed connector needs; without a terminal it only says how.
pub(super) async fn offer(connection: &Connection<'_>, person: &Person, fqn: &str) -> Result<()> {
    let printer = connection.printer;
    let later = format!("bind it later: aileron binding setup {fqn}");
    if !terminal::present() {
        printer.say(format!("{fqn} needs a credential; {later}"));
        return Ok(());
    }
    let connector = find(person, fqn).await?;
    if !consent(printer, &connector)? {
        printer.say(later);
        return Ok(());
    }
    let value = terminal::hidden("Credential: ")?;
    let spec = BindingSpec {
        identity: "default".to_owned(),
        service: None,
        source: source(&connector, value),
        account: None,
    };
    bind(printer, person, &connector, spec).await
}

/// Says which bindings a changed connector left without a matching consent.
pub(super) fn mention_stale(printer: Printer, names: &[String]) {
    for name in names {
        printer.cross(format!(
            "{name} is stale: the connector now reaches hosts you did not consent to; \
             bind it again to allow them"
        ));
    }
}

async fn setup(
    arguments: &BindingSetupArguments,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<()> {
    let connector = find(person, &arguments.fqn).await?;
    if !arguments.yes && !consent(connection.printer, &connector)? {
        return Err(Failure::Declined);
    }
    let value = match &arguments.value_file {
        Some(path) => terminal::from_file(path)?,
        None if terminal::present() => terminal::hidden("Credential: ")?,
        None => terminal::piped()?,
    };
    let spec = BindingSpec {
        identity: arguments.identity.clone(),
        service: arguments.service.clone(),
        source: source(&connector, value),
        account: arguments.account.clone(),
    };
    bind(connection.printer, person, &connector, spec).await
}

async fn find(person: &Person, fqn: &str) -> Result<Connector> {
    let installed = person.client.connectors().await?.value.items;
    installed.into_iter().rfind(|connector| connector.fqn == fqn).ok_or_else(|| {
        Failure::plain(format!("{fqn} is not installed: aileron connector install {fqn}"))
    })
}

fn consent(printer: Printer, connector: &Connector) -> Result<bool> {
    let Some(need) = &connector.capabilities.credential else {
        return Err(Failure::plain(format!("{} needs no credential", connector.fqn)));
    };
    printer.say(format!("{} asks for a credential ({}).", connector.fqn, need.kind));
    if let Some(scope) = &need.scope {
        printer.say(format!("  For: {scope}"));
    }
    printer.say("  It will be sent to these hosts and no others:");
    for host in &connector.capabilities.network_hosts {
        printer.say(format!("    {host}"));
    }
    terminal::confirm(printer, "Bind a credential?")
}

fn source(connector: &Connector, value: Sensitive) -> BindingSource {
    let kind = connector.capabilities.credential.as_ref().map(|need| need.kind.clone());
    BindingSource { kind: kind.unwrap_or_else(|| "api_key".to_owned()), value: Some(value) }
}

async fn bind(
    printer: Printer,
    person: &Person,
    connector: &Connector,
    spec: BindingSpec,
) -> Result<()> {
    let body = BindingSetup {
        connector_fqn: connector.fqn.clone(),
        bindings: vec![spec],
        skip_existing: true,
        hosts: Some(connector.capabilities.network_hosts.clone()),
    };
    let result = person.client.set_up_bindings(&body).await?.value;
    for binding in result.created {
        printer.tick(format!("{} is bound", binding.name));
    }
    for name in result.skipped {
        printer.say(format!("{name} exists and was left as it is"));
    }
    Ok(())
}

fn inspect(printer: Printer, binding: Binding) {
    let status = status_of(&binding);
    table::facts(
        printer,
        &[
            ("binding", binding.name),
            ("kind", binding.kind),
            ("connector", binding.connector_fqn),
            ("status", status),
            ("hosts", binding.hosts.unwrap_or_default().join(" ")),
            ("scope", binding.scope.unwrap_or_default()),
            ("account", binding.account.unwrap_or_default()),
            ("created", table::time(&binding.created_at)),
            (
                "last used",
                binding.last_used_at.as_deref().map_or_else(|| "never".to_owned(), table::time),
            ),
        ],
    );
}

fn status_of(binding: &Binding) -> String {
    let status = binding.status.map(|status| status.to_string()).unwrap_or_default();
    match &binding.stale_reason {
        Some(reason) => format!("{status} ({reason})"),
        None => status,
    }
}
