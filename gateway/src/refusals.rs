//! Who asks to be signed in to the web page and is refused, in the log: each of the first tries,
//! and the number of those beyond. Wrong passphrases are told by who checks them.

use std::sync::Arc;

use aileron_contract::{
    Context, Principal, Result,
    audit::{self, Actor, Event, EventKind},
    limits, tally,
};

use crate::Options;

/// Tells the log.
#[derive(Debug)]
pub(crate) struct Refusals(tally::Refusals);

/// What was refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refused {
    /// A code for a browser, to somebody who is no person.
    Asked,
    /// A code that nobody was given, or whose time is over.
    Unknown,
    /// A code that was used before: somebody else has seen it.
    Replayed,
}

impl Refusals {
    /// What was counted is told when its time is over, and at the latest when the gateway stops,
    /// by one of its tasks.
    pub(crate) fn new(audit: &audit::Handle, options: &Options) -> Self {
        let (tasks, stop) = (options.tasks.clone(), options.shutdown.clone());
        let later = move |counting: tally::Counting| {
            let stop = stop.clone();
            tasks.spawn(async move {
                let wall = tokio::time::sleep(limits::REFUSALS_WALL);
                let stopping = stop.run_until_cancelled(wall).await.is_none();
                for error in counting.tell(stopping).await {
                    tracing::warn!(%error, "the number of refused sign-ins is not in the log");
                }
            });
        };
        Self(tally::Refusals::new(Principal::GATEWAY, Arc::clone(audit), options.clock, later))
    }

    /// One more of this caller.
    pub(crate) async fn tell(&self, context: &Context, refused: Refused) -> Result<()> {
        let event = Event::new(EventKind::PersonSessionRefused, Actor::of(context))
            .with("aileron.page_code.refused", refused.text());
        self.0.tell(context, event).await
    }
}

impl Refused {
    fn text(self) -> &'static str {
        match self {
            Self::Asked => "asked for by no person",
            Self::Unknown => "unknown or too late",
            Self::Replayed => "used before",
        }
    }
}
