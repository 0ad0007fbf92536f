//! An executor somewhere else.

use aileron_contract::{
    Context, Executor, Result, Stream,
    executor::{
        Action, Actions, Approval, ApprovalEvent, Call, Counts, Decision, Grant, GrantCaller,
        GrantRequest, GrantTerms, Position, Run, RunFilter, Started,
    },
    limits,
    names::{ActionName, GrantId, RunId, Sha256Hash},
};
use aileron_proto::{
    common::v1::End,
    executor::v1::{
        self as pb, actions_frame, approval_frame, executor_service_client::ExecutorServiceClient,
        grant_frame, run_frame,
    },
};
use async_trait::async_trait;

use super::watch;
use crate::{
    call::Link,
    channel::Channel,
    context::context_to_wire,
    message::{Wire, required},
};

/// The executor behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: ExecutorServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the executor through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client = ExecutorServiceClient::new(channel.transport())
            .max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "executor" }, client }
    }

    fn client(&self) -> ExecutorServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Executor for Remote {
    async fn actions(&self, context: &Context) -> Result<Actions> {
        let request =
            self.link.request(pb::ActionsRequest { context: context_to_wire(context) })?;
        let until = self.link.until(context, None)?;
        let mut frames = self.link.wait(until, self.client().actions(request)).await?;
        let mut actions =
            Actions { items: Vec::new(), load_errors: Vec::new(), warnings: Vec::new() };
        loop {
            let pb::ActionsFrame { frame } = self.link.frame(until, &mut frames).await?;
            match self.link.understood(required(frame, "frame"))? {
                actions_frame::Frame::Action(action) => {
                    actions.items.push(self.link.read(action, "action")?);
                }
                actions_frame::Frame::LoadError(error) => {
                    actions.load_errors.push(self.link.read(error, "error")?);
                }
                actions_frame::Frame::Warning(warning) => actions.warnings.push(warning),
                actions_frame::Frame::End(End {}) => return Ok(actions),
            }
        }
    }

    async fn action(&self, context: &Context, name: ActionName) -> Result<Action> {
        let request = self.link.request(pb::GetActionRequest {
            context: context_to_wire(context),
            name: name.into_wire(),
        })?;
        let pb::GetActionResponse { action } =
            self.link.call(context, self.client().get_action(request)).await?;
        self.link.read(action, "action")
    }

    async fn set_enabled(
        &self,
        context: &Context,
        name: ActionName,
        enabled: bool,
    ) -> Result<Action> {
        let request = self.link.request(pb::SetEnabledRequest {
            context: context_to_wire(context),
            name: name.into_wire(),
            enabled,
        })?;
        let pb::SetEnabledResponse { action } =
            self.link.call(context, self.client().set_enabled(request)).await?;
        self.link.read(action, "action")
    }

    async fn run(&self, context: &Context, call: Call) -> Result<Started> {
        let Call { action, arguments, identity } = call;
        let request = self.link.request(pb::RunRequest {
            context: context_to_wire(context),
            action: action.into_wire(),
            arguments_json: arguments.into_wire(),
            identity: identity.into_wire(),
        })?;
        let started = self.link.call(context, self.client().run(request)).await?;
        self.link.read(started, "started")
    }

    async fn runs(&self, context: &Context, filter: RunFilter) -> Result<Vec<Run>> {
        let request = self.link.request(pb::RunsRequest {
            context: context_to_wire(context),
            filter: filter.into_wire(),
        })?;
        let until = self.link.until(context, None)?;
        let mut frames = self.link.wait(until, self.client().runs(request)).await?;
        let mut runs = Vec::new();
        loop {
            let pb::RunFrame { frame } = self.link.frame(until, &mut frames).await?;
            match self.link.understood(required(frame, "frame"))? {
                run_frame::Frame::Run(run) => {
                    runs.push(self.link.read(run, "run")?);
                }
                run_frame::Frame::End(End {}) => return Ok(runs),
            }
        }
    }

    async fn run_by_id(&self, context: &Context, id: RunId) -> Result<Run> {
        let request = self
            .link
            .request(pb::GetRunRequest { context: context_to_wire(context), id: id.into_wire() })?;
        let pb::GetRunResponse { run } =
            self.link.call(context, self.client().get_run(request)).await?;
        self.link.read(run, "run")
    }

    async fn approvals(&self, context: &Context) -> Result<Vec<Approval>> {
        let request =
            self.link.request(pb::ApprovalsRequest { context: context_to_wire(context) })?;
        let until = self.link.until(context, None)?;
        let mut frames = self.link.wait(until, self.client().approvals(request)).await?;
        let mut approvals = Vec::new();
        loop {
            let pb::ApprovalFrame { frame } = self.link.frame(until, &mut frames).await?;
            match self.link.understood(required(frame, "frame"))? {
                approval_frame::Frame::Approval(approval) => {
                    approvals.push(self.link.read(approval, "approval")?);
                }
                approval_frame::Frame::End(End {}) => return Ok(approvals),
            }
        }
    }

    async fn watch_approvals(
        &self,
        context: &Context,
        after: Option<Position>,
    ) -> Result<Stream<ApprovalEvent>> {
        let request = self.link.request(pb::WatchApprovalsRequest {
            context: context_to_wire(context),
            after: after.into_wire(),
        })?;
        // The deadline is for the watch to begin; then it goes on.
        let frames = self.link.call(context, self.client().watch_approvals(request)).await?;
        Ok(watch::events(self.link.clone(), frames))
    }

    async fn decide(&self, context: &Context, id: RunId, decision: Decision) -> Result<()> {
        let Decision { approved, reason, digest } = decision;
        let request = self.link.request(pb::DecideRequest {
            context: context_to_wire(context),
            id: id.into_wire(),
            approved,
            reason,
            digest: digest.into_wire(),
        })?;
        let pb::DecideResponse {} = self.link.call(context, self.client().decide(request)).await?;
        Ok(())
    }

    async fn deny_all(
        &self,
        context: &Context,
        of: GrantCaller,
        reason: Option<String>,
    ) -> Result<Vec<RunId>> {
        let request = self.link.request(pb::DenyAllRequest {
            context: context_to_wire(context),
            of: Some(of.into_wire()),
            reason,
        })?;
        let pb::DenyAllResponse { denied } =
            self.link.call(context, self.client().deny_all(request)).await?;
        self.link.read(denied, "denied")
    }

    async fn propose_grant(&self, context: &Context, request: GrantRequest) -> Result<GrantTerms> {
        let request = self.link.request(pb::ProposeGrantRequest {
            context: context_to_wire(context),
            request: request.into_wire(),
        })?;
        let pb::ProposeGrantResponse { terms } =
            self.link.call(context, self.client().propose_grant(request)).await?;
        self.link.read(terms, "terms")
    }

    async fn grant(
        &self,
        context: &Context,
        request: GrantRequest,
        seen: Sha256Hash,
    ) -> Result<Grant> {
        let request = self.link.request(pb::IssueGrantRequest {
            context: context_to_wire(context),
            request: request.into_wire(),
            digest: seen.into_wire(),
        })?;
        let pb::IssueGrantResponse { grant } =
            self.link.call(context, self.client().issue_grant(request)).await?;
        self.link.read(grant, "grant")
    }

    async fn grants(&self, context: &Context) -> Result<Vec<Grant>> {
        let request = self.link.request(pb::GrantsRequest { context: context_to_wire(context) })?;
        let until = self.link.until(context, None)?;
        let mut frames = self.link.wait(until, self.client().grants(request)).await?;
        let mut grants = Vec::new();
        loop {
            let pb::GrantFrame { frame } = self.link.frame(until, &mut frames).await?;
            match self.link.understood(required(frame, "frame"))? {
                grant_frame::Frame::Grant(grant) => grants.push(self.link.read(grant, "grant")?),
                grant_frame::Frame::End(End {}) => return Ok(grants),
            }
        }
    }

    async fn revoke_grant(&self, context: &Context, id: GrantId) -> Result<()> {
        let request = self.link.request(pb::RevokeGrantRequest {
            context: context_to_wire(context),
            id: id.into_wire(),
        })?;
        let pb::RevokeGrantResponse {} =
            self.link.call(context, self.client().revoke_grant(request)).await?;
        Ok(())
    }

    async fn wake(&self, context: &Context) -> Result<()> {
        let request = self.link.request(pb::WakeRequest { context: context_to_wire(context) })?;
        let pb::WakeResponse {} = self.link.call(context, self.client().wake(request)).await?;
        Ok(())
    }

    async fn counts(&self, context: &Context) -> Result<Counts> {
        let request = self.link.request(pb::CountsRequest { context: context_to_wire(context) })?;
        let counts = self.link.call(context, self.client().counts(request)).await?;
        self.link.read(counts, "counts")
    }
}
