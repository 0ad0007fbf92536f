//! `aileron approval grant`, `grants` and `revoke`: shows a person exactly what becomes possible
//! without asking again, carries the decision, and takes it back.

use aileron_api::{
    approvals::short,
    client::{Answer, Client},
    grants::{Grant, GrantRequest, GrantTerms, GrantedArgument},
    sessions::Session,
};
use jiff::{RoundMode, Span, Timestamp, TimestampRound, Unit, tz::TimeZone};

use crate::{
    arguments::{GrantArguments, GrantCaller},
    commands::run::typed,
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::{Printer, one_line},
    table, terminal,
};

pub(super) async fn grant(arguments: GrantArguments, connection: &Connection<'_>) -> Result<Exit> {
    let (yes, json) = (arguments.yes, arguments.json);
    let request = requested(arguments, connection).await?;
    let person = connection.person_alone().await?;
    let granted = decided(connection.printer, &person, request, yes).await;
    person.leave().await;
    let answer = granted?;
    let id = &answer.value.id;
    connection.printer.tick(format!("granted; take it back with: aileron approval revoke {id}"));
    if json {
        connection.printer.data(answer.raw);
    } else {
        connection.printer.data(id);
    }
    Ok(Exit::Done)
}

pub(super) async fn list(connection: &Connection<'_>, json: bool) -> Result<Exit> {
    let answer = connection.client.grants().await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(Exit::Done);
    }
    let rows = answer.value.items.into_iter().map(|grant| {
        let uses = format!("{} of {}", grant.used, grant.terms.max_uses);
        let (until, state) = (table::time(&grant.terms.expires_at), standing(&grant));
        [grant.id, grant.terms.action_name.clone(), caller(&grant.terms), uses, until, state]
    });
    let headings = ["GRANT", "ACTION", "FOR", "USED", "UNTIL", "STATE"];
    table::print(connection.printer, "nothing was granted in advance", headings, rows);
    Ok(Exit::Done)
}

pub(super) async fn revoke(connection: &Connection<'_>, id: &str) -> Result<Exit> {
    let person = connection.person_alone().await?;
    let revoked = person.client.revoke_grant(id).await;
    person.leave().await;
    revoked?;
    connection.printer.tick(format!("{id} is revoked: such calls wait for you again"));
    Ok(Exit::Done)
}

async fn requested(arguments: GrantArguments, connection: &Connection<'_>) -> Result<GrantRequest> {
    let GrantArguments {
        action,
        arg,
        any,
        without,
        caller: GrantCaller { session, token },
        max_uses,
        expires,
        identity,
        yes: _,
        json: _,
    } = arguments;
    let declared = connection.client.action(&action).await?.value.inputs;
    let expires_at = end(&expires, Timestamp::now())?;
    Ok(GrantRequest {
        action_name: action,
        identity,
        session_id: session,
        token_id: token,
        args: typed(&arg, &declared)?,
        any,
        left_out: without,
        max_uses,
        expires_at: expires_at.to_string(),
        digest: None,
    })
}

/// What the person saw and agreed to; nothing else is granted.
async fn decided(
    printer: Printer,
    person: &Person,
    request: GrantRequest,
    yes: bool,
) -> Result<Answer<Grant>> {
    let client = &person.client;
    let terms = client.propose_grant(&request).await?.value;
    let session = session(client, &terms).await;
    show(printer, &terms, session.as_ref());
    if !yes && !terminal::confirm(printer, "Let such calls run without asking you?")? {
        return Err(Failure::Declined);
    }
    Ok(client.grant(&GrantRequest { digest: Some(terms.digest), ..request }).await?)
}

/// Who the agent is, in the person's words; its id alone where that cannot be told.
async fn session(client: &Client, terms: &GrantTerms) -> Option<Session> {
    let id = terms.session_id.as_ref()?;
    client.agent_session(id).await.ok().map(|answer| answer.value)
}

fn show(printer: Printer, terms: &GrantTerms, session: Option<&Session>) {
    let calls =
        if terms.max_uses == 1 { "1 call".to_owned() } else { format!("{} calls", terms.max_uses) };
    let (action, version) = (one_line(&terms.action_name), one_line(&terms.action_version));
    let until = table::time(&terms.expires_at);
    printer.say(format!("{action} {version}: {calls} until {until}, without asking you"));
    let known = session.map(|session| {
        let folder = Some(&session.working_dir).filter(|folder| !folder.is_empty());
        let place = folder.map(|folder| format!(" in {}", one_line(folder))).unwrap_or_default();
        format!(" ({}{place})", one_line(&session.agent))
    });
    printer.say(format!("  for: {}{}", caller(terms), known.unwrap_or_default()));
    if let Some(identity) = &terms.identity {
        printer.say(format!("  identity: {}", one_line(identity)));
    }
    for argument in &terms.arguments {
        printer.say(format!("  {}", rule(argument)));
    }
    for connector in &terms.connectors {
        let operations = connector.operations.join(", ");
        printer.say(format!(
            "  through: {} ({})",
            one_line(&connector.connector),
            one_line(&operations)
        ));
    }
    for binding in &terms.bindings {
        let hosts = binding.hosts.join(", ");
        printer.say(format!("  with: {}, to {}", one_line(&binding.binding), one_line(&hosts)));
    }
    printer.say(format!("  digest: {}", short(&terms.digest)));
    printer.say("  it ends by itself when any of this changes; each use is in the log");
}

fn rule(argument: &GrantedArgument) -> String {
    let label = one_line(&argument.field.label);
    match argument.rule.as_str() {
        "exactly" => {
            let value = argument.field.value.as_deref().unwrap_or_default();
            if value.contains('\n') {
                format!("{label}: exactly\n    {}", value.replace('\n', "\n    "))
            } else {
                format!("{label}: exactly {}", one_line(value))
            }
        }
        "left_out" => format!("{label}: left out"),
        "any" => format!("{label}: ANYTHING"),
        other => format!("{label}: {}", one_line(other)),
    }
}

fn caller(terms: &GrantTerms) -> String {
    match (&terms.session_id, &terms.token_id) {
        (Some(id), _) => format!("session {}", one_line(id)),
        (None, Some(id)) => format!("token {}", one_line(id)),
        (None, None) => String::new(),
    }
}

fn standing(grant: &Grant) -> String {
    if grant.quarantined {
        return "quarantined: not what the runtime wrote".to_owned();
    }
    let state = one_line(&grant.state).replace('_', " ");
    match &grant.void {
        Some(why) => format!("{state}: {}", one_line(why).replace('_', " ")),
        None => state,
    }
}

/// Whole seconds: a person reads it.
fn end(length: &str, now: Timestamp) -> Result<Timestamp> {
    let unfit = || {
        Failure::plain(format!(
            "--expires {length:?}: a length of time like 30m, 8h or 7d is expected"
        ))
    };
    let span: Span = length.parse().map_err(|_| unfit())?;
    let end = now.to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| unfit())?.timestamp();
    if end <= now {
        return Err(unfit());
    }
    let seconds = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    end.round(seconds).map_err(|_| unfit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_leads_into_the_future_or_nowhere() {
        let now: Timestamp = "2030-01-01T00:00:00.5Z".parse().unwrap();
        for (length, at) in [
            ("30m", "2030-01-01T00:30:01Z"),
            ("8h", "2030-01-01T08:00:01Z"),
            ("7d", "2030-01-08T00:00:01Z"),
            ("1h 30m", "2030-01-01T01:30:01Z"),
        ] {
            assert_eq!(end(length, now).unwrap().to_string(), at, "{length}");
        }
        for length in ["", "7", "-1h", "0s", "soon", "1h ago", "9999999999y"] {
            assert!(end(length, now).is_err(), "{length}");
        }
    }

    #[test]
    fn what_may_be_anything_stands_out_and_a_line_feed_cannot_pretend_to_be_a_rule() {
        let argument = |rule: &str, value: Option<&str>| -> GrantedArgument {
            serde_json::from_value(serde_json::json!({
                "name": "to", "rule": rule, "field": { "label": "To\nfrom", "value": value }
            }))
            .unwrap()
        };
        assert_eq!(rule(&argument("any", None)), "To\\nfrom: ANYTHING");
        assert_eq!(rule(&argument("left_out", None)), "To\\nfrom: left out");
        let lines = rule(&argument("exactly", Some("a\nAny: ANYTHING")));
        assert_eq!(lines, "To\\nfrom: exactly\n    a\n    Any: ANYTHING");
    }
}
