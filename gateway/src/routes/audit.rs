mod kind;
pub(crate) mod watch;

use aileron_api::audit::{AuditEvent, AuditEvents, AuditFilter, Checkpoint};
use aileron_contract::{Error, Reason, audit, limits, names::AuditId};
use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;

pub(crate) use watch::{__path_watch, watch};

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Name, optional, time},
    shape,
};

/// Events, newest first.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "audit",
    params(AuditFilter),
    responses((status = 200, description = "Events", body = AuditEvents))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(filter): Filter<AuditFilter>,
) -> Result<Answer<AuditEvents>> {
    let AuditFilter { since, until, audit_id, connector_fqn, class, event_type, limit } = filter;
    if limit.is_some_and(|limit| !(1..=limits::AUDIT_PAGE).contains(&limit)) {
        return Err(Error::new(
            Reason::InvalidRequest,
            format!("limit: from 1 to {}", limits::AUDIT_PAGE),
        )
        .into());
    }
    let filter = audit::Filter {
        since: since.map(|raw| time("since", &raw)).transpose()?,
        until: until.map(|raw| time("until", &raw)).transpose()?,
        id: optional("audit_id", audit_id.as_deref())?,
        connector: optional("connector_fqn", connector_fqn.as_deref())?,
        class: optional("class", class.as_deref())?,
        kind: kind::known(event_type)?,
        session: None,
        limit,
    };
    let events = shared.services.audit.query(&context, filter).await?;
    Ok(Answer(AuditEvents { events: events.into_iter().map(shape::record).collect() }))
}

/// One event.
#[utoipa::path(
    get,
    path = "/v1/audit/{id}",
    tag = "audit",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The event", body = AuditEvent),
        (status = 404, description = "Unknown", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn get(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(id): Name<AuditId>,
) -> Result<Answer<AuditEvent>> {
    Ok(Answer(shape::record(shared.services.audit.get(&context, id).await?)))
}

/// The newest signed checkpoint: kept elsewhere, it makes the log verifiable.
#[utoipa::path(
    get,
    path = "/v1/audit/checkpoint",
    tag = "audit",
    responses((status = 200, description = "The checkpoint and its verifier key", body = Checkpoint))
)]
pub(crate) async fn checkpoint(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<Checkpoint>> {
    Ok(Answer(shape::checkpoint(shared.services.audit.checkpoint(&context).await?)))
}

/// A proof, verifiable offline, that the event is in the log.
#[utoipa::path(
    get,
    path = "/v1/audit/{id}/receipt",
    tag = "audit",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The receipt", body = String, content_type = "text/plain"),
        (status = 404, description = "Unknown", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn receipt(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(id): Name<AuditId>,
) -> Result<Response> {
    let receipt = shared.services.audit.receipt(&context, id).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], receipt).into_response())
}
