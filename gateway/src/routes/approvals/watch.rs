//! Server-sent events (WHATWG HTML, section 9.2): a snapshot, then one event per change.

use std::{convert::Infallible, time::Duration};

use aileron_api::{approvals::Approvals, error::ErrorEnvelope};
use aileron_contract::{
    Result as ServiceResult,
    executor::{ApprovalChange, ApprovalEvent, Position},
};
use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt as _};
use http::HeaderMap;

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    shape,
    watching::{Watch, failed, last_event_id},
};

/// As published for approvals.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Approvals as they come and go: `event: snapshot`, then `pending` and `resolved`, each with an
/// `id`. `Last-Event-ID` takes the stream up after that event, or begins with a snapshot when it is
/// too long ago. Ends after a while, with its token, or with `event: error`.
#[utoipa::path(
    get,
    path = "/v1/action-approvals/watch",
    tag = "approvals",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last event seen")),
    responses(
        (status = 200, description = "Events", body = String, content_type = "text/event-stream"),
        (status = 429, description = "Too many watches", body = ErrorEnvelope),
    )
)]
pub(crate) async fn watch(
    State(shared): State<Shared>,
    Caller { context, expires_at }: Caller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = std::result::Result<Event, Infallible>>>> {
    let watch = Watch::begin(&shared, &shared.approval_watches, &context, expires_at)?;
    // Whatever an earlier runtime, or another program, gave as its id: a snapshot does no harm.
    let after = last_event_id(&headers)?.and_then(|last| last.parse::<Position>().ok());
    let events = shared.services.executor.watch_approvals(&context, after).await?;
    let events = watch.bound(events).map(|told| Ok(event(told)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat")))
}

fn event(told: ServiceResult<ApprovalEvent>) -> Event {
    let ApprovalEvent { position, change } = match told {
        Ok(told) => told,
        Err(error) => return failed(error),
    };
    let event = Event::default().id(position.to_string());
    let written = match change {
        ApprovalChange::Snapshot(items) => {
            let items = items.into_iter().map(shape::approval).collect();
            event.event("snapshot").json_data(Approvals { items })
        }
        ApprovalChange::Pending(card) => event.event("pending").json_data(shape::approval(*card)),
        ApprovalChange::Resolved(resolution) => {
            event.event("resolved").json_data(shape::resolved(resolution))
        }
    };
    // Shapes of text and numbers always serialize; an event without data is not dispatched.
    written.unwrap_or_default()
}
