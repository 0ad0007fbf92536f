//! `aileron audit …`, except `verify`.

pub(super) mod words;

use aileron_api::audit::{AuditEvent, AuditFilter};

use crate::{
    arguments::{AuditCommand, AuditListArguments},
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    table,
};

pub(super) async fn run(command: AuditCommand, connection: &Connection<'_>) -> Result<Exit> {
    let printer = connection.printer;
    match command {
        AuditCommand::List(arguments) => list(arguments, connection).await?,
        AuditCommand::Show { audit_id, json } => {
            let answer = connection.client.audit_event(&audit_id).await?;
            if json {
                printer.data(answer.raw);
            } else {
                table::facts(printer, &words::facts(&answer.value));
            }
        }
        AuditCommand::Receipt { audit_id } => {
            let receipt = connection.client.audit_receipt(&audit_id).await?.value;
            printer.data(receipt.trim_end_matches('\n'));
        }
        AuditCommand::Checkpoint { key } => {
            let checkpoint = connection.client.audit_checkpoint().await?.value;
            let text = if key { checkpoint.verifier_key } else { checkpoint.note };
            printer.data(text.trim_end_matches('\n'));
        }
        // Handled before a connection was made.
        AuditCommand::Verify(_) => {}
    }
    Ok(Exit::Done)
}

/// What the runtime lists without a limit, and at most.
const LISTED: u32 = 100;
const LISTED_MAX: u32 = 1000;

async fn list(arguments: AuditListArguments, connection: &Connection<'_>) -> Result<()> {
    let AuditListArguments { since, until, audit_id, connector, class, kind, limit, all, json } =
        arguments;
    if limit.is_some_and(|limit| !(1..=LISTED_MAX).contains(&limit)) {
        return Err(Failure::plain(format!("--limit: from 1 to {LISTED_MAX}")));
    }
    // Each command of a person opens and closes a session: two lines that say nothing new beside
    // the one that matters. Who asks for them, by type or by id, gets them.
    let folds = !all && !json && kind.is_none() && audit_id.is_none();
    let filter = AuditFilter {
        since,
        until,
        audit_id,
        connector_fqn: connector,
        class,
        event_type: kind,
        limit: if folds { Some(LISTED_MAX) } else { limit },
    };
    let answer = connection.client.audit_events(&filter).await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(());
    }
    let (folded, shown) = fold(answer.value.events, folds, limit.unwrap_or(LISTED));
    print(connection.printer, shown);
    if folded > 0 {
        connection.printer.say(format!(
            "left out: {folded} openings and closings of person sessions (--all shows them)"
        ));
    }
    Ok(())
}

/// The newest events that are worth a line, and how many among them are not.
fn fold(events: Vec<AuditEvent>, folds: bool, limit: u32) -> (usize, Vec<AuditEvent>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut folded, mut shown) = (0, Vec::new());
    for event in events {
        if folds && words::routine(&event) {
            folded += 1;
        } else if shown.len() < limit {
            shown.push(event);
        } else {
            break;
        }
    }
    (folded, shown)
}

fn print(printer: Printer, events: Vec<AuditEvent>) {
    let rows = events.into_iter().map(|event| {
        let subject = words::subject(&event);
        [table::time(&event.timestamp), event.event_type, event.actor.id, subject, event.audit_id]
    });
    let headings = ["TIME", "EVENT", "ACTOR", "SUBJECT", "AUDIT ID"];
    table::print(printer, "no events match", headings, rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(index: u64, event_type: &str) -> AuditEvent {
        serde_json::from_value(serde_json::json!({
            "audit_id": format!("audit-{index}"), "event_type": event_type, "index": index,
            "timestamp": "2030-01-01T00:00:00Z", "actor": { "type": "human", "id": "user" },
            "payload": {},
        }))
        .unwrap()
    }

    fn log() -> Vec<AuditEvent> {
        let kinds = [
            "person_session.closed",
            "token.minted",
            "person_session.opened",
            "person_session.refused",
            "person_session.opened",
            "vault.unlocked",
        ];
        kinds.into_iter().zip(0..).map(|(kind, index)| event(index, kind)).collect()
    }

    #[test]
    fn sessions_are_folded_and_a_refused_one_never_is() {
        let (folded, shown) = fold(log(), true, 100);
        let kinds: Vec<_> = shown.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(folded, 3);
        assert_eq!(kinds, ["token.minted", "person_session.refused", "vault.unlocked"]);
        assert_eq!(fold(log(), false, 100), (0, log()));
    }

    #[test]
    fn the_limit_counts_what_is_shown() {
        let (folded, shown) = fold(log(), true, 2);
        assert_eq!((folded, shown.len()), (3, 2));
    }
}
