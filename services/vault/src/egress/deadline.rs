//! When a request ends, whatever it waits for.

use std::{future::poll_fn, pin::Pin, task::Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// One timer for all that a request waits for: to start one for each would cost more than most
/// of the waiting.
pub(crate) struct Deadline(Pin<Box<Sleep>>);

impl Deadline {
    /// Within a runtime, as all that waits for a connection.
    pub(crate) fn new(at: Instant) -> Self {
        Self(Box::pin(sleep_until(at)))
    }

    /// What `work` comes to; none when the time is over first. Pinned by whoever asks: so it lies
    /// in one place only.
    pub(crate) fn within<T>(
        &mut self,
        mut work: impl Future<Output = T> + Unpin,
    ) -> impl Future<Output = Option<T>> {
        poll_fn(move |context| match Pin::new(&mut work).poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.0.as_mut().poll(context).map(|()| None),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        pin::pin,
        time::Duration,
    };

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn what_is_there_in_time_is_taken_and_nothing_is_waited_for_afterwards() {
        let mut later = Deadline::new(Instant::now() + Duration::from_hours(1));
        for _ in 0..3 {
            assert_eq!(later.within(pin!(yield_now())).await, Some(()));
        }
        let mut over = Deadline::new(Instant::now());
        assert_eq!(over.within(ready(1)).await, Some(1));
        for _ in 0..2 {
            assert_eq!(over.within(pending::<()>()).await, None);
        }
        assert_eq!(over.within(ready(2)).await, Some(2));
    }
}
