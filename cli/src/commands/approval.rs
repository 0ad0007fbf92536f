//! `aileron approval …`: shows a person exactly what would run, carries the decision, and tells
//! what became of it.

mod deny;
mod grant;
mod outcome;
mod watch;

use aileron_api::{
    approvals::{AskedBefore, Decide, Field, PendingApproval, Preview, short},
    client::Client,
};

use crate::{
    arguments::{ApprovalCommand, ApproveArguments},
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::{Printer, one_line},
    table, terminal,
};

pub(super) async fn run(command: ApprovalCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        ApprovalCommand::List { watch: true, json } => watch::watch(connection, json).await,
        ApprovalCommand::List { watch: false, json } => list(connection, json).await,
        ApprovalCommand::Show { id, json } => look(connection, &id, json).await,
        ApprovalCommand::Approve(arguments) => approve(arguments, connection).await,
        ApprovalCommand::Deny(arguments) => deny::deny(arguments, connection).await,
        ApprovalCommand::Grant(arguments) => grant::grant(arguments, connection).await,
        ApprovalCommand::Grants { json } => grant::list(connection, json).await,
        ApprovalCommand::Revoke { id } => grant::revoke(connection, &id).await,
    }
}

async fn list(connection: &Connection<'_>, json: bool) -> Result<Exit> {
    let answer = connection.client.approvals().await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(Exit::Done);
    }
    let crowds = deny::crowds(&answer.value.items);
    let rows = answer
        .value
        .items
        .into_iter()
        .map(|it| [it.badge(), call(&it), it.id, it.action_name, table::time(&it.requested_at)])
        .map(|[kind, call, id, action, requested]| [id, kind, action, requested, call]);
    let headings = ["APPROVAL", "KIND", "ACTION", "REQUESTED", "CALL"];
    table::print(connection.printer, "nothing waits for you", headings, rows);
    for (session, number) in crowds {
        let session = one_line(&session);
        connection.printer.say(format!(
            "{number} of them are of one session: aileron approval deny --session {session} \
             refuses all of it"
        ));
    }
    Ok(Exit::Done)
}

/// Shows what `approve` would ask about.
async fn look(connection: &Connection<'_>, id: &str, json: bool) -> Result<Exit> {
    let approval = find(&connection.client, id).await?;
    let approval = match approval.preview {
        // What a preview found is told to a person alone.
        Some(_) => {
            let person = connection.person_alone().await?;
            let seen = find(&person.client, id).await;
            person.leave().await;
            seen?
        }
        None => approval,
    };
    if json {
        let text = serde_json::to_string(&approval);
        connection.printer.data(text.map_err(|error| Failure::plain(error.to_string()))?);
    } else {
        for line in card(&approval) {
            connection.printer.data(line);
        }
    }
    Ok(Exit::Done)
}

/// Where nobody can be asked, only `--yes` lets a call run: a passphrase in the environment is
/// not a decision.
async fn approve(arguments: ApproveArguments, connection: &Connection<'_>) -> Result<Exit> {
    let ApproveArguments { id, reason, yes, no_wait, json } = arguments;
    let printer = connection.printer;
    let approval = find(&connection.client, &id).await?;
    // What a preview found is told to a person alone: who sees it has given the passphrase.
    let person = match approval.preview {
        Some(_) => Some(connection.person_alone().await?),
        None => None,
    };
    let approval = match agreed(printer, person.as_ref(), approval, yes).await {
        Ok(approval) => approval,
        Err(failure) => {
            leave(person).await;
            return Err(failure);
        }
    };
    decide(connection, person, &approval, true, reason).await?;
    printer.tick(format!("{id} approved: it runs now, once"));
    if no_wait {
        printer.say("  what becomes of it: aileron action runs");
        return Ok(Exit::Done);
    }
    outcome::tell(connection, &id, json).await
}

/// The approval as the person saw it and agreed to it.
async fn agreed(
    printer: Printer,
    person: Option<&Person>,
    approval: PendingApproval,
    yes: bool,
) -> Result<PendingApproval> {
    let approval = match person {
        Some(person) => find(&person.client, &approval.id).await?,
        None => approval,
    };
    show(printer, &approval);
    if !yes && !terminal::confirm(printer, "Let it run?")? {
        return Err(Failure::Declined);
    }
    Ok(approval)
}

async fn leave(person: Option<Person>) {
    if let Some(person) = person {
        person.leave().await;
    }
}

async fn find(client: &Client, id: &str) -> Result<PendingApproval> {
    let waiting = client.approvals().await?.value.items;
    waiting.into_iter().find(|approval| approval.id == id).ok_or_else(|| {
        Failure::plain(format!(
            "{id} does not wait for a decision: aileron approval list shows what does, aileron \
             action runs what became of the others"
        ))
    })
}

/// The digest binds the decision to what was shown.
async fn decide(
    connection: &Connection<'_>,
    person: Option<Person>,
    approval: &PendingApproval,
    approved: bool,
    reason: Option<String>,
) -> Result<()> {
    let person = match person {
        Some(person) => person,
        None => connection.person_alone().await?,
    };
    let digest = approval.digest.clone();
    let body = Decide { approved, reason, digest, edited_payload: None };
    let decided = person.client.decide(&approval.id, &body).await;
    person.leave().await;
    decided?;
    Ok(())
}

fn show(printer: Printer, approval: &PendingApproval) {
    for line in card(approval) {
        printer.say(line);
    }
}

/// All of what is decided about, line by line.
fn card(approval: &PendingApproval) -> Vec<String> {
    let connector = approval.connector_fqn.as_deref().unwrap_or("its connector");
    let (badge, action) = (one_line(&approval.badge()), one_line(&approval.action_name));
    let mut card = vec![format!("{badge}  {action} on {}", one_line(connector))];
    card.extend(approval.asked_before.iter().flat_map(changed));
    match &approval.preview {
        Some(Preview { unavailable: Some(why), .. }) => card.push(format!("  {}", one_line(why))),
        Some(Preview { fields, unavailable: None }) => {
            card.push("  what it would act upon:".to_owned());
            card.extend(fields.iter().map(line));
            card.push("  what it is given:".to_owned());
        }
        None => {}
    }
    card.extend(approval.input_fields.iter().map(line));
    if let Some(identity) = &approval.identity {
        card.push(format!("  identity: {}", one_line(identity)));
    }
    if let Some(session) = &approval.session_id {
        let named = if approval.session_named {
            " (named by another program: perhaps its agent did not ask)"
        } else {
            ""
        };
        card.push(format!("  session: {}{named}", one_line(session)));
    }
    if let Some(digest) = approval.short_digest() {
        // Enough to compare by eye with another surface; the decision carries all of it.
        card.push(format!("  digest: {digest}"));
    }
    if let Some(expires) = &approval.expires_at {
        card.push(format!("  waits until {}", table::time(expires)));
    }
    card
}

/// What is not as it was when the person agreed.
fn changed(before: &AskedBefore) -> Vec<String> {
    let AskedBefore { times, digest, changes } = before;
    let often = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
    let mut told =
        vec![format!("  you agreed to it {often}, and what it would act upon changed since:")];
    told.extend(changes.iter().map(|line| {
        let sign = match line.change.as_str() {
            "removed" => '-',
            "added" => '+',
            _ => ' ',
        };
        format!("    {sign} {}", one_line(&line.text))
    }));
    if changes.is_empty() {
        told.push("    (nothing of what is shown)".to_owned());
    }
    told.push(format!("  digest then: {}", short(digest)));
    told
}

fn line(field: &Field) -> String {
    let value = match (&field.value, field.missing) {
        (Some(value), _) if field.multiline => indented(value),
        (Some(value), _) => one_line(value),
        (None, true) => "(missing)".to_owned(),
        (None, false) => String::new(),
    };
    let gap = if value.starts_with('\n') || value.is_empty() { "" } else { " " };
    format!("  {}:{gap}{value}", one_line(&field.label))
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
