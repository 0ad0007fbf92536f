//! Work that goes on when nobody waits for it any more.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
};

use tokio::runtime::Handle;
use tokio_util::{sync::WaitForCancellationFuture, task::task_tracker::TaskTrackerToken};
use tracing::{Instrument as _, Span};

use super::tasks::Tasks;

pub(super) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs in its caller's task, which costs nothing; dropped before its end, it moves to a task of
/// its own. Either way the tracker knows of it, and it ends when the house shuts down.
struct Owned<'s, 'a, T: Send + 'static> {
    /// None at the end, and while it runs: what panicked is not run again.
    work: Option<Work<T>>,
    stopped: Pin<&'s mut WaitForCancellationFuture<'a>>,
    /// The tracker waits for this one.
    _counted: TaskTrackerToken,
    tasks: &'a Tasks,
    runtime: Handle,
    span: Span,
}

/// What the work comes to; none when the house shuts down first. Within a runtime, as all that
/// waits for a connection.
pub(super) async fn owned<T: Send + 'static>(work: Work<T>, tasks: &Tasks) -> Option<T> {
    let stopped = pin!(tasks.stop.cancelled());
    let owned = Owned {
        work: Some(work),
        stopped,
        _counted: tasks.tracker.token(),
        tasks,
        runtime: Handle::current(),
        span: Span::current(),
    };
    owned.await
}

impl<T: Send + 'static> Future for Owned<'_, '_, T> {
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

impl<T: Send + 'static> Drop for Owned<'_, '_, T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        let stop = self.tasks.stop.clone();
        let alone = async move { drop(stop.run_until_cancelled_owned(work).await) };
        self.tasks.tracker.spawn_on(alone.instrument(self.span.clone()), &self.runtime);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_ends_where_it_began_or_in_a_task_of_its_own() {
        let tasks = Tasks::default();
        assert_eq!(owned(Box::pin(async { 7 }), &tasks).await, Some(7));

        let (go, wait) = oneshot::channel::<()>();
        let (done, told) = oneshot::channel();
        let work = async move {
            wait.await.unwrap();
            done.send("done").unwrap();
        };
        let mut waited = Box::pin(owned(Box::pin(work), &tasks));
        assert!(futures::poll!(&mut waited).is_pending());
        drop(waited);
        go.send(()).unwrap();
        assert_eq!(told.await.unwrap(), "done");
        tasks.tracker.close();
        tasks.tracker.wait().await;
    }

    #[tokio::test]
    async fn work_ends_with_the_house_wherever_it_runs() {
        for waited_for in [true, false] {
            let tasks = Tasks::default();
            let mut waited = Box::pin(owned(Box::pin(pending::<()>()), &tasks));
            assert!(futures::poll!(&mut waited).is_pending());
            assert_eq!(tasks.tracker.len(), 1);
            tasks.tracker.close();
            if waited_for {
                tasks.stop.cancel();
                assert_eq!(waited.await, None);
            } else {
                drop(waited);
                assert_eq!(tasks.tracker.len(), 1);
                tasks.stop.cancel();
            }
            tasks.tracker.wait().await;
        }
    }
}
