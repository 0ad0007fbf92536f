mod watch;

use aileron_api::approvals::{ApprovalResult, Approvals, Decide, Denied, DenySession};
use aileron_contract::{
    Error, Reason,
    executor::{Decision, GrantCaller},
    names::{RunId, SessionId},
};
use axum::{Json as Answer, extract::State};
use http::StatusCode;

pub(crate) use watch::{__path_watch, watch};

use super::not_found;
use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Json, Name, field, optional},
    shape,
};

/// What waits for a person.
#[utoipa::path(
    get,
    path = "/v1/action-approvals",
    tag = "approvals",
    responses((status = 200, description = "Approvals, oldest first", body = Approvals))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<Approvals>> {
    let items = shared.services.executor.approvals(&context).await?;
    Ok(Answer(Approvals { items: items.into_iter().map(shape::approval).collect() }))
}

/// Decides, once. Only a person session may.
#[utoipa::path(
    post,
    path = "/v1/action-approvals/{id}/decide",
    tag = "approvals",
    params(("id" = String, Path)),
    request_body = Decide,
    responses(
        (status = 204, description = "Decided; the run starts in the background"),
        (status = 404, description = "Unknown, or decided already", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "Expired", body = aileron_api::error::ErrorEnvelope),
        (status = 422, description = "Not what the person saw", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn decide(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(id): Name<RunId>,
    Json(body): Json<Decide>,
) -> Result<StatusCode> {
    let Decide { approved, reason, digest, edited_payload } = body;
    if edited_payload.is_some() {
        let public = "edited_payload: the arguments of an action cannot be edited: deny it instead";
        return Err(Error::new(Reason::InvalidRequest, public).into());
    }
    let digest = optional("digest", digest.as_deref())?;
    let decision = Decision { approved, reason, digest };
    shared.services.executor.decide(&context, id, decision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Denies all that waits of one agent session, with one reason; each is a decision of its own.
/// Only a person session may.
#[utoipa::path(
    post,
    path = "/v1/action-approvals/deny",
    tag = "approvals",
    request_body = DenySession,
    responses(
        (status = 200, description = "Which were denied; none when nothing waited", body = Denied),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn deny_session(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(DenySession { session, reason }): Json<DenySession>,
) -> Result<Answer<Denied>> {
    let session: SessionId = field("session", &session)?;
    let of = GrantCaller::Session(session);
    let denied = shared.services.executor.deny_all(&context, of, reason).await?;
    Ok(Answer(Denied { denied: denied.iter().map(ToString::to_string).collect() }))
}

/// What became of a gated run.
#[utoipa::path(
    get,
    path = "/v1/action-approvals/{id}/result",
    tag = "approvals",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "Where it stands", body = ApprovalResult),
        (status = 404, description = "Unknown", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn result(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(id): Name<RunId>,
) -> Result<Answer<ApprovalResult>> {
    let run = shared.services.executor.run_by_id(&context, id).await?;
    if !run.gated {
        return Err(not_found("that run needed no approval: see /v1/action-runs").into());
    }
    Ok(Answer(shape::approval_result(run)))
}
