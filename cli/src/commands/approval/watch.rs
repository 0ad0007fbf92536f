//! `aileron approval list --watch`: what waits, and each change, a line each, until ctrl-c.

use std::{collections::BTreeMap, pin::pin};

use aileron_api::{
    approvals::{PendingApproval, Resolved},
    client::{ApprovalChange, ApprovalEvent},
};
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::call;
use crate::{
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    printer::{Printer, one_line},
    table,
};

/// Appends lines rather than redrawing: what was there can be scrolled to, and read by programs.
pub(super) async fn watch(connection: &Connection<'_>, json: bool) -> Result<Exit> {
    let printer = connection.printer;
    let mut events = pin!(connection.client.watch_approvals());
    let mut seen = Seen::default();
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    loop {
        let event = tokio::select! {
            asked = &mut interrupted => {
                return match asked {
                    Ok(()) => Ok(Exit::Done),
                    Err(error) => Err(Failure::plain(format!("cannot wait for ctrl-c: {error}"))),
                };
            }
            event = events.next() => event,
        };
        let Some(event) = event.transpose()? else { return Ok(Exit::Done) };
        if json {
            printer.data(as_json(&event)?);
        } else {
            tell(printer, &mut seen, event.change);
        }
    }
}

/// The event's name and its data, unchanged, in one line.
fn as_json(event: &ApprovalEvent) -> Result<String> {
    let unreadable = |error: serde_json::Error| Failure::plain(error.to_string());
    let data: Value = serde_json::from_str(&event.raw).map_err(unreadable)?;
    let line = json!({"event": event.change.name(), "data": data});
    serde_json::to_string(&line).map_err(unreadable)
}

/// What was told already, by id: its digest.
#[derive(Default)]
struct Seen {
    begun: bool,
    digests: BTreeMap<String, Option<String>>,
}

fn tell(printer: Printer, seen: &mut Seen, change: ApprovalChange) {
    match change {
        ApprovalChange::Snapshot(all) => {
            if all.items.is_empty() && !seen.begun {
                printer.say("nothing waits for you yet; ctrl-c ends the watch");
            }
            seen.begun = true;
            // Another snapshot comes after a break: only what changed meanwhile is told.
            seen.digests.retain(|id, _| {
                let still = all.items.iter().any(|it| it.id == *id);
                if !still {
                    printer.data(one_line(&format!("no longer waits  {id}")));
                }
                still
            });
            for approval in all.items {
                waits(printer, seen, &approval);
            }
        }
        ApprovalChange::Pending(approval) => waits(printer, seen, &approval),
        ApprovalChange::Resolved(resolved) => {
            seen.digests.remove(&resolved.id);
            printer.data(one_line(&ended(&resolved)));
        }
    }
}

fn waits(printer: Printer, seen: &mut Seen, approval: &PendingApproval) {
    let before = seen.digests.insert(approval.id.clone(), approval.digest.clone());
    if before.is_some_and(|before| before == approval.digest) {
        return;
    }
    let again = if approval.asked_before.is_some() { "waits again" } else { "waits" };
    let PendingApproval { id, action_name, requested_at, .. } = approval;
    let (time, badge, call) = (table::time(requested_at), approval.badge(), call(approval));
    printer.data(one_line(&format!("{time}  {again}  {id}  {badge}  {action_name}  {call}")));
}

fn ended(resolved: &Resolved) -> String {
    let Resolved { id, approved, reason, decided_at, .. } = resolved;
    let word = if *approved { "approved" } else { "denied" };
    let reason = reason.as_deref().map(|reason| format!("  {reason}")).unwrap_or_default();
    format!("{}  {word}  {id}{reason}", table::time(decided_at))
}
