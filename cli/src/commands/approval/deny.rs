//! `aileron approval deny`: a no to one call, or to all that one session asks.

use std::collections::BTreeMap;

use aileron_api::approvals::{DenySession, PendingApproval};

use super::{decide, find, show};
use crate::{
    arguments::DenyArguments,
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    printer::{Printer, one_line},
    terminal,
};

/// More than this many calls of one session are worth one decision.
const CROWD: usize = 10;

/// Sessions with many calls waiting, and how many.
pub(super) fn crowds(waiting: &[PendingApproval]) -> BTreeMap<String, usize> {
    let mut crowds = BTreeMap::<_, usize>::new();
    for session in waiting.iter().filter_map(|approval| approval.session_id.clone()) {
        let number = crowds.entry(session).or_default();
        *number = number.saturating_add(1);
    }
    crowds.retain(|_, number| *number > CROWD);
    crowds
}

pub(super) async fn deny(arguments: DenyArguments, connection: &Connection<'_>) -> Result<Exit> {
    let DenyArguments { id, session, reason, yes, json } = arguments;
    match (id, session) {
        (Some(id), _) => one(&id, reason, connection).await,
        (None, Some(session)) => {
            let answer = all(DenySession { session, reason }, yes, connection).await?;
            if json {
                connection.printer.data(answer);
            }
            Ok(Exit::Done)
        }
        (None, None) => Err(Failure::plain("name an approval, or a session with --session")),
    }
}

async fn one(id: &str, reason: Option<String>, connection: &Connection<'_>) -> Result<Exit> {
    let approval = find(&connection.client, id).await?;
    show(connection.printer, &approval);
    decide(connection, None, &approval, false, reason).await?;
    connection.printer.tick(format!("{id} denied: it will not run"));
    Ok(Exit::Done)
}

/// The runtime's answer. What comes in while the person reads is denied as well: they said no to
/// the session.
async fn all(body: DenySession, yes: bool, connection: &Connection<'_>) -> Result<String> {
    let printer = connection.printer;
    let waiting = connection.client.approvals().await?.value.items;
    let of_session = |it: &&PendingApproval| it.session_id.as_deref() == Some(&*body.session);
    let waiting: Vec<_> = waiting.iter().filter(of_session).collect();
    if waiting.is_empty() {
        return Err(Failure::plain(format!(
            "no call of the session {} waits: aileron approval list shows what does",
            one_line(&body.session)
        )));
    }
    count(printer, &waiting);
    if !yes && !terminal::confirm(printer, "Deny all of them, and what it asks meanwhile?")? {
        return Err(Failure::Declined);
    }
    let person = connection.person_alone().await?;
    let denied = person.client.deny_session(&body).await;
    person.leave().await;
    let answer = denied?;
    printer.tick(format!("{} denied: none of them will run", answer.value.denied.len()));
    Ok(answer.raw)
}

/// How many of which action: a list of a hundred says less.
fn count(printer: Printer, waiting: &[&PendingApproval]) {
    let mut actions = BTreeMap::<_, usize>::new();
    for approval in waiting {
        let number = actions.entry(approval.action_name.as_str()).or_default();
        *number = number.saturating_add(1);
    }
    printer.say(format!("{} wait:", waiting.len()));
    for (action, number) in actions {
        printer.say(format!("  {number} of {}", one_line(action)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::approval::card;

    fn waiting(session: Option<&str>) -> PendingApproval {
        serde_json::from_value(json!({
            "id": "act-1",
            "kind": "action",
            "action_name": "notes-create",
            "requested_at": "2026-01-01T00:00:00Z",
            "session_id": session,
        }))
        .unwrap()
    }

    #[test]
    fn what_names_the_session_to_be_denied_is_shown() {
        let shown = card(&waiting(Some("01J\u{202e}")));
        assert!(shown.iter().any(|line| line == "  session: 01J\\u{202e}"), "{shown:?}");
        let named = PendingApproval { session_named: true, ..waiting(Some("01J")) };
        assert!(card(&named).iter().any(|line| line.contains("perhaps its agent did not ask")));
        assert!(!card(&waiting(None)).iter().any(|line| line.contains("session")));
    }

    #[test]
    fn a_session_that_asks_a_lot_is_pointed_out() {
        let mut all: Vec<_> = (0..CROWD).map(|_| waiting(Some("one"))).collect();
        all.extend((0..=CROWD).map(|_| waiting(Some("two"))));
        all.extend((0..=CROWD).map(|_| waiting(None)));
        let crowds: Vec<_> = crowds(&all).into_iter().collect();
        assert_eq!(crowds, [("two".to_owned(), CROWD + 1)]);
    }
}
