//! What the person granted in advance, below what waits: each with a button that takes it back.

use aileron_contract::{
    executor::{Grant, GrantCaller, GrantRule, GrantState, GrantedArgument},
    names::GrantId,
};
use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{
    answer::Result,
    approvals::back,
    frame::Frame,
    signed::{Posted, Signed},
    text::{encoded, said, shown, time},
};
use crate::Shared;

/// Grants that are over and still told about.
const OVER: usize = 10;

/// The section of the approvals page; nothing while nothing was granted.
pub(super) async fn section(shared: &Shared, signed: &Signed, frame: &Frame) -> Result<Markup> {
    let grants = shared.services.executor.grants(&signed.context).await?;
    let usable = |grant: &&Grant| grant.state == GrantState::Live && !grant.quarantined;
    let live: Vec<_> = grants.iter().filter(usable).collect();
    let over: Vec<_> = grants.iter().filter(|grant| !usable(grant)).take(OVER).collect();
    Ok(html! {
        div id="in-advance" data-live {
            @if !grants.is_empty() {
                section aria-labelledby="granted" {
                    h2 id="granted" { "Granted in advance" }
                    div.cards id="grants" {
                        @for grant in &live { (card(grant, frame)) }
                    }
                    @if live.is_empty() { p.empty { "Nothing runs without asking you." } }
                    (ended(&over, frame))
                }
            }
        }
    })
}

/// Ends a grant.
pub(super) async fn revoke(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let id: GrantId = fields.needed("id")?.parse().map_err(back)?;
    shared.services.executor.revoke_grant(&signed.context, id).await.map_err(back)?;
    Ok(signed.on_to("approvals"))
}

fn card(grant: &Grant, frame: &Frame) -> Markup {
    let terms = &grant.terms;
    let heading = format!("grant-{}", grant.id);
    html! {
        article.card aria-labelledby=(heading) {
            h3 id=(heading) { (said(&terms.action)) }
            p {
                "Runs without asking you: used " (grant.used) " of " (terms.max_uses)
                " times, until " (time(terms.expires_at)) "."
            }
            dl.facts {
                dt { "For" } dd { (caller(&terms.caller)) }
                @for argument in &terms.arguments {
                    dt { (shown(&argument.field.label)) } dd { (rule(argument)) }
                }
                @for binding in &terms.bindings {
                    dt { "Credential" } dd { (said(&binding.binding)) }
                }
            }
            div.row { (button(grant, frame, "Revoke it")) }
        }
    }
}

fn ended(over: &[&Grant], frame: &Frame) -> Markup {
    html! {
        @if !over.is_empty() {
            div.scroll id="granted-before" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Action" }
                            th scope="col" { "For" }
                            th scope="col" { "Used" }
                            th scope="col" { "What became of it" }
                        }
                    }
                    tbody {
                        @for grant in over {
                            tr {
                                th scope="row" { (said(&grant.terms.action)) }
                                td { (caller(&grant.terms.caller)) }
                                td { (grant.used) " of " (grant.terms.max_uses) }
                                td { (became(grant, frame)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn became(grant: &Grant, frame: &Frame) -> Markup {
    html! {
        @if grant.quarantined {
            "Its record is not what the runtime wrote: nothing runs on it. "
            (button(grant, frame, "Remove it"))
        } @else {
            (word(grant.state))
            @if let Some(why) = grant.void { ": " (why.text().replace('_', " ")) }
            @if let Some(at) = grant.ended_at { ", " (time(at)) }
        }
    }
}

fn button(grant: &Grant, frame: &Frame, words: &str) -> Markup {
    html! {
        form method="post" action="approvals/grants/revoke" {
            (frame.token())
            input type="hidden" name="id" value=(grant.id);
            button.danger {
                (words)
                span.aside { " " (said(&grant.terms.action)) " for " (spoken(&grant.terms.caller)) }
            }
        }
    }
}

fn word(state: GrantState) -> &'static str {
    match state {
        GrantState::Live => "Live",
        GrantState::UsedUp => "Used up",
        GrantState::Expired => "Expired",
        GrantState::Revoked => "Revoked",
        GrantState::Void => "Void",
    }
}

fn caller(caller: &GrantCaller) -> Markup {
    match caller {
        GrantCaller::Session(id) => html! {
            "agent session " a href={ "sessions/" (encoded(id.as_ref())) } { (said(id)) }
        },
        GrantCaller::Token(id) => html! { "token " (said(id)) },
    }
}

/// The same without a link: a button holds none.
fn spoken(caller: &GrantCaller) -> Markup {
    match caller {
        GrantCaller::Session(id) => html! { "agent session " (said(id)) },
        GrantCaller::Token(id) => html! { "token " (said(id)) },
    }
}

fn rule(argument: &GrantedArgument) -> Markup {
    match argument.rule {
        GrantRule::Exactly(_) => {
            let value = argument.field.value.as_deref().unwrap_or_default();
            html! {
                @if argument.field.multiline { pre { (shown(value)) } } @else { (shown(value)) }
            }
        }
        GrantRule::LeftOut => html! { em { "left out" } },
        GrantRule::Any => html! { strong { "anything" } },
    }
}
