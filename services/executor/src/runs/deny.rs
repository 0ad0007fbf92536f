//! One no to all that one session asks.

use std::sync::Arc;

use aileron_contract::{
    Context, Reason, Result, Scope,
    executor::{Decision, RunState},
    limits,
    names::{RunId, SessionId},
};

use super::{announce, engine::Engine};
use crate::ledger::Query;

impl Engine {
    /// See [`Executor::deny_session`](aileron_contract::Executor::deny_session).
    pub(crate) async fn deny_session(
        self: &Arc<Self>,
        context: &Context,
        session: SessionId,
        reason: Option<String>,
    ) -> Result<Vec<RunId>> {
        if !context.principal.is_person() || context.require(Scope::ApprovalsDecide).is_err() {
            let event = announce::denial_refused(&session, context);
            self.refusals.tell(context, event).await?;
            return Err(super::decide::for_persons());
        }
        self.accepting()?;
        let query = Query {
            states: vec![RunState::Parked],
            session: Some(session),
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
