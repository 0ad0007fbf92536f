//! What a person decides about, in full: nothing of it is left out, and nothing of it is markup.

use aileron_contract::executor::{Approval, ApprovalKind, Field, Preview};
use maud::{Markup, html};

use super::{
    frame::Frame,
    text::{encoded, raw, said, short, shown, time},
};

/// A parked run, with the form that decides it. `focus` is the one the person came for.
pub(super) fn card(approval: &Approval, frame: &Frame, focus: bool) -> Markup {
    let id = approval.id.to_string();
    let heading = format!("what-{id}");
    // A preview that was fetched again makes another card of it.
    let key = format!("{id} {}", approval.digest);
    html! {
        article.card.focus[focus] id=(id) data-key=(key) aria-labelledby=(heading)
            tabindex=[focus.then_some("-1")] autofocus[focus] {
            p.badge { (badge(approval.kind)) }
            h2 id=(heading) { (said(&approval.action)) }
            @if let Some(connector) = &approval.connector {
                p.quiet { "on " (said(connector)) }
            }
            @if let Some(preview) = &approval.preview {
                h3 { "What it acts upon" }
                (previewed(preview))
            }
            h3 { "What it is called with" }
            @if approval.input_fields.is_empty() {
                p.quiet { "Nothing." }
            } @else {
                (fields(&approval.input_fields))
            }
            details {
                summary { "Raw arguments" }
                (raw(&approval.arguments))
            }
            (facts(approval))
            (form(approval, frame))
        }
    }
}

/// The kinds, as published.
pub(super) fn badge(kind: ApprovalKind) -> &'static str {
    match kind {
        ApprovalKind::Action => "ACTION",
        ApprovalKind::CommsSend => "COMMS SEND",
        ApprovalKind::CommsDraft => "COMMS DRAFT",
        ApprovalKind::HttpRequest => "HTTP REQUEST",
    }
}

fn previewed(preview: &Preview) -> Markup {
    match preview {
        Preview::Fields(lines) => fields(lines),
        Preview::Unavailable(why) => html! {
            p.notice.warn { "Preview unavailable: " (shown(why)) ". You can decide all the same." }
        },
    }
}

fn fields(lines: &[Field]) -> Markup {
    html! {
        dl.fields {
            @for Field { label, value, missing, multiline } in lines {
                dt { (shown(label)) }
                dd.text[*multiline] {
                    @match value {
                        Some(value) => (shown(value)),
                        None if *missing => em { "missing" },
                        None => em { "empty" },
                    }
                }
            }
        }
    }
}

fn facts(approval: &Approval) -> Markup {
    html! {
        dl.facts {
            @if let Some(identity) = &approval.identity {
                dt { "Account" } dd { (said(identity)) }
            }
            @if let Some(session) = &approval.session {
                dt { "Session" }
                dd {
                    a href={ "/sessions/" (encoded(session.as_ref())) } { (said(session)) }
                }
            }
            dt { "Asked" } dd { (time(approval.requested_at)) }
            dt { "Waits until" } dd { (time(approval.expires_at)) }
            dt { "Digest" }
            dd { code title=(approval.digest) { (short(&approval.digest)) } }
        }
    }
}

/// The digest binds the decision to what this card showed.
fn form(approval: &Approval, frame: &Frame) -> Markup {
    let id = approval.id.to_string();
    let reason = format!("reason-{id}");
    html! {
        form.decide method="post" action={ "/approvals/" (encoded(&id)) "/decide" } {
            (frame.token())
            input type="hidden" name="digest" value=(approval.digest);
            label for=(reason) { "Reason " span.quiet { "(the agent sees it)" } }
            input id=(reason) name="reason" maxlength="500" autocomplete="off";
            div.row {
                button.primary name="decision" value="approve" {
                    "Approve" span.aside { " " (said(&approval.action)) }
                }
                button.danger name="decision" value="deny" {
                    "Deny" span.aside { " " (said(&approval.action)) }
                }
            }
        }
    }
}
