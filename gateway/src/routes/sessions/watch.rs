//! What a session does, as the log tells it: `event: record` with the record's index as its id,
//! `event: end` when there is nothing more to come.

use std::convert::Infallible;

use aileron_contract::{Context, Result as ServiceResult, audit::Record, names::SessionId};
use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use serde::Deserialize;

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Name},
    routes::audit::watch::{event, resumed},
    watching::{HEARTBEAT, Watch},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Follow {
    /// Wait for what is to come; yes without it.
    follow: Option<bool>,
}

/// What the log tells of a session, from its beginning, then as it happens. `Last-Event-ID`
/// resumes after that record. `event: end` when the session has ended and all is told; otherwise
/// ends after a while, with its token, or with `event: error`.
#[utoipa::path(
    get,
    path = "/v1/sessions/{session_id}/watch",
    tag = "sessions",
    params(
        ("session_id" = String, Path),
        Follow,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last record seen"),
    ),
    responses(
        (status = 200, description = "Events", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such session", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn watch(
    State(shared): State<Shared>,
    Caller { context, expires_at }: Caller,
    Name(id): Name<SessionId>,
    Filter(Follow { follow }): Filter<Follow>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let watch = Watch::begin(&shared, &shared.watches, &context, expires_at)?;
    let session = shared.sessions()?.get(&context, id.clone()).await?;
    // Past this record there is nothing more: the log's end now, or the session's end.
    let still = follow.unwrap_or(true) && session.ended_at.is_none();
    let size = shared.services.audit.checkpoint(&context).await?.size;
    let from = resumed(&headers)?.or(session.first_event).unwrap_or(size);
    let until = (!still).then_some(size);
    let records = records(&shared, &context, from, until).await?;
    let events = watch.bound(told(records, id, until)).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat")))
}

async fn records(
    shared: &Shared,
    context: &Context,
    from: u64,
    until: Option<u64>,
) -> ServiceResult<aileron_contract::Stream<Record>> {
    if until.is_some_and(|until| from >= until) {
        return Ok(stream::empty().boxed());
    }
    shared.services.audit.watch(context, from).await
}

/// The events of one session, up to its end or the record before `until`.
fn told(
    records: aileron_contract::Stream<Record>,
    id: SessionId,
    until: Option<u64>,
) -> impl Stream<Item = Event> + Send {
    let states = stream::unfold(Some(records), move |records| {
        let id = id.clone();
        async move {
            let mut records = records?;
            let (mut events, mut over) = (Vec::new(), true);
            match records.next().await {
                Some(Ok(record)) => {
                    let ours = is_of(&record, &id);
                    let ended = ours && record.kind == "session.ended" && until.is_none();
                    over =
                        ended || until.is_some_and(|until| record.index.saturating_add(1) >= until);
                    if ours {
                        events.push(event(Ok(record)));
                    }
                }
                Some(Err(error)) => return Some((vec![event(Err(error))], None)),
                None => {}
            }
            if over {
                events.push(Event::default().event("end").data("{}"));
                return Some((events, None));
            }
            Some((events, Some(records)))
        }
    });
    states.flat_map(stream::iter)
}

fn is_of(record: &Record, id: &SessionId) -> bool {
    record.payload.get("aileron.session.id").and_then(|it| it.as_str()) == Some(id.as_str())
}
