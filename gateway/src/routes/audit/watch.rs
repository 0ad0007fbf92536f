//! Server-sent events (WHATWG HTML, section 9.2): one per record, the record's index as its id.

use std::convert::Infallible;

use aileron_contract::{Context, Error, Reason, Result as ServiceResult, audit::Record};
use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt as _};
use http::HeaderMap;
use serde::Deserialize;

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::Filter,
    shape,
    watching::{HEARTBEAT, Watch, failed, last_event_id},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// The index of the first record; without it only records to come.
    from: Option<u64>,
}

/// Records as they are written: `event: record`, its index as `id`. `Last-Event-ID` resumes after
/// that record. Ends after a while, with its token, or with `event: error`.
#[utoipa::path(
    get,
    path = "/v1/audit/watch",
    tag = "audit",
    params(
        Start,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last record seen"),
    ),
    responses((status = 200, description = "Events", body = String, content_type = "text/event-stream"))
)]
pub(crate) async fn watch(
    State(shared): State<Shared>,
    Caller { context, expires_at }: Caller,
    Filter(Start { from }): Filter<Start>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let watch = Watch::begin(&shared, &shared.watches, &context, expires_at)?;
    let from = match resumed(&headers)?.or(from) {
        Some(from) => from,
        None => next_index(&shared, &context).await?,
    };
    let records = shared.services.audit.watch(&context, from).await?;
    let events = watch.bound(records).map(|record| Ok(event(record)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat")))
}

/// The record after the last one seen.
pub(crate) fn resumed(headers: &HeaderMap) -> Result<Option<u64>> {
    let last = last_event_id(headers)?;
    let refused = || Error::new(Reason::InvalidRequest, "Last-Event-ID: not the id of a record");
    last.map(|last| {
        let last: u64 = last.parse().map_err(|_| refused())?;
        Ok(last.checked_add(1).ok_or_else(refused)?)
    })
    .transpose()
}

async fn next_index(shared: &Shared, context: &Context) -> ServiceResult<u64> {
    Ok(shared.services.audit.checkpoint(context).await?.size)
}

pub(crate) fn event(record: ServiceResult<Record>) -> Event {
    let record = match record {
        Ok(record) => record,
        Err(error) => return failed(error),
    };
    let event = Event::default().id(record.index.to_string()).event("record");
    // Shapes of text and numbers always serialize; an event without data is not dispatched.
    event.json_data(shape::record(record)).unwrap_or_default()
}
