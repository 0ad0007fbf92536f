//! Who may not decide and tries, in the log: each of the first tries, and the number of those
//! beyond.

use aileron_contract::{Timestamp, audit, limits, tally::Refusals};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What was counted is told when its time is over, and at the latest when `stop` says so, by one
/// of the `tasks`.
pub(super) fn told_to(
    audit: audit::Handle,
    clock: fn() -> Timestamp,
    tasks: TaskTracker,
    stop: CancellationToken,
) -> Refusals {
    Refusals::new("executor", audit, clock, move |counting| {
        let stop = stop.clone();
        tasks.spawn(async move {
            let wall = tokio::time::sleep(limits::REFUSALS_WALL);
            let stopping = stop.run_until_cancelled(wall).await.is_none();
            for error in counting.tell(stopping).await {
                tracing::warn!(%error, "the number of refused decisions is not in the log");
            }
        });
    })
}
