//! Streams that wait for what comes: each has a seat and an end, and can be taken up again.

use std::time::Duration;

use aileron_api::error::ErrorEnvelope;
use aileron_contract::{Context, Error, Timestamp, limits};
use axum::response::sse::Event;
use futures::{Stream, StreamExt as _, future};
use http::{HeaderMap, HeaderName};
use tokio_util::sync::CancellationToken;

use crate::{
    Shared,
    answer::{Refusal, Result},
    caller::single,
    watches::{Seat, Watches},
};

/// Between two signs of life: a silent connection looks like a dead one to whatever stands between.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// The right to one watch, for a while.
pub(crate) struct Watch {
    seat: Seat,
    wall: Duration,
    shutdown: CancellationToken,
}

impl Watch {
    /// One more watch of this caller, while there is room among `watches`. It ends with the token
    /// at the latest.
    pub(crate) fn begin(
        shared: &Shared,
        watches: &Watches,
        context: &Context,
        expires_at: Option<Timestamp>,
    ) -> Result<Self> {
        let seat = watches.seat(context)?;
        let now = (shared.options.clock)();
        let left = expires_at.and_then(|end| end.duration_since(now).try_into().ok());
        let wall = left.unwrap_or(limits::WATCH_WALL).min(limits::WATCH_WALL);
        Ok(Self { seat, wall, shutdown: shared.options.shutdown.clone() })
    }

    /// `items` until the time is over, the token ends or the runtime stops. The watcher comes back
    /// and shows its token again: a revoked one does not watch on for ever.
    pub(crate) fn bound<S: Stream>(self, items: S) -> impl Stream<Item = S::Item> + use<S> {
        let Self { seat, wall, shutdown } = self;
        let over = Box::pin(tokio::time::sleep(wall));
        let end = future::select(over, Box::pin(shutdown.cancelled_owned()));
        items.take_until(end).map(move |item| {
            let _held = &seat;
            item
        })
    }
}

/// The event after which a watcher wants to go on.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<&str>> {
    single(headers, &HeaderName::from_static("last-event-id"))
}

/// The last event of a stream that cannot go on: what a request would have been refused with.
pub(crate) fn failed(error: Error) -> Event {
    let body: ErrorEnvelope = Refusal::from(error).into_event();
    // Shapes of text and numbers always serialize; an event without data is not dispatched.
    Event::default().event("error").json_data(body).unwrap_or_default()
}
