//! `aileron status`.

use aileron_api::vault::VaultState;

use super::drift;
use crate::{arguments::StatusSection, connection::Connection, exit::Exit, failure::Result, table};

pub(super) async fn status(
    connection: &Connection<'_>,
    section: Option<StatusSection>,
    json: bool,
) -> Result<Exit> {
    let answer = connection.client.status().await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(Exit::Done);
    }
    let status = answer.value;
    let missing = status.vault_state == VaultState::Missing;
    let waiting = status.pending_approval_count > 0;
    let mut facts = Vec::new();
    if section != Some(StatusSection::Vault) {
        facts.extend([
            ("version", status.version),
            ("listening on", status.listen_addr.unwrap_or_default()),
            ("actions", status.action_count.to_string()),
            ("connectors", status.connector_count.to_string()),
            ("waiting for you", status.pending_approval_count.to_string()),
            ("not as accepted", counted(status.drift_count)),
        ]);
    }
    if section != Some(StatusSection::Runtime) {
        facts.extend([
            ("vault", status.vault_state.to_string()),
            ("bindings", status.binding_count.to_string()),
            ("stale bindings", counted(status.stale_binding_count)),
            ("refreshing", counted(status.refreshing_binding_count)),
        ]);
    }
    table::facts(connection.printer, &facts);
    if missing {
        connection.printer.say("There is no vault yet: aileron vault init creates it.");
    }
    if status.stale_binding_count > 0 && section != Some(StatusSection::Runtime) {
        connection
            .printer
            .say("Stale bindings are not used until you see to them: aileron binding list");
    }
    if section != Some(StatusSection::Vault) {
        drift::mention(connection.printer, status.drift_count > 0);
    }
    if waiting && section != Some(StatusSection::Vault) {
        connection.printer.say("Calls wait for you: aileron approval list");
    }
    Ok(Exit::Done)
}

/// A line that is there only when it matters.
fn counted(count: u64) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}
