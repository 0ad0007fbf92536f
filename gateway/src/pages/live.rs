//! Tells an open page that something happened. What, it asks for itself: as HTML, with its cookie.
//!
//! Source is the log: whatever the page shows leaves a record there. So a page that was asleep
//! takes the stream up after the last record it was told of.

use std::{convert::Infallible, sync::Arc, time::Duration};

use aileron_contract::{Reason, limits};
use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt, future};
use http::{HeaderMap, HeaderName};

use super::{
    answer::{Problem, Result},
    signed::Signed,
};
use crate::{Shared, caller::single};

const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) async fn watch(
    State(shared): State<Shared>,
    signed: Signed,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let permit = Arc::clone(&shared.watches)
        .try_acquire_owned()
        .map_err(|_| Problem::new(Reason::Busy, "too many watches are open (WATCHES)"))?;
    let last = single(&headers, &HeaderName::from_static("last-event-id"))?;
    let next = last.and_then(|last| last.parse::<u64>().ok()).map(|last| last.saturating_add(1));
    let audit = &shared.services.audit;
    let size = audit.checkpoint(&signed.context).await?.size;
    // An id of another log would wait for records that may never come.
    let from = next.filter(|next| *next <= size).unwrap_or(size);
    let records = audit.watch(&signed.context, from).await?;
    let left = signed.expires_at.duration_since((shared.options.clock)()).try_into().ok();
    let wall = left.unwrap_or(limits::WATCH_WALL).min(limits::WATCH_WALL);
    let shutdown = shared.options.shutdown.clone().cancelled_owned();
    let end = future::select(Box::pin(tokio::time::sleep(wall)), Box::pin(shutdown));
    let events = records.take_while(|record| future::ready(record.is_ok())).take_until(end);
    let events = events.filter_map(move |record| {
        let _held = &permit;
        let told = record
            .ok()
            .map(|record| Ok(Event::default().id(record.index.to_string()).data(record.kind)));
        future::ready(told)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat")))
}
