//! One run: what was called, what became of it, and what it answered.

use aileron_contract::{
    Principal,
    executor::{Run, RunState},
    failure::Failure,
    names::RunId,
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};

use super::{
    answer::{Result, page},
    signed::{Numbered, Signed},
    text::{encoded, perhaps_json, raw, said, sentence, short, shown, time},
};
use crate::Shared;

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(Numbered { id }): Path<Numbered>,
) -> Result<Response> {
    let id: RunId = id.parse()?;
    let run = shared.services.executor.run_by_id(&signed.context, id).await?;
    let frame = signed.frame(&shared).await?;
    let title = format!("Run of {}", run.action);
    Ok(page(frame.around(&title, true, told(&run))))
}

/// Where the page of a run is.
pub(super) fn link(id: &RunId) -> String {
    format!("runs/{}", encoded(id.as_ref()))
}

/// The state in a person's word.
pub(super) fn word(state: RunState) -> &'static str {
    match state {
        RunState::Parked => "waiting for you",
        RunState::Approved => "approved",
        RunState::AwaitingVault => "waiting for the vault",
        RunState::Running => "running",
        RunState::Done => "done",
        RunState::Failed => "failed",
        RunState::Ambiguous => "ambiguous",
        RunState::Denied => "denied",
        RunState::Expired => "expired",
    }
}

pub(super) fn tone(state: RunState) -> &'static str {
    match state {
        RunState::Done => "good",
        RunState::Failed | RunState::Denied | RunState::Expired => "bad",
        RunState::Parked | RunState::AwaitingVault | RunState::Ambiguous => "warn",
        RunState::Approved | RunState::Running => "",
    }
}

/// A failure, with the page of the manual about it.
pub(super) fn failed(failure: &Failure) -> Markup {
    html! {
        div.notice.bad {
            p { strong { (failure.class.text()) } ": " (shown(&failure.message)) }
            p.quiet {
                a href={ "/docs/failures/" (failure.class.text()) } { "What this means" }
                @if let Some(id) = &failure.audit_id {
                    " · " a href={ "audit/" (encoded(id.as_ref())) } { "In the log" }
                }
            }
        }
    }
}

fn told(run: &Run) -> Markup {
    html! {
        h1 { (said(&run.action)) }
        div id="run" data-live {
            p { "This run is " strong class={ "chip " (tone(run.state)) } { (word(run.state)) } "." }
            @if run.state == RunState::Parked {
                p {
                    a.button href={ "approvals?focus=" (encoded(run.id.as_ref())) } {
                        "Decide it"
                    }
                }
            }
            @if run.state == RunState::Ambiguous && let Some(why) = run.state.explained() {
                p.notice.warn { (sentence(why)) "." }
            }
            @if run.quarantined {
                p.notice.bad { "The record is not what the runtime wrote: it will not run." }
            }
            @if let Some(failure) = &run.failure { (failed(failure)) }
            @if let Some(result) = &run.result {
                h2 { "Result" }
                (perhaps_json(&result.output))
                p.quiet {
                    a href={ "audit/" (encoded(result.audit_id.as_ref())) } { "In the log" }
                }
            }
            h2 { "Called with" }
            (raw(&run.arguments))
            (facts(run))
        }
    }
}

fn facts(run: &Run) -> Markup {
    html! {
        dl.facts {
            dt { "Run" } dd { code { (said(&run.id)) } }
            dt { "Asked by" } dd { (asker(&run.principal)) }
            @if let Some(connector) = &run.connector { dt { "Connector" } dd { (said(connector)) } }
            @if let Some(step) = &run.step { dt { "Step" } dd { (shown(step)) } }
            @if let Some(identity) = &run.identity { dt { "Account" } dd { (said(identity)) } }
            @if let Some(session) = &run.session { dt { "Session" } dd { (said(session)) } }
            dt { "Asked" } dd { (time(run.requested_at)) }
            @if let Some(at) = run.decided_at { dt { "Decided" } dd { (time(at)) } }
            @if let Some(reason) = &run.reason { dt { "Reason" } dd { (shown(reason)) } }
            @if let Some(at) = run.ended_at { dt { "Ended" } dd { (time(at)) } }
            @if let Some(digest) = &run.digest {
                dt { "Digest" } dd { code title=(digest) { (short(digest)) } }
            }
        }
    }
}

fn asker(principal: &Principal) -> Markup {
    let (kind, id) = match principal {
        Principal::Person(id) => ("you, in the session", id),
        Principal::Program(id) => ("a program with the token", id),
        Principal::Agent(id) => ("the agent of the session", id),
        Principal::Service(id) => ("the runtime's", id),
    };
    html! { (kind) " " (shown(id)) }
}
