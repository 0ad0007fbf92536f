//! Tells the person at the desktop that a call waits for a decision: which action, who asked, and
//! how to look at it. Never what the call says, nor what it acts upon: a notification is seen by
//! whoever sees the screen, and kept by the desktop.
//!
//! Deliberately absent: any answer. What is clicked in a notification decides nothing.

mod desktop;
mod message;
mod quiet;
mod waiting;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aileron_api::status::{self, NotificationState};
use aileron_contract::{
    Context, Result, Stream, Timestamp,
    executor::{self, ApprovalChange, ApprovalEvent, Position},
    sessions,
};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::config::Notifications;
use message::Message;
use quiet::Quiet;
use waiting::{Told, Waiting};

/// Between two looks for an executor that does not answer.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// What the person is told with, and when not.
#[derive(Clone, Debug)]
pub(crate) struct Notifier {
    enabled: bool,
    /// Why nothing could be shown, were there something.
    refused: Option<&'static str>,
    quiet: Option<Quiet>,
    standing: Arc<Mutex<Standing>>,
    clock: fn() -> Timestamp,
}

/// How the last one went.
#[derive(Debug, Default)]
enum Standing {
    #[default]
    Untried,
    Shown,
    Failed(String),
}

/// Whom the notifier listens to, and asks who an agent is.
pub(crate) struct Sources {
    pub(crate) executor: executor::Handle,
    pub(crate) sessions: Option<sessions::Handle>,
    /// Where people find the web page.
    pub(crate) page: Option<String>,
}

impl Notifier {
    pub(crate) fn new(config: &Notifications, clock: fn() -> Timestamp) -> Result<Self> {
        Ok(Self {
            enabled: config.enabled,
            refused: desktop::refusal(config.bus.as_deref()),
            quiet: config.quiet_hours.as_ref().map(Quiet::of).transpose()?,
            standing: Arc::default(),
            clock,
        })
    }

    /// For status pages.
    pub(crate) fn status(&self) -> status::Notifications {
        let now = (self.clock)();
        let quiet_now = self.quiet.as_ref().is_some_and(|quiet| quiet.holds(now));
        let (state, reason) = match (&*self.standing(), self.refused) {
            _ if !self.enabled => (NotificationState::Off, None),
            (_, Some(why)) => (NotificationState::Unavailable, Some(why.to_owned())),
            (Standing::Failed(why), None) => (NotificationState::Unavailable, Some(why.clone())),
            _ if quiet_now => (NotificationState::Quiet, None),
            (Standing::Untried | Standing::Shown, None) => (NotificationState::On, None),
        };
        status::Notifications { state, reason, quiet_hours: self.quiet.as_ref().map(Quiet::told) }
    }

    /// Follows the approvals and tells of them, until `stop`.
    pub(crate) async fn follow(self, sources: Sources, stop: CancellationToken) {
        if self.enabled && self.refused.is_none() {
            let show = async |message: Message| desktop::show(message).await;
            stop.run_until_cancelled(self.followed(&sources, show)).await;
        } else if let Some(why) = self.refused.filter(|_| self.enabled) {
            tracing::debug!(why, "no desktop notifications");
        }
    }

    async fn followed(
        &self,
        sources: &Sources,
        show: impl AsyncFn(Message) -> std::result::Result<(), String>,
    ) {
        let mut waiting = Waiting::default();
        let mut after: Option<Position> = None;
        let mut pause = PAUSE;
        loop {
            let context = Context::service("notifications");
            match sources.executor.watch_approvals(&context, after).await {
                Ok(mut events) => {
                    let before = after;
                    self.listen(&mut events, (&mut waiting, &mut after), (sources, &show)).await;
                    if after != before {
                        pause = PAUSE;
                    }
                }
                Err(error) => tracing::debug!(?error, "the approvals cannot be followed"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Until the stream ends.
    async fn listen(
        &self,
        events: &mut Stream<ApprovalEvent>,
        (waiting, after): (&mut Waiting, &mut Option<Position>),
        (sources, show): (&Sources, &impl AsyncFn(Message) -> std::result::Result<(), String>),
    ) {
        loop {
            let now = (self.clock)();
            let quiet = self.quiet.as_ref().is_some_and(|quiet| quiet.holds(now));
            let due = waiting.due(now, quiet);
            let next = async {
                match due {
                    Some(wait) => tokio::time::timeout(wait, events.next()).await.ok(),
                    None => Some(events.next().await),
                }
            };
            match next.await {
                Some(Some(Ok(ApprovalEvent { position, change }))) => {
                    *after = Some(position);
                    match change {
                        ApprovalChange::Snapshot(all) => waiting.replace(all),
                        ApprovalChange::Pending(one) => waiting.add(*one),
                        ApprovalChange::Resolved(resolution) => waiting.remove(&resolution.id),
                    }
                }
                Some(Some(Err(error))) => {
                    tracing::debug!(?error, "the approvals are followed anew");
                    return;
                }
                Some(None) => return,
                None => {
                    if !quiet && let Some(told) = waiting.tell(now) {
                        let message = message(told, sources).await;
                        self.shown(show(message).await);
                    }
                }
            }
        }
    }

    /// Remembers how it went; said in the log when that is news.
    fn shown(&self, outcome: std::result::Result<(), String>) {
        let mut standing = self.standing();
        match (outcome, &*standing) {
            (Ok(()), _) => *standing = Standing::Shown,
            (Err(_), Standing::Failed(_)) => {}
            (Err(why), Standing::Untried | Standing::Shown) => {
                tracing::info!(why, "a desktop notification cannot be shown");
                *standing = Standing::Failed(why);
            }
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Replaced whole: a panic elsewhere leaves nothing half done here.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn message(told: Told, sources: &Sources) -> Message {
    let page = sources.page.as_deref();
    match told {
        Told::One(call) => {
            let agent = match (&call.session, &sources.sessions) {
                (Some(id), Some(sessions)) => {
                    let context = Context::service("notifications");
                    sessions.get(&context, id.clone()).await.ok().map(|session| session.agent)
                }
                _ => None,
            };
            Message::one(&call, agent.as_ref(), page)
        }
        Told::Several(count) => Message::several(count, page),
    }
}
