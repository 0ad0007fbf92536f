//! One no to all that one session asks, or one token.

use std::sync::Arc;

use aileron_contract::{
    Context, Principal, Reason, Result, Scope,
    executor::{Decision, GrantCaller, RunState},
    limits,
    names::RunId,
};

use super::{announce, engine::Engine, text::principal_text};
use crate::ledger::Query;

impl Engine {
    /// See [`Executor::deny_all`](aileron_contract::Executor::deny_all).
    pub(crate) async fn deny_all(
        self: &Arc<Self>,
        context: &Context,
        of: GrantCaller,
        reason: Option<String>,
    ) -> Result<Vec<RunId>> {
        if !context.principal.is_person() || context.require(Scope::ApprovalsDecide).is_err() {
            let event = announce::denial_refused(&of, context);
            self.refusals.tell(context, event).await?;
            return Err(super::decide::for_persons());
        }
        self.accepting()?;
        let (session, principal) = match of {
            GrantCaller::Session(session) => (Some(session), None),
            GrantCaller::Token(token) => {
                (None, Some(principal_text(&Principal::Program(token.as_str().into()))))
            }
        };
        let query = Query {
            states: vec![RunState::Parked],
            session,
            principal,
            oldest_first: true,
            limit: limits::APPROVALS_PENDING,
            ..Query::default()
        };
        let waiting = self.ledger.list(&query).await?;
        let (engine, context) = (Arc::clone(self), context.clone());
        self.owned(Box::pin(async move {
            let mut denied = Vec::new();
            for row in waiting {
                let id: RunId = row.id.parse()?;
                let no = Decision { approved: false, reason: reason.clone(), digest: None };
                match Box::pin(engine.decide(&context, id.clone(), no)).await {
                    Ok(()) => denied.push(id),
                    // Decided or over meanwhile, or not what the runtime wrote: nothing waits.
                    Err(error) if passed_over(error.reason()) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(denied)
        }))
        .await
    }
}

fn passed_over(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NotFound | Reason::ApprovalDecided | Reason::ApprovalExpired | Reason::Quarantined
    )
}
