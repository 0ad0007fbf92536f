use aileron_contract::{
    Context, Executor, Result, Stream,
    executor::{
        Action, Actions, Approval, ApprovalEvent, Call, Counts, Decision, Grant, GrantCaller,
        GrantRequest, GrantTerms, Position, Run, RunFilter, Started,
    },
    names::{ActionName, GrantId, RunId, Sha256Hash},
};
use async_trait::async_trait;
use futures::{StreamExt as _, stream};

use super::Stage;
use crate::samples::{executor as samples, grants};

#[derive(Default)]
pub(crate) struct FakeExecutor {
    pub(crate) stage: Stage,
}

#[async_trait]
impl Executor for FakeExecutor {
    async fn actions(&self, context: &Context) -> Result<Actions> {
        self.stage.enter("actions", &context).map(samples::actions)
    }

    async fn action(&self, context: &Context, name: ActionName) -> Result<Action> {
        self.stage.enter("action", &(context, name)).map(samples::action)
    }

    async fn set_enabled(
        &self,
        context: &Context,
        name: ActionName,
        enabled: bool,
    ) -> Result<Action> {
        self.stage.enter("set_enabled", &(context, name, enabled)).map(samples::action)
    }

    /// The action's name says how the run begins.
    async fn run(&self, context: &Context, call: Call) -> Result<Started> {
        let name = call.action.to_string();
        let full = self.stage.enter("run", &(context, call))?;
        Ok(match name.as_str() {
            "done" => Started::Done(samples::result(full)),
            "pending" => Started::Pending(samples::pending(full)),
            _ => Started::Failed(samples::failure(full)),
        })
    }

    async fn runs(&self, context: &Context, filter: RunFilter) -> Result<Vec<Run>> {
        self.stage.enter("runs", &(context, filter)).map(samples::runs)
    }

    async fn run_by_id(&self, context: &Context, id: RunId) -> Result<Run> {
        self.stage.enter("run_by_id", &(context, id)).map(samples::run)
    }

    async fn approvals(&self, context: &Context) -> Result<Vec<Approval>> {
        self.stage.enter("approvals", &context).map(samples::approvals)
    }

    async fn watch_approvals(
        &self,
        context: &Context,
        after: Option<Position>,
    ) -> Result<Stream<ApprovalEvent>> {
        let full = self.stage.enter("watch_approvals", &(context, after))?;
        Ok(stream::iter(samples::approval_events(full)).boxed())
    }

    async fn decide(&self, context: &Context, id: RunId, decision: Decision) -> Result<()> {
        self.stage.enter("decide", &(context, id, decision)).map(|_| ())
    }

    async fn deny_all(
        &self,
        context: &Context,
        of: GrantCaller,
        reason: Option<String>,
    ) -> Result<Vec<RunId>> {
        self.stage.enter("deny_all", &(context, of, reason)).map(samples::denied)
    }

    async fn propose_grant(&self, context: &Context, request: GrantRequest) -> Result<GrantTerms> {
        self.stage.enter("propose_grant", &(context, request)).map(grants::terms)
    }

    async fn grant(
        &self,
        context: &Context,
        request: GrantRequest,
        seen: Sha256Hash,
    ) -> Result<Grant> {
        self.stage.enter("grant", &(context, request, seen)).map(grants::grant)
    }

    async fn grants(&self, context: &Context) -> Result<Vec<Grant>> {
        self.stage.enter("grants", &context).map(grants::grants)
    }

    async fn revoke_grant(&self, context: &Context, id: GrantId) -> Result<()> {
        self.stage.enter("revoke_grant", &(context, id)).map(|_| ())
    }

    async fn wake(&self, context: &Context) -> Result<()> {
        self.stage.enter("wake", &context).map(|_| ())
    }

    async fn counts(&self, context: &Context) -> Result<Counts> {
        self.stage.enter("counts", &context).map(samples::counts)
    }
}
