//! What the log is told about grants. Every event of a grant has an id that follows from the
//! grant's, so that the log itself says how often it was used and whether it is over, whatever
//! became of its row.

use aileron_contract::{
    Context, Error, Principal, Reason, Result,
    audit::{Actor, Event, EventKind, Record as Logged},
    executor::{GrantCaller, GrantRule},
    names::{ActionName, AuditId, GrantId, RunId, Sha256Hash},
};

use super::{
    form,
    record::{GrantEnd, GrantRecord, Terms},
};

const VOID: &str = "aileron.grant.void";

/// A person made it.
pub(super) fn issued(record: &GrantRecord) -> Result<Event> {
    let terms = &record.terms;
    let mut event = of_terms(EventKind::GrantIssued, &record.created_by, &record.id, terms)?
        .with("aileron.grant.max_uses", terms.max_uses)
        .with("aileron.grant.expires_at", terms.expires_at.to_string())
        .with("aileron.grant.pinned", named(terms, |rule| matches!(rule, GrantRule::Exactly(_))))
        .with("aileron.grant.left_out", named(terms, |rule| *rule == GrantRule::LeftOut))
        .with("aileron.grant.any", named(terms, |rule| *rule == GrantRule::Any));
    event.id = Some(event_id(&record.id, "issued")?);
    Ok(event)
}

/// A call is about to use it.
pub(super) fn used(
    record: &GrantRecord,
    number: u32,
    run: &RunId,
    by: &Principal,
) -> Result<Event> {
    let mut event = of_terms(EventKind::GrantUsed, by, &record.id, &record.terms)?
        .with("aileron.grant.use", number)
        .with("aileron.run.id", run.as_str());
    event.id = Some(use_id(&record.id, number)?);
    Ok(event)
}

/// It is over other than by its uses. One id for all such ends: the first one counts.
pub(super) fn ended(record: &GrantRecord, end: GrantEnd, by: &Principal) -> Result<Event> {
    let (kind, why) = match end {
        GrantEnd::Expired => (EventKind::GrantExpired, None),
        GrantEnd::Revoked => (EventKind::GrantRevoked, None),
        GrantEnd::Void(why) => (EventKind::GrantVoided, Some(why.text())),
    };
    let mut event = of_terms(kind, by, &record.id, &record.terms)?.with(VOID, why);
    event.id = Some(end_id(&record.id)?);
    Ok(event)
}

/// A grant whose row is not there, or not the runtime's, is over as well: its true row might be
/// put back.
pub(super) fn revoked_unseen(id: &GrantId, by: &Principal) -> Result<Event> {
    let mut event =
        Event::new(EventKind::GrantRevoked, actor(by)).with("aileron.grant.id", id.as_str());
    event.id = Some(end_id(id)?);
    Ok(event)
}

/// Somebody without the right tried to make one, or to take one back.
pub(super) fn refused(
    context: &Context,
    action: Option<&ActionName>,
    id: Option<&GrantId>,
) -> Event {
    Event::new(EventKind::GrantRefused, actor(&context.principal))
        .with("aileron.action.name", action.map(ActionName::as_str))
        .with("aileron.grant.id", id.map(GrantId::as_str))
        .with("aileron.session.id", context.session.as_ref().map(ToString::to_string))
}

/// The end that an event tells of.
pub(super) fn end_of(event: &Logged) -> Result<GrantEnd> {
    let strange = || {
        let text = format!("the event {} in the log is not the end of a grant", event.id);
        Error::new(Reason::AuditDamaged, text)
    };
    match event.kind.parse().map_err(|_| strange())? {
        EventKind::GrantExpired => Ok(GrantEnd::Expired),
        EventKind::GrantRevoked => Ok(GrantEnd::Revoked),
        EventKind::GrantVoided => {
            let why = event.payload.get(VOID).and_then(|why| why.as_str()).ok_or_else(strange)?;
            Ok(GrantEnd::Void(why.parse().map_err(|_| strange())?))
        }
        _ => Err(strange()),
    }
}

pub(super) fn end_id(id: &GrantId) -> Result<AuditId> {
    event_id(id, "end")
}

pub(super) fn use_id(id: &GrantId, number: u32) -> Result<AuditId> {
    event_id(id, &format!("use/{number}"))
}

/// The runtime itself, where nobody did it.
pub(super) fn runtime() -> Principal {
    Principal::Service("executor".into())
}

fn event_id(id: &GrantId, which: &str) -> Result<AuditId> {
    let hash = Sha256Hash::of(&[
        b"aileron/grant-event/v1\0",
        id.as_str().as_bytes(),
        b"\0",
        which.as_bytes(),
    ]);
    format!("audit-{}", hash.hex()).parse()
}

fn of_terms(kind: EventKind, by: &Principal, id: &GrantId, terms: &Terms) -> Result<Event> {
    let connector = terms.connectors.first();
    let event = Event::new(kind, actor(by))
        .with("aileron.grant.id", id.as_str())
        .with("aileron.action.name", terms.action.as_str())
        .with("aileron.action.version", terms.action_version.to_string())
        .with("aileron.action.hash", terms.action_hash.to_string())
        .with("aileron.connector.fqn", connector.map(|it| it.package.fqn.to_string()))
        .with("aileron.binding.identity", terms.identity.as_ref().map(ToString::to_string))
        .with("aileron.grant.digest", form::digest(terms)?.to_string());
    Ok(match &terms.caller {
        GrantCaller::Session(id) => event.with("aileron.session.id", id.as_str()),
        GrantCaller::Token(id) => event.with("aileron.token.id", id.as_str()),
    })
}

/// The names of the arguments with such a rule; never their values.
fn named(terms: &Terms, of: impl Fn(&GrantRule) -> bool) -> Option<Vec<String>> {
    let names = terms.arguments.iter().filter(|argument| of(&argument.rule));
    Some(names.map(|argument| argument.name.clone()).collect()).filter(|it: &Vec<_>| !it.is_empty())
}

fn actor(principal: &Principal) -> Actor {
    Actor::of(&Context { principal: principal.clone(), ..Context::service("executor") })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_events_of_grants_share_an_id() {
        let ids = ["grant-1", "grant-11"].map(|id| id.parse::<GrantId>().unwrap());
        let of = |id: &GrantId| {
            let uses = [1, 2, 11, 1_000].map(|number| use_id(id, number).unwrap());
            [event_id(id, "issued").unwrap(), end_id(id).unwrap()].into_iter().chain(uses)
        };
        let all: BTreeSet<_> = ids.iter().flat_map(of).collect();
        assert_eq!(all.len(), 12);
    }
}
