//! What a person decides about, in full: nothing of it is left out, and nothing of it is markup.

use aileron_api::approvals::badge;
use aileron_contract::executor::{Approval, AskedBefore, ChangedLine, Field, LineChange, Preview};
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
            p.badge { (badge(approval.kind.text())) }
            h2 id=(heading) { (said(&approval.action)) }
            @if let Some(connector) = &approval.connector {
                p.quiet { "on " (said(connector)) }
            }
            @if let Some(before) = &approval.asked_before { (changed(before)) }
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

/// What is other than it was when the person said yes.
fn changed(before: &AskedBefore) -> Markup {
    let again = if before.times > 1 { " each time" } else { "" };
    html! {
        div.notice.warn {
            p {
                strong { "You approved this before, and it changed" (again) "." }
                " Nothing was done. Decide about what is shown now."
            }
            @if !before.changes.is_empty() {
                pre.diff tabindex="0" aria-label="From what you approved to what is shown now" {
                    @for ChangedLine { change, text } in &before.changes {
                        @match change {
                            LineChange::Kept => span { "  " (shown(text)) "\n" },
                            LineChange::Removed => del { "- " (shown(text)) "\n" },
                            LineChange::Added => ins { "+ " (shown(text)) "\n" },
                        }
                    }
                }
            }
        }
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
                    a href={ "sessions/" (encoded(session.as_ref())) } { (said(session)) }
                    @if approval.session_named {
                        span.quiet { " (named by another program: perhaps its agent did not ask)" }
                    }
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
        form.decide method="post" action={ "approvals/" (encoded(&id)) "/decide" } {
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

#[cfg(test)]
mod tests {
    use aileron_contract::names::Sha256Hash;

    use super::*;

    #[test]
    fn what_changed_since_it_was_approved_is_shown_line_by_line_as_text() {
        let line = |change, text: &str| ChangedLine { change, text: text.to_owned() };
        let before = AskedBefore {
            times: 1,
            digest: Sha256Hash::new([1; 32]),
            changes: vec![
                line(LineChange::Kept, "Title: one"),
                line(LineChange::Removed, "To: <me>"),
                line(LineChange::Added, "To: \u{202e}you"),
            ],
        };
        let told = changed(&before).into_string();
        assert!(
            told.contains("<span>  Title: one\n</span><del>- To: &lt;me&gt;\n</del>"),
            "{told}"
        );
        assert!(told.contains("<ins>+ To: <mark class=\"odd\">\\u{202e}</mark>you\n</ins>"));
        let unsaid = changed(&AskedBefore { changes: Vec::new(), ..before }).into_string();
        assert!(unsaid.contains("You approved this before") && !unsaid.contains("<pre"));
    }
}
