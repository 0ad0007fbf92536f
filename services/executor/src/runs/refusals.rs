//! Who may not decide and tries, in the log: each of the first tries, and the number of those
//! beyond.

use std::sync::{Arc, MutexGuard, PoisonError};

use aileron_contract::{
    Context, Result,
    audit::Event,
    limits,
    tally::{Tally, Told},
};

use super::engine::Engine;

impl Engine {
    /// Tells the log of one more refusal of this caller, or counts it.
    pub(super) async fn tell_refused(
        self: &Arc<Self>,
        event: Event,
        context: &Context,
    ) -> Result<()> {
        let told = self.refusals().another(event.kind, &context.principal, self.now());
        match told {
            Told::ByItself => drop(self.announce(event).await?),
            Told::Counted { first: true } => {
                let engine = Arc::clone(self);
                self.tasks.spawn(async move { engine.tell_counted().await });
            }
            Told::Counted { first: false } => {}
        }
        Ok(())
    }

    /// When their time is over, and at the latest when the runtime stops.
    async fn tell_counted(&self) {
        let wall = tokio::time::sleep(limits::REFUSALS_WALL);
        let stopped = self.stop.run_until_cancelled(wall).await.is_none();
        let now = self.now();
        let counted = if stopped { self.refusals().all() } else { self.refusals().over(now) };
        for counted in counted {
            if let Err(error) = self.announce(counted.event()).await {
                tracing::warn!(%error, "the number of refused decisions could not be recorded");
            }
        }
    }

    fn refusals(&self) -> MutexGuard<'_, Tally> {
        // Every change is whole: a panic elsewhere leaves nothing half done here.
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
