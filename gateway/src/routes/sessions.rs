mod watch;

use aileron_api::sessions::{
    BeginSession, BegunSession, EndSession, Session, SessionFilter, Sessions,
};
use aileron_contract::{names::SessionId, sessions};
use axum::{Json as Answer, extract::State};

pub(crate) use watch::{__path_watch, watch};

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Json, Maybe, Name, field, optional, time},
    shape,
};

/// Begins an agent session and returns its agent's token.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "sessions",
    request_body = BeginSession,
    responses((status = 200, description = "Begun; the token is shown once", body = BegunSession))
)]
pub(crate) async fn begin(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(BeginSession { agent, working_dir }): Json<BeginSession>,
) -> Result<Answer<BegunSession>> {
    let agent = field("agent", &agent)?;
    let request = sessions::Begin { agent, working_dir: working_dir.unwrap_or_default() };
    let begun = shared.sessions()?.begin(&context, request).await?;
    Ok(Answer(shape::begun(begun)?))
}

/// Agent sessions, newest first.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    tag = "sessions",
    params(SessionFilter),
    responses((status = 200, description = "Sessions", body = Sessions))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(SessionFilter { active_only, agent, since, limit }): Filter<SessionFilter>,
) -> Result<Answer<Sessions>> {
    let agent = optional("agent", agent.as_deref())?;
    let since = since.map(|raw| time("since", &raw)).transpose()?;
    let filter = sessions::Filter { active_only, agent, since, limit };
    let items = shared.sessions()?.list(&context, filter).await?;
    Ok(Answer(Sessions { items: items.into_iter().map(shape::session).collect() }))
}

/// One agent session.
#[utoipa::path(
    get,
    path = "/v1/sessions/{session_id}",
    tag = "sessions",
    params(("session_id" = String, Path)),
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn get(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(id): Name<SessionId>,
) -> Result<Answer<Session>> {
    Ok(Answer(shape::session(shared.sessions()?.get(&context, id).await?)))
}

/// Ends an agent session, and its token.
#[utoipa::path(
    post,
    path = "/v1/sessions/{session_id}/end",
    tag = "sessions",
    params(("session_id" = String, Path)),
    request_body = Option<EndSession>,
    responses(
        (status = 200, description = "Ended, now or before", body = Session),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn end(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(id): Name<SessionId>,
    Maybe(body): Maybe<EndSession>,
) -> Result<Answer<Session>> {
    let EndSession { exit_code } = body.unwrap_or_default();
    Ok(Answer(shape::session(shared.sessions()?.end(&context, id, exit_code).await?)))
}
