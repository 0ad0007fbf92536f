//! `aileron binding …`, and the offer to bind that installs and runs share.

mod again;
pub(super) mod browser;
mod consent;
mod listing;
mod redirect;
mod sign_in;
mod value;

use aileron_api::{
    bindings::{AtProvider, BindingFilter, BindingSetup, BindingSpec},
    oauth2::{Purpose, Wanted},
    packages::Connector,
};

use crate::{
    arguments::{BindingCommand, BindingSetupArguments, SignIn, ValueArguments},
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    terminal,
};

/// The kind whose credentials a provider gives.
const OAUTH2: &str = "oauth2";

pub(super) async fn run(command: BindingCommand, connection: &Connection<'_>) -> Result<Exit> {
    let printer = connection.printer;
    match command {
        BindingCommand::Setup(arguments) => {
            let person = connection.person(None).await?;
            let done = Box::pin(setup(&arguments, connection, &person)).await;
            person.leave().await;
            done?;
        }
        BindingCommand::List { connector, kind, json } => {
            let filter = BindingFilter { connector_fqn: connector, kind };
            listing::list(connection, &filter, json).await?;
        }
        BindingCommand::Inspect { name, json } => {
            let answer = connection.client.binding(&name).await?;
            if json {
                printer.data(answer.raw);
            } else {
                listing::inspect(connection, answer.value).await?;
            }
        }
        BindingCommand::Rebind(arguments) => {
            let person = connection.person_of_vault().await?;
            let done = Box::pin(again::rebind(&arguments, connection, &person)).await;
            person.leave().await;
            done?;
        }
        BindingCommand::Reauthorize(arguments) => {
            let person = connection.person_of_vault().await?;
            let again = again::Again { name: &arguments.name, sign_in: arguments.sign_in };
            let done =
                Box::pin(again::reauthorize(again, arguments.yes, connection, &person)).await;
            person.leave().await;
            done?;
        }
        BindingCommand::Default { name } => {
            let person = connection.person_of_vault().await?;
            let chosen = person.client.set_default_binding(&name).await;
            person.leave().await;
            let chosen = chosen?.value;
            let (name, connector) = (chosen.name, chosen.connector_fqn);
            printer.tick(format!("{name} is what {connector} uses where several fit"));
        }
        BindingCommand::Revoke { name, yes } => revoke(&name, yes, connection).await?,
    }
    Ok(Exit::Done)
}

async fn revoke(name: &str, yes: bool, connection: &Connection<'_>) -> Result<()> {
    let printer = connection.printer;
    let question = format!("Revoke {name}? Its credential cannot be brought back.");
    // As published, a script need not say anything.
    if !yes && terminal::present() && !terminal::confirm(printer, &question)? {
        return Err(Failure::Declined);
    }
    let person = connection.person_of_vault().await?;
    let revoked = person.client.revoke_binding(name).await;
    person.leave().await;
    let revoked = revoked?.value;
    printer.tick(match revoked.provider {
        AtProvider::Revoked => format!("{name} is revoked, at its provider as well"),
        AtProvider::None | AtProvider::NotRevoked => format!("{name} is revoked"),
    });
    if let Some(message) = revoked.message {
        printer.cross(message);
    }
    Ok(())
}

/// A connector that lacks a credential, and whose account it is to be.
#[derive(Clone, Copy)]
pub(super) struct Lacking<'a> {
    pub(super) fqn: &'a str,
    /// `default` when nobody said.
    pub(super) identity: Option<&'a str>,
}

/// Offers to bind what a connector needs; without a terminal it only says how. True when it is
/// bound now.
pub(super) async fn offer(
    connection: &Connection<'_>,
    person: &Person,
    fqn: &str,
    asked_for: bool,
) -> Result<bool> {
    offer_to(Lacking { fqn, identity: None }, connection, person, asked_for).await
}

/// The same for an identity.
pub(super) async fn offer_to(
    lacking: Lacking<'_>,
    connection: &Connection<'_>,
    person: &Person,
    asked_for: bool,
) -> Result<bool> {
    let printer = connection.printer;
    let Lacking { fqn, identity } = lacking;
    let named = identity.map(|identity| format!(" --identity {identity}")).unwrap_or_default();
    let later = format!("bind it later: aileron binding setup {fqn}{named}");
    if !terminal::present() {
        printer.say(format!("{fqn} needs a credential; {later}"));
        return Ok(false);
    }
    let connector = find(person, fqn).await?;
    consent::show(printer, &connector)?;
    if !asked_for && !consent::given(printer)? {
        printer.say(later);
        return Ok(false);
    }
    let identity = identity.unwrap_or("default").to_owned();
    let called = Called { identity, service: None, account: None };
    let given = Given { value: &ValueArguments::default(), sign_in: SignIn::default() };
    for name in bind(connection, person, &connector, called, given).await? {
        printer.say(format!("{name} exists and was left as it is: aileron binding rebind {name}"));
    }
    Ok(true)
}

/// Says which bindings a changed connector left without a matching consent.
pub(super) fn mention_stale(printer: Printer, names: &[String]) {
    for name in names {
        let allow = if name.starts_with("oauth2/") {
            format!("reauthorize {name}")
        } else {
            format!("rebind {name} --keep-value")
        };
        printer.cross(format!(
            "{name} is stale: the connector now wants more than you consented to; \
             to allow it: aileron binding {allow}"
        ));
    }
}

/// Whose binding, and how it is called.
struct Called {
    identity: String,
    service: Option<String>,
    account: Option<String>,
}

async fn setup(
    arguments: &BindingSetupArguments,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<()> {
    let BindingSetupArguments { fqn, identity, service, account, value, sign_in, yes } = arguments;
    let connector = find(person, fqn).await?;
    consent::show(connection.printer, &connector)?;
    if !yes && !consent::given(connection.printer)? {
        return Err(Failure::Declined);
    }
    let called =
        Called { identity: identity.clone(), service: service.clone(), account: account.clone() };
    let given = Given { value, sign_in: *sign_in };
    let existed = bind(connection, person, &connector, called, given).await?;
    if existed.is_empty() {
        return Ok(());
    }
    // A script that meant to replace a credential must not believe that it did.
    Err(Failure::plain(format!(
        "{0} exists and keeps the credential it has: nothing was stored; \
         to replace it: aileron binding rebind {0}",
        existed.join(" ")
    )))
}

/// How the credential is obtained: a value from somewhere, or a sign-in at its provider.
struct Given<'a> {
    value: &'a ValueArguments,
    sign_in: SignIn,
}

/// After the consent: the credential, by hand or from its provider. Returns the bindings that
/// existed and were left as they are.
async fn bind(
    connection: &Connection<'_>,
    person: &Person,
    connector: &Connector,
    called: Called,
    given: Given<'_>,
) -> Result<Vec<String>> {
    let printer = connection.printer;
    let Called { identity, service, account } = called;
    let Given { value, sign_in } = given;
    if consent::kind(connector) == OAUTH2 {
        let wanted = Wanted {
            connector_fqn: connector.fqn.clone(),
            identity,
            service,
            account,
            purpose: Purpose::Setup,
            hosts: Some(connector.capabilities.network_hosts.clone()),
            scopes: Some(consent::scopes(connector)),
        };
        let binding = Box::pin(sign_in::sign_in(printer, person, wanted, sign_in)).await?;
        printer.tick(format!("{} is bound", binding.name));
        return Ok(Vec::new());
    }
    let spec = BindingSpec {
        identity,
        service,
        source: value::source(connector, value, None)?,
        account,
        access_key_id: value.access_key_id.clone(),
        region: value.region.clone(),
    };
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
    Ok(result.skipped)
}

/// An installed connector, by its name or as `fqn@version`.
async fn find(person: &Person, wanted: &str) -> Result<Connector> {
    let installed = person.client.connectors().await?.value.items;
    installed.into_iter().rfind(|connector| is_meant(wanted, connector)).ok_or_else(|| {
        Failure::plain(format!("{wanted} is not installed: aileron connector install {wanted}"))
    })
}

fn is_meant(wanted: &str, connector: &Connector) -> bool {
    let Connector { fqn, version, .. } = connector;
    wanted == fqn || wanted.rsplit_once('@') == Some((fqn.as_str(), version.as_str()))
}

#[cfg(test)]
mod tests {
    use aileron_api::packages::Capabilities;

    use super::*;

    #[test]
    fn a_connector_is_meant_with_and_without_its_version() {
        let connector = Connector {
            fqn: "github://acme/notes".to_owned(),
            version: "0.1.0".to_owned(),
            hash: String::new(),
            capabilities: Capabilities::default(),
        };
        for (wanted, meant) in [
            ("github://acme/notes", true),
            ("github://acme/notes@0.1.0", true),
            ("github://acme/notes@0.2.0", false),
            ("github://acme/notes@", false),
            ("github://acme/other@0.1.0", false),
        ] {
            assert_eq!(is_meant(wanted, &connector), meant, "{wanted}");
        }
    }
}
