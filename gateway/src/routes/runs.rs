use aileron_api::runs::{Run, RunFilter, Runs};
use aileron_contract::{executor, names::RunId};
use axum::{Json as Answer, extract::State};

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Name, optional},
    shape,
};

/// Runs, newest first.
#[utoipa::path(
    get,
    path = "/v1/action-runs",
    tag = "runs",
    params(RunFilter),
    responses((status = 200, description = "Runs", body = Runs))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(RunFilter { action, state, session_id, limit }): Filter<RunFilter>,
) -> Result<Answer<Runs>> {
    let filter = executor::RunFilter {
        action: optional("action", action.as_deref())?,
        state: state.map(shape::state_from),
        session: optional("session_id", session_id.as_deref())?,
        limit,
    };
    let items = shared.services.executor.runs(&context, filter).await?;
    Ok(Answer(Runs { items: items.into_iter().map(shape::run).collect() }))
}

/// One run.
#[utoipa::path(
    get,
    path = "/v1/action-runs/{id}",
    tag = "runs",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The run", body = Run),
        (status = 404, description = "Unknown, or another session's", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn get(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(id): Name<RunId>,
) -> Result<Answer<Run>> {
    Ok(Answer(shape::run(shared.services.executor.run_by_id(&context, id).await?)))
}
