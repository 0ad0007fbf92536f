//! Sessions of agents: who was started, where, and what each did.

use aileron_contract::{
    audit::Filter as Wanted,
    executor::RunFilter,
    limits,
    names::SessionId,
    sessions::{Filter, Session, State as Standing},
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, page},
    audit,
    frame::Frame,
    runs::{link, tone, word},
    signed::{Numbered, Posted, Signed},
    text::{clock, encoded, said, shown, time},
};
use crate::Shared;

/// The newest events that are shown: as many as the log gives at once.
const EVENTS: u32 = limits::AUDIT_PAGE;

pub(super) async fn list(State(shared): State<Shared>, signed: Signed) -> Result<Response> {
    const SHOWN: u32 = 100;
    let sessions = match &shared.services.sessions {
        Some(sessions) => {
            let filter = Filter { limit: Some(SHOWN), ..Filter::default() };
            sessions.list(&signed.context, filter).await?
        }
        None => Vec::new(),
    };
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { "Sessions" }
        p.quiet { "An agent that " code { "aileron launch" } " starts has a session of its own." }
        div.scroll id="sessions" data-live {
            @if sessions.is_empty() {
                p.empty { "No agent was started yet." }
            } @else {
                (table(&sessions))
            }
        }
    };
    Ok(page(frame.around("Sessions", true, content)))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(Numbered { id }): Path<Numbered>,
) -> Result<Response> {
    let id: SessionId = id.parse().map_err(back)?;
    let sessions = shared.sessions().map_err(back)?;
    let session = sessions.get(&signed.context, id.clone()).await.map_err(back)?;
    let filter = RunFilter { session: Some(id.clone()), ..RunFilter::default() };
    let runs = shared.services.executor.runs(&signed.context, filter).await?;
    let filter = Wanted { session: Some(id), limit: Some(EVENTS), ..Wanted::default() };
    let records = shared.services.audit.query(&signed.context, filter).await?;
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { (said(&session.agent)) }
        (facts(&session))
        @if session.state() == Standing::Running { (ending(&session, &frame)) }
        h2 { "What it called" }
        ul.list id="calls" data-live {
            @for run in &runs {
                li {
                    a href=(link(&run.id)) { (said(&run.action)) } " "
                    span class={ "chip " (tone(run.state)) } { (word(run.state)) } " "
                    span.quiet { (time(run.requested_at)) }
                }
            }
            @if runs.is_empty() { li.quiet { "Nothing." } }
        }
        h2 { "In the log" }
        ol.timeline id="timeline" data-live {
            @for record in &records {
                li {
                    (clock(record.timestamp)) " "
                    (audit::link(record)) " " span { (audit::about(record)) }
                }
            }
        }
    };
    Ok(page(frame.around("One session", true, content)))
}

/// Takes the agent's rights away. Its process is not ours to end.
pub(super) async fn end(
    State(shared): State<Shared>,
    Path(Numbered { id }): Path<Numbered>,
    Posted { signed, .. }: Posted,
) -> Result<Response> {
    let id: SessionId = id.parse().map_err(back)?;
    let there = format!("sessions/{}", encoded(id.as_ref()));
    shared.sessions().map_err(back)?.end(&signed.context, id, None).await.map_err(back)?;
    Ok(signed.on_to(&there))
}

fn back(error: aileron_contract::Error) -> Problem {
    Problem::from(error).back_to("sessions", "Back to the sessions")
}

fn standing(session: &Session) -> &'static str {
    match session.state() {
        Standing::Running => "running",
        Standing::Ended => "ended",
        Standing::Orphaned => "orphaned",
    }
}

fn table(sessions: &[Session]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Agent" }
                    th scope="col" { "State" }
                    th scope="col" { "Folder" }
                    th scope="col" { "Started" }
                }
            }
            tbody {
                @for session in sessions {
                    tr {
                        th scope="row" {
                            a href={ "sessions/" (encoded(session.id.as_ref())) } {
                                (said(&session.agent))
                            }
                        }
                        td { (standing(session)) }
                        td { code { (shown(&session.working_dir)) } }
                        td { (time(session.started_at)) }
                    }
                }
            }
        }
    }
}

/// Folded away: to open it is the first step, to press the second.
fn ending(session: &Session, frame: &Frame) -> Markup {
    html! {
        details {
            summary { "End this session" }
            form method="post" action={ "sessions/" (encoded(session.id.as_ref())) "/end" } {
                (frame.token())
                p.quiet {
                    "The agent's token stops working at once. Its process goes on, and what it asked \
                     for before still waits for you."
                }
                button.danger { "End the session of " (said(&session.agent)) }
            }
        }
    }
}

fn facts(session: &Session) -> Markup {
    html! {
        dl.facts {
            dt { "Session" } dd { code { (said(&session.id)) } }
            dt { "State" } dd { (standing(session)) }
            dt { "Folder" } dd { code { (shown(&session.working_dir)) } }
            dt { "Started" } dd { (time(session.started_at)) }
            @if let Some(at) = session.ended_at { dt { "Ended" } dd { (time(at)) } }
            @if let Some(code) = session.exit_code { dt { "Exit code" } dd { (code) } }
        }
    }
}
