//! The overview: what waits, what happened today, how the vault stands.

use aileron_contract::{
    Timestamp,
    audit::{Actor, ActorKind, Filter, Record},
    executor::Approval,
    vault,
};
use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{
    answer::{Result, page},
    audit::{about, link},
    frame::Frame,
    signed::Signed,
    text::{clock, counted, encoded, said, shown, time},
};
use crate::Shared;

/// Lines of today.
const TIMELINE: u32 = 40;

pub(super) async fn show(State(shared): State<Shared>, signed: Signed) -> Result<Response> {
    let services = &shared.services;
    let waiting = services.executor.approvals(&signed.context).await?;
    let since = Some(midnight((shared.options.clock)()));
    let filter = Filter { since, limit: Some(TIMELINE), ..Filter::default() };
    let today = services.audit.query(&signed.context, filter).await?;
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { "Overview" }
        (standing(&frame))
        section aria-labelledby="waiting" {
            h2 id="waiting" { "Waiting for you" }
            (pending(&waiting))
        }
        section aria-labelledby="today" {
            h2 id="today" { "Today" }
            (timeline(&today))
        }
    };
    Ok(page(frame.around("Overview", true, content)))
}

fn standing(frame: &Frame) -> Markup {
    html! {
        div id="standing" data-live {
            @match frame.vault {
                vault::State::Unlocked => {}
                vault::State::Locked => p.notice.warn {
                    "The vault is locked: calls that need a credential wait. "
                    a href="vault" { "Unlock it" } "."
                },
                vault::State::Missing => p.notice.bad {
                    "There is no vault yet: " code { "aileron vault init" } " makes one."
                },
            }
            @if frame.drift > 0 {
                p.notice.warn {
                    (counted_files(frame.drift)) " not as you accepted "
                    @if frame.drift == 1 { "it" } @else { "them" } ": "
                    a href="drift" { "see what changed" } "."
                }
            }
        }
    }
}

fn counted_files(number: u64) -> String {
    let plural = if number == 1 { " is" } else { "s are" };
    format!("{number} installed file{plural}")
}

fn pending(waiting: &[Approval]) -> Markup {
    const SHOWN: usize = 5;
    html! {
        div id="pending-list" data-live {
            @if waiting.is_empty() {
                p.empty { "Nothing waits for you." }
            } @else {
                ul.list {
                    @for approval in waiting.iter().take(SHOWN) {
                        li {
                            a href={ "approvals?focus=" (encoded(approval.id.as_ref())) } {
                                strong { (said(&approval.action)) }
                            }
                            @if let Some((label, value)) = gist(approval) {
                                " " span { (shown(label)) ": " (shown(&value)) }
                            }
                            span.quiet { " asked " (time(approval.requested_at)) }
                        }
                    }
                }
                p { a.button.primary href="approvals" {
                    "Decide " (counted(waiting.len(), "approval"))
                } }
            }
        }
    }
}

/// Who did it. An agent is its session.
pub(super) fn by(actor: &Actor) -> Markup {
    html! {
        span.quiet {
            "by "
            @match actor.kind {
                ActorKind::Agent => a href={ "sessions/" (encoded(&actor.id)) } {
                    "an agent" span.aside { " in the session " (shown(&actor.id)) }
                },
                ActorKind::Human | ActorKind::Service | ActorKind::ConnectorRuntime => {
                    (shown(&actor.id))
                },
            }
        }
    }
}

/// The first thing a call says, in short.
fn gist(approval: &Approval) -> Option<(&str, String)> {
    const SHOWN: usize = 60;
    let first = approval.input_fields.iter().find_map(|field| {
        let value = field.value.as_deref().map(str::trim).filter(|value| !value.is_empty())?;
        Some((field.label.as_str(), value))
    });
    let (label, value) = first?;
    let line = value.lines().next().unwrap_or_default();
    let short: String = line.chars().take(SHOWN).collect();
    let cut = if short.len() < value.len() { "…" } else { "" };
    Some((label, format!("{short}{cut}")))
}

fn timeline(records: &[Record]) -> Markup {
    html! {
        div id="timeline" data-live {
            @if records.is_empty() {
                p.empty { "Nothing happened yet today (UTC)." }
            } @else {
                ol.timeline {
                    @for record in records {
                        li {
                            (clock(record.timestamp)) " "
                            (link(record)) " " span { (about(record)) }
                            " " (by(&record.actor))
                        }
                    }
                }
                p { a href="audit" { "The whole log" } }
            }
        }
    }
}

/// The start of the day in UTC.
fn midnight(now: Timestamp) -> Timestamp {
    const DAY: i64 = 24 * 60 * 60;
    let start = now.as_second().div_euclid(DAY).saturating_mul(DAY);
    Timestamp::from_second(start).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_begins_at_midnight_in_utc() {
        let noon = "2030-01-31T12:30:00Z".parse().unwrap();
        assert_eq!(midnight(noon).to_string(), "2030-01-31T00:00:00Z");
    }
}
