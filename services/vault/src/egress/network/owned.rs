//! Work that goes on when nobody waits for it any more.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs in its caller's task, which costs nothing; dropped before its end, it moves to a task of
/// its own. Either way the tracker knows of it.
pub(super) struct Owned<T: Send + 'static> {
    /// None at the end, and while it runs: what panicked is not run again.
    work: Option<Work<T>>,
    tracker: TaskTracker,
    runtime: Handle,
}

impl<T: Send + 'static> Owned<T> {
    /// Within a runtime, as all that waits for a connection.
    pub(super) fn new(
        work: impl Future<Output = T> + Send + 'static,
        tracker: &TaskTracker,
    ) -> Self {
        Self {
            work: Some(Box::pin(tracker.track_future(work))),
            tracker: tracker.clone(),
            runtime: Handle::current(),
        }
    }
}

impl<T: Send + 'static> Future for Owned<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Owned<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.tracker.spawn_on(async move { drop(work.await) }, &self.runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_ends_where_it_began_or_in_a_task_of_its_own() {
        let tracker = TaskTracker::new();
        assert_eq!(Owned::new(async { 7 }, &tracker).await, 7);

        let (go, wait) = oneshot::channel::<()>();
        let (done, told) = oneshot::channel();
        let work = async move {
            wait.await.unwrap();
            done.send("done").unwrap();
        };
        let mut owned = Box::pin(Owned::new(work, &tracker));
        assert!(futures::poll!(&mut owned).is_pending());
        drop(owned);
        go.send(()).unwrap();
        assert_eq!(told.await.unwrap(), "done");
        tracker.close();
        tracker.wait().await;
    }

    #[tokio::test]
    async fn work_that_was_never_begun_is_done_all_the_same() {
        let tracker = TaskTracker::new();
        let (done, told) = oneshot::channel();
        drop(Owned::new(async move { done.send(()).unwrap() }, &tracker));
        told.await.unwrap();
    }
}
