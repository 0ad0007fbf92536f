//! `aileron audit …`, except `verify`.

use aileron_api::audit::{AuditEvent, AuditFilter};
use serde_json::Value;

use crate::{
    arguments::{AuditCommand, AuditListArguments},
    connection::Connection,
    exit::Exit,
    failure::Result,
    printer::{Printer, one_line},
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
                show(printer, &answer.value);
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

async fn list(arguments: AuditListArguments, connection: &Connection<'_>) -> Result<()> {
    let AuditListArguments { since, audit_id, connector, class, limit, json } = arguments;
    let filter = AuditFilter {
        since,
        audit_id,
        connector_fqn: connector,
        class,
        limit,
        ..AuditFilter::default()
    };
    let answer = connection.client.audit_events(&filter).await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(());
    }
    let rows = answer.value.events.into_iter().map(|event| {
        let subject = subject(&event);
        [table::time(&event.timestamp), event.event_type, event.actor.id, subject, event.audit_id]
    });
    table::print(
        connection.printer,
        "no events match",
        ["TIME", "EVENT", "ACTOR", "SUBJECT", "AUDIT ID"],
        rows,
    );
    Ok(())
}

fn show(printer: Printer, event: &AuditEvent) {
    table::facts(
        printer,
        &[
            ("audit id", event.audit_id.clone()),
            ("event", event.event_type.clone()),
            ("time", event.timestamp.clone()),
            ("actor", format!("{} {}", event.actor.kind, event.actor.id)),
            ("leaf", event.index.to_string()),
            ("trace", event.trace_id.clone().unwrap_or_default()),
        ],
    );
    printer.data("payload:");
    for (key, value) in &event.payload {
        printer.data(format!("  {key}: {}", one_line(&plain(value))));
    }
}

/// What the event is about, in a few words.
fn subject(event: &AuditEvent) -> String {
    const KEYS: [&str; 6] = [
        "aileron.action.name",
        "aileron.approval.action",
        "aileron.binding.name",
        "aileron.connector.fqn",
        "aileron.authority",
        "aileron.secret.name",
    ];
    KEYS.iter().find_map(|key| event.payload.get(*key)).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
