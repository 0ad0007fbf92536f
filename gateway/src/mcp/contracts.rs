//! The tools' way to the runtime: the handles of the contracts, with the caller of each request.

use aileron_api::{
    actions::Actions,
    approvals::ApprovalResult,
    mcp::{Door, Ran, Trouble},
};
use aileron_contract::{
    Context, Error, Reason,
    executor::{Call, Started},
    json,
    names::{ActionName, RunId},
};
use rmcp::model::Extensions;
use serde_json::value::RawValue;
use tracing::Instrument as _;

use super::trace;
use crate::{Shared, answer::Refusal, caller::Caller, shape};

/// The contracts behind this gateway.
pub(super) struct Contracts(Shared);

impl Contracts {
    pub(super) fn new(shared: Shared) -> Self {
        Self(shared)
    }
}

impl Door for Contracts {
    async fn actions(&self, caller: &Extensions) -> Result<Actions, Trouble> {
        let context = context(caller)?;
        let actions = self.0.services.executor.actions(&context).await;
        actions.map(shape::actions).map_err(refused)
    }

    async fn run(
        &self,
        caller: &Extensions,
        action: &str,
        arguments: &RawValue,
    ) -> Result<Ran, Trouble> {
        let context = context(caller)?;
        let arguments = json::object(arguments.get().as_bytes()).map_err(refused)?;
        let action: ActionName = action.parse().map_err(refused)?;
        let span = trace::call(caller, &context);
        span.record("aileron.action.name", action.as_str());
        let call = Call { action, arguments, identity: None };
        let run = self.0.services.executor.run(&context, call);
        let started = run.instrument(span.clone()).await;
        trace::answered(&span, &started);
        match started.map_err(|error| trouble(Refusal::of_run(error)))? {
            Started::Done(done) => Ok(Ran::Done(shape::run_result(done))),
            Started::Pending(pending) => {
                let review_url = self.0.options.review_url(&pending.id);
                Ok(Ran::Pending(shape::pending(pending, review_url)))
            }
            Started::Failed(failure) => Err(trouble(failure.into())),
        }
    }

    async fn result(&self, caller: &Extensions, approval: &str) -> Result<ApprovalResult, Trouble> {
        let context = context(caller)?;
        let unknown = || refused(Error::new(Reason::NotFound, "there is no such approval"));
        let id = approval.parse::<RunId>().map_err(|_| unknown())?;
        let span = trace::call(caller, &context);
        span.record("gen_ai.tool.name", "check_action_status");
        let run = self.0.services.executor.run_by_id(&context, id).instrument(span).await;
        let run = run.map_err(refused)?;
        // Another token's run does not exist here, also when a program might read it elsewhere.
        if !run.gated || run.principal != context.principal {
            return Err(unknown());
        }
        Ok(shape::approval_result(run))
    }
}

/// Who made the request: each shows its token, whatever session it belongs to.
fn context(caller: &Extensions) -> Result<Context, Trouble> {
    let caller = caller.get::<http::request::Parts>().and_then(|it| it.extensions.get::<Caller>());
    let nobody = || Refusal::new(Reason::TokenMissing, "this call needs a bearer token");
    caller.map(|caller| caller.context.clone()).ok_or_else(|| trouble(nobody()))
}

fn refused(error: Error) -> Trouble {
    trouble(error.into())
}

fn trouble(refusal: Refusal) -> Trouble {
    let (status, body) = refusal.into_json();
    Trouble::Refused { status: status.as_u16(), body }
}

#[cfg(test)]
mod tests {
    use aileron_api::mcp::bounds;
    use aileron_contract::limits;

    #[test]
    fn the_bounds_of_the_server_are_the_ones_that_are_listed() {
        let sizes = [
            (bounds::CALLS, limits::MCP_CALLS),
            (bounds::PAGE, limits::MCP_PAGE),
            (bounds::TEXT, limits::MCP_TEXT),
            (bounds::STRUCTURED, limits::MCP_STRUCTURED),
            (bounds::DESCRIPTION, limits::MCP_DESCRIPTION),
            (bounds::ARGUMENT, limits::MCP_ARGUMENT),
            (bounds::QUOTED, limits::MCP_QUOTED),
            (bounds::QUESTIONS, limits::MCP_QUESTIONS),
            (bounds::QUESTION, limits::MCP_QUESTION),
        ];
        for (used, listed) in sizes {
            assert_eq!(used, listed);
        }
        assert_eq!(bounds::QUESTION_WALL, limits::MCP_QUESTION_WALL);
    }
}
