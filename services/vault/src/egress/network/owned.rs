//! Work that goes on when nobody waits for it any more.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;
use tokio_util::{sync::WaitForCancellationFutureOwned, task::task_tracker::TaskTrackerToken};
use tracing::{Instrument as _, Span};

use super::connection::Tasks;

pub(super) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs in its caller's task, which costs nothing; dropped before its end, it moves to a task of
/// its own. Either way the tracker knows of it, and it ends when the house shuts down.
pub(super) struct Owned<T: Send + 'static> {
    /// None at the end, and while it runs: what panicked is not run again.
    work: Option<Work<T>>,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    /// The tracker waits for this one.
    _counted: TaskTrackerToken,
    tasks: Tasks,
    runtime: Handle,
    span: Span,
}

impl<T: Send + 'static> Owned<T> {
    /// Within a runtime, as all that waits for a connection.
    pub(super) fn new(work: Work<T>, tasks: &Tasks) -> Self {
        Self {
            work: Some(work),
            stopped: Box::pin(tasks.stop.clone().cancelled_owned()),
            _counted: tasks.tracker.token(),
            tasks: tasks.clone(),
            runtime: Handle::current(),
            span: Span::current(),
        }
    }
}

impl<T: Send + 'static> Future for Owned<T> {
    /// None when the house shut down first.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        if self.stopped.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        self.work = Some(work);
        Poll::Pending
    }
}

impl<T: Send + 'static> Drop for Owned<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        let Tasks { tracker, stop } = self.tasks.clone();
        let alone = async move { drop(stop.run_until_cancelled_owned(work).await) };
        tracker.spawn_on(alone.instrument(self.span.clone()), &self.runtime);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;
    use tokio_util::{sync::CancellationToken, task::TaskTracker};

    use super::*;

    fn tasks() -> Tasks {
        Tasks { tracker: TaskTracker::new(), stop: CancellationToken::new() }
    }

    #[tokio::test]
    async fn work_ends_where_it_began_or_in_a_task_of_its_own() {
        let tasks = tasks();
        assert_eq!(Owned::new(Box::pin(async { 7 }), &tasks).await, Some(7));

        let (go, wait) = oneshot::channel::<()>();
        let (done, told) = oneshot::channel();
        let work = async move {
            wait.await.unwrap();
            done.send("done").unwrap();
        };
        let mut owned = Box::pin(Owned::new(Box::pin(work), &tasks));
        assert!(futures::poll!(&mut owned).is_pending());
        drop(owned);
        go.send(()).unwrap();
        assert_eq!(told.await.unwrap(), "done");
        tasks.tracker.close();
        tasks.tracker.wait().await;
    }

    #[tokio::test]
    async fn work_that_was_never_begun_is_done_all_the_same() {
        let (done, told) = oneshot::channel();
        drop(Owned::new(Box::pin(async move { done.send(()).unwrap() }), &tasks()));
        told.await.unwrap();
    }

    #[tokio::test]
    async fn work_ends_with_the_house_wherever_it_runs() {
        for waited_for in [true, false] {
            let tasks = tasks();
            let mut owned = Box::pin(Owned::new(Box::pin(pending::<()>()), &tasks));
            assert!(futures::poll!(&mut owned).is_pending());
            assert_eq!(tasks.tracker.len(), 1);
            tasks.tracker.close();
            if waited_for {
                tasks.stop.cancel();
                assert_eq!(owned.await, None);
            } else {
                drop(owned);
                assert_eq!(tasks.tracker.len(), 1);
                tasks.stop.cancel();
            }
            tasks.tracker.wait().await;
        }
    }
}
