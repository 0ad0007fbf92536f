//! Tells the client's person, through the client, that a call waits for approval: an address to
//! open, where the client can do that (elicitation in URL mode, MCP 2025-11-25).
//!
//! Only tells. The answer is an agent's side's word: accepted, declined or cancelled, it is not
//! looked at, and the approval waits as before.

use std::sync::Arc;

use rmcp::{
    RoleServer,
    model::{ElicitRequest, ElicitRequestParams, ProtocolVersion, ServerRequest},
    service::{PeerRequestOptions, RequestContext},
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    bounds::{QUESTION, QUESTION_WALL, QUESTIONS},
    text,
};
use crate::actions::RunPending;

/// Tells of pending approvals to one client.
#[derive(Debug)]
pub(super) struct Elicit {
    open: Arc<Semaphore>,
    tasks: TaskTracker,
    gone: CancellationToken,
}

impl Elicit {
    pub(super) fn new(tasks: TaskTracker, gone: CancellationToken) -> Self {
        Self { open: Arc::new(Semaphore::new(QUESTIONS)), tasks, gone }
    }

    /// Tells, beside the call's own result, and waits for nothing.
    pub(super) fn tell(&self, context: &RequestContext<RoleServer>, pending: &RunPending) {
        let Some(url) = pending.review_url.clone().filter(|_| opens_addresses(context)) else {
            return;
        };
        let Ok(permit) = Arc::clone(&self.open).try_acquire_owned() else { return };
        let params = ElicitRequestParams::UrlElicitationParams {
            meta: None,
            message: text::shown(&pending.message, QUESTION),
            url,
            elicitation_id: pending.approval_id.clone(),
        };
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(params));
        let (peer, gone) = (context.peer.clone(), self.gone.clone());
        let options = PeerRequestOptions::with_timeout(QUESTION_WALL);
        drop(self.tasks.spawn(async move {
            let asked = async {
                let Ok(handle) = peer.send_request_with_option(request, options).await else {
                    return;
                };
                // Whatever comes back is nobody's decision.
                drop(handle.await_response().await);
            };
            gone.run_until_cancelled(asked).await;
            drop(permit);
        }));
    }
}

/// Did the client say that it can lead its person to an address?
fn opens_addresses(context: &RequestContext<RoleServer>) -> bool {
    let Some(client) = context.peer.peer_info() else { return false };
    let known = client.capabilities.elicitation.as_ref().is_some_and(|it| it.url.is_some());
    known && context.protocol_version() == Some(ProtocolVersion::V_2025_11_25)
}
