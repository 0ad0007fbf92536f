//! Where passphrases wait for their turn to be checked.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aileron_contract::{Context, Error, Reason, Result};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::lines::{Line, Lines, Moment, Place, Turn as Order, Verdict};

/// One check at a time, whoever asks.
#[derive(Debug)]
pub(super) struct Gate {
    lines: Mutex<Lines>,
    began: Instant,
    /// Somebody left, so it may be another one's turn.
    moved: Notify,
    stop: CancellationToken,
}

/// The right to check passphrases, held by one caller at a time. It can be taken into a task that
/// outlives its caller; who goes away before the turn came has left the line.
#[derive(Debug)]
pub(crate) struct Turn {
    gate: Arc<Gate>,
    place: Place,
    verdict: Verdict,
}

impl Gate {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { lines: Mutex::default(), began: Instant::now(), moved: Notify::new(), stop }
    }

    /// Waits for the caller's turn.
    pub(super) async fn turn(self: &Arc<Self>, context: &Context) -> Result<Turn> {
        let place = self.lines().join(Line::of(context), self.now())?;
        let turn = Turn { gate: Arc::clone(self), place, verdict: Verdict::Neither };
        loop {
            // Listening before looking: what happens in between is not missed.
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let order = self.lines().turn(&turn.place, self.now());
            let at = match order {
                Order::Now => return Ok(turn),
                Order::Not(at) => at.unwrap_or(Moment::MAX),
            };
            let wait = at.saturating_sub(self.now());
            tokio::select! {
                () = self.stop.cancelled() => {
                    let public = "the vault is shutting down";
                    return Err(Error::new(Reason::ShuttingDown, public));
                }
                () = &mut moved => {}
                () = sleep(wait) => {}
            }
        }
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Every change is whole: a panic elsewhere leaves nothing half done here.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// What the check came to: counted when the turn is over.
    pub(super) fn came_to(&mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.gate.lines().leave(&self.place, self.verdict);
        self.gate.moved.notify_waiters();
    }
}

/// Who has nothing to wait for but the others looks again after a while all the same.
async fn sleep(wait: Duration) {
    tokio::time::sleep(wait.min(Duration::from_mins(1))).await;
}
