//! Wrong passphrases in the log: each of the first ones, and the number of those beyond.

use aileron_contract::{
    Context, Timestamp,
    audit::{self, Actor, Event, EventKind},
    limits, tally,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Tells the log. Cheap to clone; all clones count together.
#[derive(Clone)]
pub(crate) struct Refusals(tally::Refusals);

impl Refusals {
    /// What was counted is told when its time is over, and at the latest when `stop` says so, by
    /// one of the `tasks`.
    pub(crate) fn new(
        audit: audit::Handle,
        clock: fn() -> Timestamp,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        Self(tally::Refusals::new("vault", audit, clock, move |counting| {
            let stop = stop.clone();
            tasks.spawn(async move {
                let wall = tokio::time::sleep(limits::REFUSALS_WALL);
                let stopping = stop.run_until_cancelled(wall).await.is_none();
                for error in counting.tell(stopping).await {
                    tracing::warn!(%error, "the number of wrong passphrases is not in the log");
                }
            });
        }))
    }

    /// One more of this kind. The caller is refused, whatever becomes of the log.
    pub(crate) async fn tell(&self, context: &Context, kind: EventKind) {
        let event = Event::new(kind, Actor::of(context));
        if let Err(error) = self.0.tell(context, event).await {
            tracing::warn!(%error, "a refused passphrase could not be recorded");
        }
    }
}
