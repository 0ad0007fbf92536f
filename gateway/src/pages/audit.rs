//! The log: what happened, filtered, and the proof of each event.

use aileron_api::audit::{facts, happened, subject};
use aileron_contract::{
    Timestamp,
    audit::{EventKind, Filter, Record},
    limits,
    names::AuditId,
};
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{Uri, header};
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, page},
    chart,
    form::query,
    home::by,
    signed::{Numbered, Signed},
    text::{encoded, raw, said, sentence, shown, time},
};
use crate::Shared;

/// Lines of one page.
const LINES: u32 = 100;

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    uri: Uri,
) -> Result<Response> {
    let mut asked = query(&uri);
    let kind = asked.filled("kind").filter(|kind| kind.parse::<EventKind>().is_ok());
    let connector = asked.filled("connector");
    let filter = Filter {
        kind: kind.clone(),
        connector: connector.as_deref().map(str::parse).transpose().map_err(back)?,
        limit: Some(LINES),
        ..Filter::default()
    };
    let audit = &shared.services.audit;
    let records = audit.query(&signed.context, filter).await?;
    let now = (shared.options.clock)();
    let (since, limit) = (Some(chart::start(now)), Some(limits::AUDIT_PAGE));
    let recent = Filter { since, limit, ..Filter::default() };
    let recent = audit.query(&signed.context, recent).await?;
    let days: Vec<Timestamp> = recent.iter().map(|record| record.timestamp).collect();
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { "Log" }
        (chart::days(&days, now))
        (filters(kind.as_deref(), connector.as_deref().unwrap_or_default()))
        (table(&records))
    };
    Ok(page(frame.around("Log", true, content)))
}

pub(super) async fn event(
    State(shared): State<Shared>,
    signed: Signed,
    Path(Numbered { id }): Path<Numbered>,
) -> Result<Response> {
    let id: AuditId = id.parse().map_err(back)?;
    let audit = &shared.services.audit;
    let record = audit.get(&signed.context, id.clone()).await.map_err(back)?;
    let receipt = audit.receipt(&signed.context, id).await?;
    let frame = signed.frame(&shared).await?;
    Ok(page(frame.around("One event", false, told(&record, &receipt))))
}

/// The receipt as a file: a stranger can verify it without this runtime.
pub(super) async fn receipt(
    State(shared): State<Shared>,
    signed: Signed,
    Path(Numbered { id }): Path<Numbered>,
) -> Result<Response> {
    let id: AuditId = id.parse().map_err(back)?;
    let receipt = shared.services.audit.receipt(&signed.context, id).await.map_err(back)?;
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"receipt.txt\""),
    ];
    Ok((head, receipt).into_response())
}

/// What happened, leading to all of it.
pub(super) fn link(record: &Record) -> Markup {
    html! { a href={ "audit/" (encoded(record.id.as_ref())) } { (said_to_be(record)) } }
}

/// What an event is about, in a word.
pub(super) fn about(record: &Record) -> Markup {
    html! { (shown(&subject(&record.payload))) }
}

/// What happened. An event of another runtime's log says it by its name alone.
fn said_to_be(record: &Record) -> Markup {
    html! {
        @if let Some(words) = happened(&record.kind, &record.payload) {
            (sentence(words))
        } @else {
            (shown(&record.kind))
        }
    }
}

fn back(error: aileron_contract::Error) -> Problem {
    Problem::from(error).back_to("audit", "Back to the log")
}

fn filters(kind: Option<&str>, connector: &str) -> Markup {
    html! {
        form.filter method="get" action="audit" {
            div {
                label for="kind" { "Event" }
                select id="kind" name="kind" {
                    option value="" { "All events" }
                    @for one in EventKind::ALL {
                        option value=(one.text()) selected[kind == Some(one.text())] {
                            (worded(*one))
                        }
                    }
                }
            }
            div {
                label for="connector" { "Connector" }
                input id="connector" name="connector" value=(connector)
                    placeholder="github://owner/repo";
            }
            button { "Filter" }
        }
    }
}

/// A kind of event by what it tells of most of them.
fn worded(kind: EventKind) -> String {
    happened(kind.text(), &serde_json::Map::new()).map_or_else(|| kind.to_string(), sentence)
}

fn table(records: &[Record]) -> Markup {
    html! {
        div.scroll id="events" data-live {
            @if records.is_empty() {
                p.empty { "No event fits." }
            } @else {
                table {
                    caption { "Newest first, " (LINES) " at most" }
                    thead {
                        tr {
                            th scope="col" { "When" }
                            th scope="col" { "Event" }
                            th scope="col" { "About" }
                            th scope="col" { "By" }
                        }
                    }
                    tbody {
                        @for record in records {
                            tr {
                                td { (time(record.timestamp)) }
                                th scope="row" { (link(record)) }
                                td { (about(record)) }
                                td { (by(&record.actor)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn told(record: &Record, receipt: &str) -> Markup {
    html! {
        h1 { (said_to_be(record)) }
        dl.facts {
            dt { "Event" } dd { code { (shown(&record.kind)) } }
            dt { "When" } dd { (time(record.timestamp)) }
            dt { "By" } dd { (record.actor.kind.text()) " " (shown(&record.actor.id)) }
            dt { "Id" } dd { code { (said(&record.id)) } }
            dt { "Leaf" } dd { (record.index) }
            @if let Some(trace) = &record.trace_id { dt { "Trace" } dd { code { (shown(trace)) } } }
        }
        h2 { "What it tells" }
        dl.facts {
            @for fact in facts(&record.payload) {
                dt { (shown(fact.label)) }
                dd {
                    @match fact.time().and_then(|at| at.parse().ok()) {
                        Some(at) => (time(at)),
                        None => (shown(&fact.spelled())),
                    }
                }
            }
        }
        h2 { "What was recorded" }
        (raw(&record.payload))
        h2 { "Proof that it is in the log" }
        p {
            "Whoever has the log's public key checks this receipt without this runtime: "
            a href="/docs/receipts" { "how" } "."
        }
        pre tabindex="0" { code { (shown(receipt)) } }
        p {
            a.button href={ "audit/" (encoded(record.id.as_ref())) "/receipt" } {
                "Download the receipt"
            }
        }
        p { a href="audit" { "Back to the log" } }
    }
}
