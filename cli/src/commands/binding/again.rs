//! A binding that is there, given again: another value, another sign-in, or only the consent.

use aileron_api::{
    bindings::{Binding, Rebind, RenewConsent},
    oauth2::{Purpose, Wanted},
};

use super::{OAUTH2, consent, find, sign_in, value};
use crate::{
    arguments::{BindingRebindArguments, SignIn},
    connection::{Connection, Person},
    failure::{Failure, Result},
    terminal,
};

pub(super) async fn rebind(
    arguments: &BindingRebindArguments,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<()> {
    let BindingRebindArguments { name, keep_value, value, sign_in, yes } = arguments;
    let binding = person.client.binding(name).await?.value;
    if *keep_value {
        return keep(binding, *yes, connection, person).await;
    }
    if binding.kind == OAUTH2 {
        let again = Again { name, sign_in: *sign_in };
        return reauthorize(again, *yes, connection, person).await;
    }
    let printer = connection.printer;
    let connector = find(person, &binding.connector_fqn).await?;
    consent::show(printer, &connector)?;
    if !yes && !consent::given(printer)? {
        return Err(Failure::Declined);
    }
    let body = Rebind {
        source: value::source(&connector, value, binding.access_key_id.as_deref())?,
        access_key_id: value.access_key_id.clone(),
        region: value.region.clone(),
        hosts: Some(connector.capabilities.network_hosts.clone()),
    };
    person.client.rebind(name, &body).await?;
    printer.tick(format!("{name} has a new credential"));
    Ok(())
}

/// The stored credential stays, and may go to the hosts of now.
async fn keep(
    binding: Binding,
    yes: bool,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<()> {
    let printer = connection.printer;
    let Binding { name, connector_fqn, kind, hosts: agreed, .. } = binding;
    if kind == OAUTH2 {
        return Err(Failure::plain(format!(
            "{name} comes from a provider: aileron binding reauthorize {name}"
        )));
    }
    let hosts = find(person, &connector_fqn).await?.capabilities.network_hosts;
    let agreed = agreed.unwrap_or_default();
    printer
        .say(format!("{name} keeps its credential. It will be sent to these hosts and no others:"));
    for host in &hosts {
        let new = if agreed.contains(host) { "" } else { "  (new)" };
        printer.say(format!("    {host}{new}"));
    }
    if !yes && !terminal::confirm(printer, "Let it be sent there?")? {
        return Err(Failure::Declined);
    }
    person.client.renew_consent(&name, &RenewConsent { hosts }).await?;
    printer.tick(format!("{name} may be sent there"));
    Ok(())
}

/// Which binding, and how to sign in again.
pub(super) struct Again<'a> {
    pub(super) name: &'a str,
    pub(super) sign_in: SignIn,
}

pub(super) async fn reauthorize(
    again: Again<'_>,
    yes: bool,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<()> {
    let Again { name, sign_in } = again;
    let printer = connection.printer;
    let binding = person.client.binding(name).await?.value;
    if binding.kind != OAUTH2 {
        return Err(Failure::plain(format!(
            "{name} is of kind {}, which no provider gives: aileron binding rebind {name}",
            binding.kind
        )));
    }
    let connector = find(person, &binding.connector_fqn).await?;
    consent::show(printer, &connector)?;
    if !yes && !consent::given(printer)? {
        return Err(Failure::Declined);
    }
    let wanted = Wanted {
        connector_fqn: binding.connector_fqn,
        identity: binding.identity,
        service: Some(binding.service),
        account: None,
        purpose: Purpose::Reauthorize,
        hosts: Some(connector.capabilities.network_hosts.clone()),
        scopes: Some(consent::scopes(&connector)),
    };
    let binding = Box::pin(sign_in::sign_in(printer, person, wanted, sign_in)).await?;
    printer.tick(format!("{} is authorized again", binding.name));
    Ok(())
}
