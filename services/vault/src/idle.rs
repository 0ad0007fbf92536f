//! Locks a vault that nobody uses. Off unless it is configured.

use std::time::Duration;

use aileron_contract::{Context, Timestamp, vault::State};
use tokio_util::sync::CancellationToken;

use crate::lock::Lock;

/// How late the lock may be, at most.
const LATE: Duration = Duration::from_secs(5);

/// Looks again and again, until `stop`. By the clock on the wall: a machine that slept was not
/// used either.
pub(crate) async fn watch(lock: Lock, after: Duration, stop: CancellationToken) {
    let keeper = &lock.keeper;
    let pause = (after / 4).clamp(Duration::from_millis(10), LATE);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if !due(keeper.last_activity(), (keeper.clock)(), after) {
            continue;
        }
        let open = keeper.view().await.is_ok_and(|view| view.status().state == State::Unlocked);
        if open && let Err(error) = lock.lock(&Context::service("idle_lock")).await {
            // The keys are gone all the same.
            tracing::warn!(%error, "the vault locked itself and could not record it");
        }
    }
}

/// A clock that went back says nothing about how long nobody was there: locked is the safe side.
fn due(active: Timestamp, now: Timestamp, after: Duration) -> bool {
    match Duration::try_from(now.duration_since(active)) {
        Ok(idle) => idle >= after,
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_is_idle_after_its_time_and_when_the_clock_went_back() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let after = Duration::from_mins(1);
        assert!(!due(at(100), at(100), after));
        assert!(!due(at(100), at(159), after));
        assert!(due(at(100), at(160), after));
        assert!(due(at(100), at(99), after));
    }
}
