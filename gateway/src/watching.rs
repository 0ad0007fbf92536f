//! How long somebody may watch: a stream that waits for what comes has a seat, and an end.

use std::time::Duration;

use aileron_contract::{Context, Timestamp, limits};
use futures::{Stream, StreamExt as _, future};
use tokio_util::sync::CancellationToken;

use crate::{
    Shared,
    answer::Result,
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
