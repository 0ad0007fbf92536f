//! Many calls of one session: one no to all of them.

use std::collections::BTreeMap;

use aileron_contract::{
    executor::{Approval, GrantCaller},
    names::SessionId,
};
use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{
    answer::Result,
    approvals::back,
    frame::Frame,
    signed::Posted,
    text::{encoded, said},
};
use crate::Shared;

/// Sessions with more than one call waiting, those with most first. The form is folded away: to
/// open it is the first step, to send it the second.
pub(super) fn crowds(waiting: &[Approval], frame: &Frame) -> Markup {
    html! {
        div id="crowds" data-live="keyed" {
            @for (session, number) in counted(waiting) {
                @let reason = format!("reason-{session}");
                details.crowd data-key={ "crowd " (session) } {
                    summary {
                        (number) " calls of the session " (said(session)) " wait"
                    }
                    form.decide method="post" action="approvals/deny" {
                        (frame.token())
                        input type="hidden" name="session" value=(session);
                        p.quiet {
                            "What the session asks until you press is denied as well. To end it, see "
                            a href={ "sessions/" (encoded(session.as_ref())) } { "what it does" }
                            "."
                        }
                        label for=(reason) {
                            "Reason " span.quiet { "(the agent sees it)" }
                        }
                        input id=(reason) name="reason" maxlength="500" autocomplete="off";
                        div.row {
                            button.danger { "Deny all " (number) " of this session" }
                        }
                    }
                }
            }
        }
    }
}

/// Denies all that waits of one session.
pub(super) async fn deny(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let session: SessionId = fields.needed("session")?.parse().map_err(back)?;
    let reason = fields.filled("reason");
    let executor = &shared.services.executor;
    executor
        .deny_all(&signed.context, GrantCaller::Session(session), reason)
        .await
        .map_err(back)?;
    Ok(signed.on_to("approvals"))
}

fn counted(waiting: &[Approval]) -> Vec<(&SessionId, usize)> {
    let mut sessions = BTreeMap::<_, usize>::new();
    for session in waiting.iter().filter_map(|approval| approval.session.as_ref()) {
        let number = sessions.entry(session).or_default();
        *number = number.saturating_add(1);
    }
    let mut crowds: Vec<_> = sessions.into_iter().filter(|(_, number)| *number > 1).collect();
    crowds.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    crowds.truncate(aileron_contract::limits::PAGE_CARDS);
    crowds
}
