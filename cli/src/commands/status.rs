//! `aileron status`.

mod host_bindings;

use aileron_api::{
    status::{Notifications, QuietHours, Status},
    vault::VaultState,
};

use super::drift;
use crate::{
    arguments::StatusSection, connection::Connection, exit::Exit, failure::Result,
    printer::Printer, table,
};

pub(super) use host_bindings::show as host_bindings;

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
    let wanted = |which| section.is_none_or(|section| section == which);
    let status = answer.value;
    let mut facts = Vec::new();
    if wanted(StatusSection::Runtime) {
        facts.extend(runtime(&status));
    }
    if wanted(StatusSection::Vault) {
        facts.extend(vault(&status));
    }
    if wanted(StatusSection::Notifications) {
        facts.extend(notifications(status.notifications.as_ref()));
    }
    table::facts(connection.printer, &facts);
    advise(connection.printer, &status, wanted);
    Ok(Exit::Done)
}

type Fact = (&'static str, String);

fn runtime(status: &Status) -> [Fact; 6] {
    [
        ("version", status.version.clone()),
        ("listening on", status.listen_addr.clone().unwrap_or_default()),
        ("actions", status.action_count.to_string()),
        ("connectors", status.connector_count.to_string()),
        ("waiting for you", status.pending_approval_count.to_string()),
        ("not as accepted", counted(status.drift_count)),
    ]
}

fn vault(status: &Status) -> [Fact; 4] {
    [
        ("vault", status.vault_state.to_string()),
        ("bindings", status.binding_count.to_string()),
        ("stale bindings", counted(status.stale_binding_count)),
        ("refreshing", counted(status.refreshing_binding_count)),
    ]
}

/// A runtime that knows of none has none.
fn notifications(told: Option<&Notifications>) -> [Fact; 2] {
    let Some(Notifications { state, reason, quiet_hours }) = told else {
        return [("notifications", "none".to_owned()), ("quiet hours", String::new())];
    };
    let reason = reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let quiet = quiet_hours.as_ref().map(|QuietHours { start, end, timezone }| {
        let zone = timezone.as_deref().unwrap_or("local time");
        format!("{start} to {end} ({zone})")
    });
    [("notifications", format!("{state}{reason}")), ("quiet hours", quiet.unwrap_or_default())]
}

/// What to do about it.
fn advise(printer: Printer, status: &Status, wanted: impl Fn(StatusSection) -> bool) {
    if status.vault_state == VaultState::Missing {
        printer.say("There is no vault yet: aileron vault init creates it.");
    }
    if let Some(problem) = status.vault_problem.as_ref().filter(|_| wanted(StatusSection::Vault)) {
        printer.cross(problem);
    }
    if status.stale_binding_count > 0 && wanted(StatusSection::Vault) {
        printer.say("Stale bindings are not used until you see to them: aileron binding list");
    }
    if wanted(StatusSection::Runtime) {
        drift::mention(printer, status.drift_count > 0);
        if status.pending_approval_count > 0 {
            printer.say("Calls wait for you: aileron approval list");
        }
    }
}

/// A line that is there only when it matters.
fn counted(count: u64) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}
