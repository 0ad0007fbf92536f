//! A server's farewell in two steps: `begun`, when streams without an end are ended, and
//! `overdue`, when calls that still run are answered with `shutting_down`.

use aileron_contract::{Error, Reason};
use futures::{Stream, StreamExt, future::ready, stream};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::{call::Frames, status::status_from_error};

#[derive(Clone, Debug, Default)]
pub(crate) struct Closing {
    pub(crate) begun: CancellationToken,
    pub(crate) overdue: CancellationToken,
}

pub(crate) fn shutting_down() -> Error {
    Error::new(Reason::ShuttingDown, "the service is stopping; try again in a moment")
}

/// Frames that stop with `shutting_down` when `stop` comes first.
pub(crate) fn until<F: Send + 'static>(
    stop: CancellationToken,
    frames: impl Stream<Item = Result<F, Status>> + Send + 'static,
) -> Frames<F> {
    let stopped = stop.clone();
    let farewell = stream::once(ready(())).filter_map(move |()| {
        let said = stopped.is_cancelled().then(|| Err(status_from_error(&shutting_down())));
        ready(said)
    });
    frames.take_until(stop.cancelled_owned()).chain(farewell).boxed()
}
