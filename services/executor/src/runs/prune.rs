//! Old rows go. The log keeps what happened, and still recognises one that is put back.

use std::{sync::Arc, time::Duration};

use aileron_contract::{Error, Result, executor::RunState, limits};

use super::engine::Engine;

const PERIOD: Duration = Duration::from_hours(24);

/// Runs that came to their end. Those that wait for a person, or for the vault, are none.
const ENDED: [RunState; 5] =
    [RunState::Done, RunState::Failed, RunState::Ambiguous, RunState::Denied, RunState::Expired];

impl Engine {
    /// Removes old rows now and every day, until shutdown.
    pub(super) fn watch_age(self: &Arc<Self>) {
        // The task must not keep the engine alive.
        let (engine, stop) = (Arc::downgrade(self), self.stop.clone());
        self.tasks.spawn(async move {
            loop {
                {
                    let Some(engine) = engine.upgrade() else { return };
                    if let Err(error) = engine.prune().await {
                        tracing::warn!(?error, "old runs could not be removed; tried again");
                    }
                }
                if stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_none() {
                    return;
                }
            }
        });
    }

    /// Removes rows of runs that ended and were asked for long ago, some at a time: other writers
    /// come in between.
    pub(super) async fn prune(&self) -> Result<()> {
        let before = self.now().checked_sub(limits::RUN_KEPT).map_err(Error::internal)?;
        self.ledger.remove_old_grants(before).await?;
        while !self.stop.is_cancelled() {
            let removed = self.ledger.remove(&ENDED, before, limits::RUN_PAGE).await?;
            if removed < u64::from(limits::RUN_PAGE) {
                break;
            }
        }
        Ok(())
    }
}
