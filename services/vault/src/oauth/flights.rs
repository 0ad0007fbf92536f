//! One refresh per binding, however many callers wait for it, and to its end even when all of
//! them have gone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{Timestamp, failure::Failure, limits, names::BindingName};
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio_util::task::TaskTracker;

/// What became of a refresh, for everybody who waits.
pub(crate) type Landing = Result<(), Failure>;

#[derive(Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<BindingName, Shared<BoxFuture<'static, Landing>>>>,
    /// What failed a moment ago: not to be tried with every request.
    failed: Mutex<HashMap<BindingName, (Timestamp, Failure)>>,
}

impl Flights {
    /// Joins the refresh under way, or begins one.
    pub(crate) fn join(
        self: &Arc<Self>,
        binding: &BindingName,
        tasks: &TaskTracker,
        begin: impl FnOnce() -> BoxFuture<'static, Landing>,
    ) -> Shared<BoxFuture<'static, Landing>> {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.get(binding) {
            return flight.clone();
        }
        let (work, landed) = (begin(), Landed(Arc::clone(self), binding.clone()));
        let task = tasks.spawn(async move {
            // Dropped when the work ends, however it ends, and after its result is known.
            let _landed = landed;
            work.await
        });
        let flight =
            task.map(|ended| ended.unwrap_or_else(|_| Err(interrupted()))).boxed().shared();
        under_way.insert(binding.clone(), flight.clone());
        flight
    }

    /// The refresh under way, if there is one.
    pub(crate) fn current(
        &self,
        binding: &BindingName,
    ) -> Option<Shared<BoxFuture<'static, Landing>>> {
        lock(&self.under_way).get(binding).cloned()
    }

    /// All refreshes under way.
    pub(crate) fn all(&self) -> Vec<Shared<BoxFuture<'static, Landing>>> {
        lock(&self.under_way).values().cloned().collect()
    }

    /// The provider failed: it is left alone for a moment.
    pub(crate) fn pause(&self, binding: &BindingName, failure: &Failure, now: Timestamp) {
        if let Ok(until) = now.checked_add(limits::OAUTH_PAUSE) {
            lock(&self.failed).insert(binding.clone(), (until, failure.clone()));
        }
    }

    pub(crate) fn resume(&self, binding: &BindingName) {
        lock(&self.failed).remove(binding);
    }

    /// What failed a moment ago.
    pub(crate) fn paused(&self, binding: &BindingName, now: Timestamp) -> Option<Failure> {
        let mut failed = lock(&self.failed);
        failed.retain(|_, (until, _)| now < *until);
        failed.get(binding).map(|(_, failure)| failure.clone())
    }
}

impl std::fmt::Debug for Flights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

struct Landed(Arc<Flights>, BindingName);

impl Drop for Landed {
    fn drop(&mut self) {
        lock(&self.0.under_way).remove(&self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn interrupted() -> Failure {
    use aileron_contract::failure::{Boundary, Class};
    let text = "the refresh of the token was interrupted; try again in a moment";
    Failure::new(Class::BindingFailed, Boundary::Runtime, text).retriable(true)
}
