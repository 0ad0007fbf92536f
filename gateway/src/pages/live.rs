//! Tells an open page that something happened. What, it asks for itself: as HTML, with its cookie.
//!
//! Source is the log: whatever the page shows leaves a record there. So a page that was asleep
//! takes the stream up after the last record it was told of.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt as _, future};
use http::HeaderMap;

use super::{answer::Result, signed::Signed};
use crate::{
    Shared,
    watching::{HEARTBEAT, Watch, last_event_id},
};

pub(super) async fn watch(
    State(shared): State<Shared>,
    signed: Signed,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let watch = Watch::begin(&shared, &shared.watches, &signed.context, Some(signed.expires_at))?;
    let last = last_event_id(&headers)?;
    let next = last.and_then(|last| last.parse::<u64>().ok()).map(|last| last.saturating_add(1));
    let audit = &shared.services.audit;
    let size = audit.checkpoint(&signed.context).await?.size;
    // An id of another log would wait for records that may never come.
    let from = next.filter(|next| *next <= size).unwrap_or(size);
    let records = audit.watch(&signed.context, from).await?;
    let records = records.take_while(|record| future::ready(record.is_ok()));
    let events = watch.bound(records).filter_map(|record| {
        let told = record
            .ok()
            .map(|record| Ok(Event::default().id(record.index.to_string()).data(record.kind)));
        future::ready(told)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat")))
}
