//! `aileron approval …`: shows a person exactly what would run, and carries the decision.

use aileron_api::approvals::{Decide, PendingApproval};

use crate::{
    arguments::ApprovalCommand,
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
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
                .map(|approval| [approval.id, approval.action_name, approval.requested_at]);
            table::print(connection.printer, ["APPROVAL", "ACTION", "REQUESTED"], rows);
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
        Failure::plain(format!("{id} does not wait for a decision: aileron action runs"))
    })?;
    show(printer, &approval);
    if approved && !yes && terminal::present() && !terminal::confirm(printer, "Let it run?")? {
        return Err(Failure::Declined);
    }
    let person = connection.person(None).await?;
    // The digest binds the decision to what was shown above.
    let body = Decide { approved, reason, digest: approval.digest, edited_payload: None };
    let decided = person.client.decide(id, &body).await;
    person.leave().await;
    decided?;
    let word = if approved { "approved: it runs now, once" } else { "denied: it will not run" };
    printer.tick(format!("{id} {word}"));
    Ok(Exit::Done)
}

fn show(printer: Printer, approval: &PendingApproval) {
    let connector = approval.connector_fqn.as_deref().unwrap_or("its connector");
    printer.say(format!("{} on {connector}", approval.action_name));
    for field in &approval.input_fields {
        let value = match (&field.value, field.missing) {
            (Some(value), _) if field.multiline => format!("\n{}", indented(value)),
            (Some(value), _) => value.clone(),
            (None, true) => "(missing)".to_owned(),
            (None, false) => String::new(),
        };
        printer.say(format!("  {}: {value}", field.label));
    }
    if let Some(digest) = &approval.digest {
        // Enough to compare by eye with another surface; the decision carries all of it.
        printer.say(format!("  digest: {}", digest.chars().take(23).collect::<String>()));
    }
    if let Some(expires) = &approval.expires_at {
        printer.say(format!("  waits until {expires}"));
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
