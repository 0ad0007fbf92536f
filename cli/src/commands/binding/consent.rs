//! What the person is asked to agree to.

use aileron_api::packages::Connector;

use crate::{
    failure::{Failure, Result},
    printer::{Printer, one_line},
    terminal,
};

/// Says what the connector asks for and where it will be sent.
pub(super) fn show(printer: Printer, connector: &Connector) -> Result<()> {
    let Some(need) = &connector.capabilities.credential else {
        return Err(Failure::plain(format!("{} needs no credential", connector.fqn)));
    };
    printer.say(format!("{} asks for a credential ({}).", connector.fqn, need.kind));
    if let Some(scope) = &need.scope {
        printer.say(format!("  For: {}", one_line(scope)));
    }
    if let Some(provider) = &need.provider {
        let provider = one_line(provider);
        printer.say(format!("  You sign in at {provider}, which is asked for:"));
        for scope in &need.scopes {
            printer.say(format!("    {}", one_line(scope)));
        }
    }
    let place = need.place().map(|place| format!(" as {}", one_line(&place)));
    let place = place.unwrap_or_default();
    printer.say(format!("  It will be sent{place} to these hosts and no others:"));
    for host in &connector.capabilities.network_hosts {
        printer.say(format!("    {host}"));
    }
    Ok(())
}

pub(super) fn given(printer: Printer) -> Result<bool> {
    terminal::confirm(printer, "Bind a credential?")
}

pub(super) fn kind(connector: &Connector) -> &str {
    connector.capabilities.credential.as_ref().map_or("", |need| need.kind.as_str())
}

pub(super) fn scopes(connector: &Connector) -> Vec<String> {
    let need = connector.capabilities.credential.as_ref();
    need.map(|need| need.scopes.clone()).unwrap_or_default()
}
