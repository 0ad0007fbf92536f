//! Approvals.

use futures::{Stream, stream};
use reqwest::Method;

use super::{Answer, Call, Client, Result, events::Event, watch::Watch};
use crate::approvals::{
    ApprovalResult, Approvals, Decide, Denied, DenySession, PendingApproval, Resolved,
};

/// One event of the stream of approvals.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalEvent {
    pub change: ApprovalChange,
    /// The event's data, unchanged.
    pub raw: String,
}

/// What happened to the approvals.
#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalChange {
    /// All that wait, oldest first: what was known before is replaced.
    Snapshot(Approvals),
    /// One more waits, or the same one waits again with another digest.
    Pending(Box<PendingApproval>),
    /// One no longer waits.
    Resolved(Resolved),
}

impl ApprovalChange {
    /// The name of the event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Snapshot(_) => "snapshot",
            Self::Pending(_) => "pending",
            Self::Resolved(_) => "resolved",
        }
    }
}

impl Client {
    pub async fn approvals(&self) -> Result<Answer<Approvals>> {
        self.get(&["action-approvals"]).await
    }

    /// All approvals that wait, then each change. A broken connection is opened again after the
    /// last event seen; where the runtime no longer knows it, another snapshot comes. Ends with an
    /// error when the server refuses or stays away.
    pub fn watch_approvals(&self) -> impl Stream<Item = Result<ApprovalEvent>> + Send + 'static {
        let path = ["action-approvals", "watch"].map(str::to_owned).to_vec();
        // A snapshot is as long as the list of all that wait.
        let watch = Watch::new(self, path, Vec::new()).with_events_up_to(super::call::ANSWER);
        stream::try_unfold(watch, |mut watch| async move {
            while let Some(event) = watch.event().await? {
                if let Some(event) = read(&watch, event)? {
                    return Ok(Some((event, watch)));
                }
            }
            Ok(None)
        })
    }

    /// Decides. Needs a person session's token.
    pub async fn decide(&self, id: &str, body: &Decide) -> Result<Answer<()>> {
        let call = Call::new(Method::POST, &["action-approvals", id, "decide"]).json(body);
        Ok(self.send(call).await?.nothing())
    }

    /// Denies all that waits of one session. Needs a person session's token.
    pub async fn deny_session(&self, body: &DenySession) -> Result<Answer<Denied>> {
        self.send(Call::new(Method::POST, &["action-approvals", "deny"]).json(body)).await?.json()
    }

    pub async fn approval_result(&self, id: &str) -> Result<Answer<ApprovalResult>> {
        self.get(&["action-approvals", id, "result"]).await
    }
}

/// An event of another kind is of a later version, and left out.
fn read(watch: &Watch, event: Event) -> Result<Option<ApprovalEvent>> {
    let change = match event.kind.as_str() {
        "snapshot" => ApprovalChange::Snapshot(watch.read(&event)?),
        "pending" => ApprovalChange::Pending(Box::new(watch.read(&event)?)),
        "resolved" => ApprovalChange::Resolved(watch.read(&event)?),
        _ => return Ok(None),
    };
    Ok(Some(ApprovalEvent { change, raw: event.data }))
}
