//! `aileron approval …`: shows a person exactly what would run, and carries the decision.

use aileron_api::approvals::{Decide, PendingApproval};

use crate::{
    arguments::ApprovalCommand,
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    printer::{Printer, one_line},
    table, terminal,
};

pub(super) async fn run(command: ApprovalCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        ApprovalCommand::List { json } => {
            let answer = connection.client.approvals().await?;
            if json {
                connection.printer.data(answer.raw);
                return Ok(Exit::Done);
            }
            let rows = answer
                .value
                .items
                .into_iter()
                .map(|it| [call(&it), it.id, it.action_name, table::time(&it.requested_at)])
                .map(|[call, id, action, requested]| [id, action, requested, call]);
            let headings = ["APPROVAL", "ACTION", "REQUESTED", "CALL"];
            table::print(connection.printer, "nothing waits for you", headings, rows);
            Ok(Exit::Done)
        }
        ApprovalCommand::Approve { id, reason, yes } => {
            decide(connection, &id, true, reason, yes).await
        }
        ApprovalCommand::Deny { id, reason } => decide(connection, &id, false, reason, true).await,
    }
}

async fn decide(
    connection: &Connection<'_>,
    id: &str,
    approved: bool,
    reason: Option<String>,
    yes: bool,
) -> Result<Exit> {
    let printer = connection.printer;
    let waiting = connection.client.approvals().await?.value.items;
    let approval = waiting.into_iter().find(|approval| approval.id == id).ok_or_else(|| {
        Failure::plain(format!("{id} does not wait for a decision: aileron approval list shows what does, aileron action runs \
             what became of the others"))
    })?;
    show(printer, &approval);
    if approved && !yes && terminal::present() && !terminal::confirm(printer, "Let it run?")? {
        return Err(Failure::Declined);
    }
    let person = connection.person_of_vault().await?;
    // The digest binds the decision to what was shown above.
    let body = Decide { approved, reason, digest: approval.digest, edited_payload: None };
    let decided = person.client.decide(id, &body).await;
    person.leave().await;
    decided?;
    let word = if approved { "approved: it runs now, once" } else { "denied: it will not run" };
    printer.tick(format!("{id} {word}"));
    if approved {
        printer.say("  what became of it: aileron action runs");
    }
    Ok(Exit::Done)
}

fn show(printer: Printer, approval: &PendingApproval) {
    let connector = approval.connector_fqn.as_deref().unwrap_or("its connector");
    printer.say(format!("{} on {}", one_line(&approval.action_name), one_line(connector)));
    for field in &approval.input_fields {
        let value = match (&field.value, field.missing) {
            (Some(value), _) if field.multiline => indented(value),
            (Some(value), _) => one_line(value),
            (None, true) => "(missing)".to_owned(),
            (None, false) => String::new(),
        };
        let gap = if value.starts_with('\n') || value.is_empty() { "" } else { " " };
        printer.say(format!("  {}:{gap}{value}", one_line(&field.label)));
    }
    if let Some(digest) = &approval.digest {
        // Enough to compare by eye with another surface; the decision carries all of it.
        printer.say(format!("  digest: {}", digest.chars().take(23).collect::<String>()));
    }
    if let Some(expires) = &approval.expires_at {
        printer.say(format!("  waits until {}", table::time(expires)));
    }
}

/// The call in a few words; `approve` shows all of it before it asks.
fn call(approval: &PendingApproval) -> String {
    const SHOWN: usize = 60;
    let fields: Vec<_> = approval
        .input_fields
        .iter()
        .map(|field| format!("{}: {}", field.label, field.value.as_deref().unwrap_or_default()))
        .collect();
    let all = one_line(&fields.join(", "));
    let start: String = all.chars().take(SHOWN).collect();
    if start.len() < all.len() { format!("{start}…") } else { start }
}

fn indented(text: &str) -> String {
    format!("\n    {}", text.replace('\n', "\n    "))
}
