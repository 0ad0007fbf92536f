//! The tasks that drive connections.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::rt::Executor;
use tokio::task::AbortHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Where they run, and what ends them. A clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// Those to end with the house, and some that have ended. A task that waited for `stop` itself
    /// would do so anew each time it wakes, which is with every request.
    running: Arc<Mutex<Vec<AbortHandle>>>,
}

/// How many tasks that have ended are remembered at most, besides as many as have not.
const ENDED: usize = 16;

impl Tasks {
    /// Until it ends, or fails.
    pub(crate) fn drive<E: std::fmt::Display>(
        &self,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        self.run(async move {
            if let Err(error) = work.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }

    /// Until it is done, or the house shuts down.
    pub(crate) fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked while nobody else can end them all.
        if self.stop.is_cancelled() {
            return;
        }
        if running.len() == running.capacity() {
            running.retain(|task| !task.is_finished());
            let room = running.len().saturating_add(ENDED);
            running.reserve_exact(room);
        }
        running.push(self.tracker.spawn(work).abort_handle());
    }

    /// Ends all of them.
    pub(crate) fn end(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        self.stop.cancel();
        for task in running.drain(..) {
            task.abort();
        }
    }

    /// Waits until all of them have ended, and all else that is tracked.
    pub(crate) async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, work: F) {
        self.run(work);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn tasks_end_with_the_house_and_none_begins_afterwards() {
        let tasks = Tasks::default();
        for _ in 0..100 {
            tasks.run(pending());
        }
        assert_eq!(tasks.tracker.len(), 100);
        tasks.end();
        tasks.ended().await;
        assert!(tasks.tracker.is_empty());
        tasks.run(pending());
        assert!(tasks.tracker.is_empty());
    }

    #[tokio::test]
    async fn tasks_that_have_ended_are_forgotten() {
        let tasks = Tasks::default();
        tasks.run(pending());
        for _ in 0..1000 {
            tasks.run(ready(()));
            while tasks.tracker.len() > 1 {
                yield_now().await;
            }
        }
        assert!(tasks.running.lock().unwrap().len() <= 4 * ENDED);
        tasks.end();
        tasks.ended().await;
    }
}
