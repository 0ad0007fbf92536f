//! An executor handle, served.

use aileron_contract::{
    executor::{Actions, Call as ActionCall, Decision, Handle},
    limits,
};
use aileron_proto::{
    common::v1::End,
    executor::v1::{
        self as pb, actions_frame, approval_frame,
        executor_service_server::{ExecutorService, ExecutorServiceServer},
        grant_frame, run_frame,
    },
};
use async_trait::async_trait;
use futures::{StreamExt, stream};
use tonic::Request;

use super::watch;
use crate::{
    call::{Answer, Call, Frames},
    message::{Wire, read},
    values::asked_json,
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> ExecutorServiceServer<impl ExecutorService> {
    ExecutorServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl ExecutorService for Adapter {
    type ActionsStream = Frames<pb::ActionsFrame>;
    type RunsStream = Frames<pb::RunFrame>;
    type ApprovalsStream = Frames<pb::ApprovalFrame>;
    type GrantsStream = Frames<pb::GrantFrame>;
    type WatchApprovalsStream = Frames<pb::ApprovalEventFrame>;

    async fn actions(&self, request: Request<pb::ActionsRequest>) -> Answer<Self::ActionsStream> {
        let (call, message) = Call::begin("executor.actions", request);
        let ending = call.ending();
        call.answer(async {
            let pb::ActionsRequest { context } = message;
            let Actions { items, load_errors, warnings } =
                self.0.actions(&read(context, "context")?).await?;
            let frame = |frame| pb::ActionsFrame { frame: Some(frame) };
            let items =
                items.into_iter().map(|action| actions_frame::Frame::Action(action.into_wire()));
            let errors = load_errors
                .into_iter()
                .map(|error| actions_frame::Frame::LoadError(error.into_wire()));
            let warnings = warnings.into_iter().map(actions_frame::Frame::Warning);
            let frames = items.chain(errors).chain(warnings);
            let frames = stream::iter(frames).map(move |item| Ok(frame(item)));
            Ok(ending.finite(frames, frame(actions_frame::Frame::End(End {}))))
        })
        .await
    }

    async fn get_action(
        &self,
        request: Request<pb::GetActionRequest>,
    ) -> Answer<pb::GetActionResponse> {
        let (call, message) = Call::begin("executor.action", request);
        call.answer(async {
            let pb::GetActionRequest { context, name } = message;
            let action = self.0.action(&read(context, "context")?, read(name, "name")?).await?;
            Ok(pb::GetActionResponse { action: action.into_wire() })
        })
        .await
    }

    async fn set_enabled(
        &self,
        request: Request<pb::SetEnabledRequest>,
    ) -> Answer<pb::SetEnabledResponse> {
        let (call, message) = Call::begin("executor.set_enabled", request);
        call.answer(async {
            let pb::SetEnabledRequest { context, name, enabled } = message;
            let (context, name) = (read(context, "context")?, read(name, "name")?);
            let action = self.0.set_enabled(&context, name, enabled).await?;
            Ok(pb::SetEnabledResponse { action: action.into_wire() })
        })
        .await
    }

    async fn run(&self, request: Request<pb::RunRequest>) -> Answer<pb::RunResponse> {
        let (call, message) = Call::begin("executor.run", request);
        call.answer(async {
            let pb::RunRequest { context, action, arguments_json, identity } = message;
            let action = ActionCall {
                action: read(action, "action")?,
                arguments: asked_json(&arguments_json)?,
                identity: read(identity, "identity")?,
            };
            let started = self.0.run(&read(context, "context")?, action).await?;
            Ok(started.into_wire())
        })
        .await
    }

    async fn runs(&self, request: Request<pb::RunsRequest>) -> Answer<Self::RunsStream> {
        let (call, message) = Call::begin("executor.runs", request);
        let ending = call.ending();
        call.answer(async {
            let pb::RunsRequest { context, filter } = message;
            let filter = read(filter, "filter")?;
            let runs = self.0.runs(&read(context, "context")?, filter).await?;
            let frame = |frame| pb::RunFrame { frame: Some(frame) };
            let frames = stream::iter(runs)
                .map(move |run| Ok(frame(run_frame::Frame::Run(run.into_wire()))));
            Ok(ending.finite(frames, frame(run_frame::Frame::End(End {}))))
        })
        .await
    }

    async fn get_run(&self, request: Request<pb::GetRunRequest>) -> Answer<pb::GetRunResponse> {
        let (call, message) = Call::begin("executor.run_by_id", request);
        call.answer(async {
            let pb::GetRunRequest { context, id } = message;
            let run = self.0.run_by_id(&read(context, "context")?, read(id, "id")?).await?;
            Ok(pb::GetRunResponse { run: run.into_wire() })
        })
        .await
    }

    async fn approvals(
        &self,
        request: Request<pb::ApprovalsRequest>,
    ) -> Answer<Self::ApprovalsStream> {
        let (call, message) = Call::begin("executor.approvals", request);
        let ending = call.ending();
        call.answer(async {
            let pb::ApprovalsRequest { context } = message;
            let approvals = self.0.approvals(&read(context, "context")?).await?;
            let frame = |frame| pb::ApprovalFrame { frame: Some(frame) };
            let frames = stream::iter(approvals).map(move |approval| {
                Ok(frame(approval_frame::Frame::Approval(approval.into_wire())))
            });
            Ok(ending.finite(frames, frame(approval_frame::Frame::End(End {}))))
        })
        .await
    }

    async fn watch_approvals(
        &self,
        request: Request<pb::WatchApprovalsRequest>,
    ) -> Answer<Self::WatchApprovalsStream> {
        let (call, message) = Call::begin("executor.watch_approvals", request);
        let ending = call.ending();
        call.answer(async {
            let pb::WatchApprovalsRequest { context, after } = message;
            let (context, after) = (read(context, "context")?, read(after, "after")?);
            let events = self.0.watch_approvals(&context, after).await?;
            let frames = events.flat_map(|event| {
                let (frames, error) = match event {
                    Ok(event) => (watch::frames(event), None),
                    Err(error) => (Vec::new(), Some(error)),
                };
                stream::iter(frames.into_iter().map(Ok).chain(error.map(Err)))
            });
            Ok(ending.endless(frames, watch::end()))
        })
        .await
    }

    async fn decide(&self, request: Request<pb::DecideRequest>) -> Answer<pb::DecideResponse> {
        let (call, message) = Call::begin("executor.decide", request);
        call.answer(async {
            let pb::DecideRequest { context, id, approved, reason, digest } = message;
            let decision = Decision { approved, reason, digest: read(digest, "digest")? };
            self.0.decide(&read(context, "context")?, read(id, "id")?, decision).await?;
            Ok(pb::DecideResponse {})
        })
        .await
    }

    async fn deny_all(&self, request: Request<pb::DenyAllRequest>) -> Answer<pb::DenyAllResponse> {
        let (call, message) = Call::begin("executor.deny_all", request);
        call.answer(async {
            let pb::DenyAllRequest { context, of, reason } = message;
            let (context, of) = (read(context, "context")?, read(of, "of")?);
            let denied = self.0.deny_all(&context, of, reason).await?;
            Ok(pb::DenyAllResponse { denied: denied.into_wire() })
        })
        .await
    }

    async fn propose_grant(
        &self,
        request: Request<pb::ProposeGrantRequest>,
    ) -> Answer<pb::ProposeGrantResponse> {
        let (call, message) = Call::begin("executor.propose_grant", request);
        call.answer(async {
            let pb::ProposeGrantRequest { context, request } = message;
            let (context, request) = (read(context, "context")?, read(request, "request")?);
            let terms = self.0.propose_grant(&context, request).await?;
            Ok(pb::ProposeGrantResponse { terms: terms.into_wire() })
        })
        .await
    }

    async fn issue_grant(
        &self,
        request: Request<pb::IssueGrantRequest>,
    ) -> Answer<pb::IssueGrantResponse> {
        let (call, message) = Call::begin("executor.grant", request);
        call.answer(async {
            let pb::IssueGrantRequest { context, request, digest } = message;
            let (context, request) = (read(context, "context")?, read(request, "request")?);
            let grant = self.0.grant(&context, request, read(digest, "digest")?).await?;
            Ok(pb::IssueGrantResponse { grant: grant.into_wire() })
        })
        .await
    }

    async fn grants(&self, request: Request<pb::GrantsRequest>) -> Answer<Self::GrantsStream> {
        let (call, message) = Call::begin("executor.grants", request);
        let ending = call.ending();
        call.answer(async {
            let pb::GrantsRequest { context } = message;
            let grants = self.0.grants(&read(context, "context")?).await?;
            let frame = |frame| pb::GrantFrame { frame: Some(frame) };
            let frames = stream::iter(grants)
                .map(move |grant| Ok(frame(grant_frame::Frame::Grant(grant.into_wire()))));
            Ok(ending.finite(frames, frame(grant_frame::Frame::End(End {}))))
        })
        .await
    }

    async fn revoke_grant(
        &self,
        request: Request<pb::RevokeGrantRequest>,
    ) -> Answer<pb::RevokeGrantResponse> {
        let (call, message) = Call::begin("executor.revoke_grant", request);
        call.answer(async {
            let pb::RevokeGrantRequest { context, id } = message;
            self.0.revoke_grant(&read(context, "context")?, read(id, "id")?).await?;
            Ok(pb::RevokeGrantResponse {})
        })
        .await
    }

    async fn wake(&self, request: Request<pb::WakeRequest>) -> Answer<pb::WakeResponse> {
        let (call, message) = Call::begin("executor.wake", request);
        call.answer(async {
            let pb::WakeRequest { context } = message;
            self.0.wake(&read(context, "context")?).await?;
            Ok(pb::WakeResponse {})
        })
        .await
    }

    async fn counts(&self, request: Request<pb::CountsRequest>) -> Answer<pb::CountsResponse> {
        let (call, message) = Call::begin("executor.counts", request);
        call.answer(async {
            let pb::CountsRequest { context } = message;
            Ok(self.0.counts(&read(context, "context")?).await?.into_wire())
        })
        .await
    }
}
