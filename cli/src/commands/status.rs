//! `aileron status`.

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
    let mut facts = Vec::new();
    if section != Some(StatusSection::Vault) {
        facts.extend([
            ("version", status.version),
            ("listening on", status.listen_addr.unwrap_or_default()),
            ("actions", status.action_count.to_string()),
            ("connectors", status.connector_count.to_string()),
            ("waiting for you", status.pending_approval_count.to_string()),
        ]);
    }
    if section != Some(StatusSection::Runtime) {
        facts.extend([
            ("vault", status.vault_state.to_string()),
            ("bindings", status.binding_count.to_string()),
        ]);
    }
    table::facts(connection.printer, &facts);
    Ok(Exit::Done)
}
