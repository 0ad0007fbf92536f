//! `aileron sessions …`.

use std::pin::pin;

use aileron_api::{
    audit::AuditEvent,
    sessions::{EndSession, Session, SessionFilter},
};
use futures::StreamExt as _;

use super::audit::words;
use crate::{
    arguments::{SessionsCommand, SessionsListArguments},
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    printer::one_line,
    table,
};

pub(super) async fn run(
    command: Option<SessionsCommand>,
    list_all: SessionsListArguments,
    connection: &Connection<'_>,
) -> Result<Exit> {
    match command {
        None => list(list_all, connection).await?,
        Some(SessionsCommand::List(arguments)) => list(arguments, connection).await?,
        Some(SessionsCommand::Get { id, json }) => {
            let answer = connection.client.agent_session(&id).await?;
            if json {
                connection.printer.data(answer.raw);
            } else {
                table::facts(connection.printer, &facts(&answer.value));
            }
        }
        Some(SessionsCommand::Watch { id, no_follow, json }) => {
            watch(&id, !no_follow, json, connection).await?;
        }
        Some(SessionsCommand::End { id, json }) => end(&id, json, connection).await?,
    }
    Ok(Exit::Done)
}

/// What the session asked for before goes on waiting: the person decides about that, too.
async fn end(id: &str, json: bool, connection: &Connection<'_>) -> Result<()> {
    let answer = connection.client.end_session(id, &EndSession { exit_code: None }).await?;
    let printer = connection.printer;
    if json {
        printer.data(answer.raw);
        return Ok(());
    }
    let Session { id, agent, .. } = answer.value;
    let (id, agent) = (one_line(&id), one_line(&agent));
    printer.say(format!("The session {id} of {agent} is over: its token opens nothing."));
    printer.say(format!("What it asked for may wait still: aileron approval deny --session {id}"));
    Ok(())
}

async fn list(arguments: SessionsListArguments, connection: &Connection<'_>) -> Result<()> {
    let SessionsListArguments { active, agent, since, limit, json } = arguments;
    let filter = SessionFilter { active_only: active, agent, since, limit };
    let answer = connection.client.agent_sessions(&filter).await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(());
    }
    let rows = answer.value.items.into_iter().map(|session| {
        let ended = session.ended_at.as_deref().map(table::time).unwrap_or_default();
        let exit = session.exit_code.map(|code| code.to_string()).unwrap_or_default();
        [
            session.id,
            session.agent,
            session.state,
            table::time(&session.started_at),
            ended,
            exit,
            session.working_dir,
        ]
    });
    let headings = ["ID", "AGENT", "STATE", "STARTED", "ENDED", "EXIT", "DIRECTORY"];
    table::print(connection.printer, "no agent sessions", headings, rows);
    Ok(())
}

fn facts(session: &Session) -> Vec<(&'static str, String)> {
    vec![
        ("id", session.id.clone()),
        ("agent", session.agent.clone()),
        ("state", session.state.clone()),
        ("directory", session.working_dir.clone()),
        ("started", session.started_at.clone()),
        ("ended", session.ended_at.clone().unwrap_or_default()),
        ("exit code", session.exit_code.map(|code| code.to_string()).unwrap_or_default()),
    ]
}

async fn watch(id: &str, follow: bool, json: bool, connection: &Connection<'_>) -> Result<()> {
    let mut events = pin!(connection.client.watch_session(id, follow));
    while let Some(event) = events.next().await {
        let event = event?;
        let line = if json { as_json(&event)? } else { spoken(&event) };
        connection.printer.data(line);
    }
    Ok(())
}

fn as_json(event: &AuditEvent) -> Result<String> {
    serde_json::to_string(event).map_err(|error| Failure::plain(error.to_string()))
}

fn spoken(event: &AuditEvent) -> String {
    let (time, what) = (table::time(&event.timestamp), words::happened(event));
    let about = words::subject(event);
    let line = format!("{time}  {what}  {about}");
    one_line(line.trim_end())
}
