//! What waits for the person, and what became of what did.

use aileron_contract::{
    Reason,
    executor::{Approval, Decision, Run, RunFilter, RunState},
    limits,
    names::{RunId, Sha256Hash},
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use http::Uri;
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, page},
    card::card,
    crowd::crowds,
    form::query,
    frame::Frame,
    grants,
    runs::{link, tone, word},
    signed::{Numbered, Posted, Signed},
    text::{encoded, said, shown, time},
};
use crate::Shared;

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    uri: Uri,
) -> Result<Response> {
    let focus = query(&uri).take("focus").and_then(|raw| raw.parse::<RunId>().ok());
    let executor = &shared.services.executor;
    let mut waiting = executor.approvals(&signed.context).await?;
    let frame = signed.frame(&shared).await?;
    let focused = match &focus {
        Some(id) => match waiting.iter().position(|approval| approval.id == *id) {
            Some(index) => {
                // The one the person came for stands first.
                waiting.get_mut(..=index).unwrap_or_default().rotate_right(1);
                None
            }
            None => Some(gone(&shared, &signed, id).await?),
        },
        None => None,
    };
    let history = decided(&shared, &signed).await?;
    let granted = grants::section(&shared, &signed, &frame).await?;
    let content = html! {
        h1 { "Approvals" }
        @if let Some(gone) = focused { (gone) }
        (crowds(&waiting, &frame))
        (cards(&waiting, &frame, focus.as_ref()))
        (granted)
        section aria-labelledby="history" {
            h2 id="history" { "Decided" }
            (past(&history))
        }
    };
    Ok(page(frame.around("Approvals", true, content)))
}

/// Decides, once, what the card showed.
pub(super) async fn decide(
    State(shared): State<Shared>,
    Path(Numbered { id }): Path<Numbered>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let id: RunId = id.parse().map_err(back)?;
    let digest: Sha256Hash = fields.needed("digest")?.parse().map_err(back)?;
    let approved = match fields.needed("decision")?.as_str() {
        "approve" => true,
        "deny" => false,
        _ => return Err(Problem::new(Reason::InvalidBody, "a decision is approve or deny")),
    };
    let decision = Decision { approved, reason: fields.filled("reason"), digest: Some(digest) };
    let executor = &shared.services.executor;
    let there = format!("approvals?focus={}", encoded(id.as_ref()));
    match executor.decide(&signed.context, id, decision).await {
        Ok(()) => Ok(signed.on_to(&there)),
        // Somebody was faster.
        Err(error) if error.reason() == Reason::ApprovalDecided => {
            Err(Problem::from(error).back_to(there, "See what became of it"))
        }
        Err(error) => Err(back(error)),
    }
}

/// A refusal of a form that stands among the approvals.
pub(super) fn back(error: aileron_contract::Error) -> Problem {
    Problem::from(error).back_to("approvals", "Back to the approvals")
}

fn cards(waiting: &[Approval], frame: &Frame, focus: Option<&RunId>) -> Markup {
    let more = waiting.len().saturating_sub(limits::PAGE_CARDS);
    html! {
        @if !frame.unlocked() && !waiting.is_empty() {
            p.notice.warn {
                "The vault is locked: " a href="vault" { "unlock it" } " before you decide."
            }
        }
        div.cards id="cards" data-live="keyed" {
            @for approval in waiting.iter().take(limits::PAGE_CARDS) {
                (card(approval, frame, focus == Some(&approval.id)))
            }
            @if waiting.is_empty() {
                p.empty data-key="none" { "Nothing waits for you." }
            }
            @if more > 0 {
                p.quiet data-key={ "more " (more) } { (more) " more wait behind these." }
            }
        }
    }
}

/// What became of the one the person came for.
async fn gone(shared: &Shared, signed: &Signed, id: &RunId) -> Result<Markup> {
    let told = match shared.services.executor.run_by_id(&signed.context, id.clone()).await {
        Ok(run) => html! {
            p.notice id="focused" data-live role="status" {
                strong { (said(&run.action)) } " no longer waits: it is "
                strong { (word(run.state)) }
                @if let Some(reason) = &run.reason { ": “" (shown(reason)) "”" }
                ". " a href=(link(&run.id)) { "See what became of it" } "."
            }
        },
        Err(error) if error.reason() == Reason::NotFound => html! {
            p.notice id="focused" data-live role="status" {
                "The approval " code { (said(id)) } " is not known here."
            }
        },
        Err(error) => return Err(error.into()),
    };
    Ok(told)
}

async fn decided(shared: &Shared, signed: &Signed) -> Result<Vec<Run>> {
    const LOOKED_AT: u32 = 200;
    const SHOWN: usize = 20;
    let filter = RunFilter { limit: Some(LOOKED_AT), ..RunFilter::default() };
    let runs = shared.services.executor.runs(&signed.context, filter).await?;
    let over = |run: &Run| run.gated && run.state != RunState::Parked;
    Ok(runs.into_iter().filter(over).take(SHOWN).collect())
}

fn past(runs: &[Run]) -> Markup {
    html! {
        div.scroll id="past" data-live {
            @if runs.is_empty() {
                p.empty { "Nothing was decided yet." }
            } @else {
                table {
                    thead {
                        tr {
                            th scope="col" { "Action" }
                            th scope="col" { "State" }
                            th scope="col" { "Reason" }
                            th scope="col" { "When" }
                        }
                    }
                    tbody {
                        @for run in runs {
                            tr {
                                th scope="row" { a href=(link(&run.id)) { (said(&run.action)) } }
                                td { span class={ "chip " (tone(run.state)) } { (word(run.state)) } }
                                td { (shown(run.reason.as_deref().unwrap_or_default())) }
                                td { (time(run.decided_at.unwrap_or(run.requested_at))) }
                            }
                        }
                    }
                }
            }
        }
    }
}
