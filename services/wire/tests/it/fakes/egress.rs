use aileron_contract::{
    Context, Egress, Result, Stream,
    egress::{Fetch, Outcome, Request, Response},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::sync::Notify;

use super::Stage;
use crate::samples::egress as samples;

#[derive(Default)]
pub(crate) struct FakeEgress {
    pub(crate) stage: Stage,
    pub(crate) entered: Notify,
}

#[async_trait]
impl Egress for FakeEgress {
    /// The method says what happens: `ECHO` answers with the body, `CUT` with a body that fails,
    /// `HALF` with one that never goes on, `STUCK` not at all, another fails.
    async fn send(&self, context: &Context, request: Request) -> Result<Outcome> {
        let Request { body, method, .. } = request.clone();
        let noted = Request { body: Bytes::new(), ..request };
        let full = self.stage.enter("send", &(context, noted, body.len()))?;
        self.entered.notify_one();
        let body = match method.as_str() {
            "ECHO" => stream::iter([Ok(body)]).boxed(),
            "CUT" => stream::iter([Ok(body), Err(samples::cut())]).boxed(),
            "HALF" => stream::iter([Ok(body)]).chain(stream::pending()).boxed(),
            "STUCK" => std::future::pending().await,
            _ => return Ok(Outcome::Failed(samples::send_failure(full))),
        };
        Ok(answered(full, body))
    }

    async fn fetch(&self, context: &Context, request: Fetch) -> Result<Outcome> {
        let token = samples::token(&request);
        let full = self.stage.enter("fetch", &(context, &request, token))?;
        let pieces = ["one", "", "two"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        Ok(answered(full, stream::iter(pieces).boxed()))
    }
}

fn answered(full: bool, body: Stream<Bytes>) -> Outcome {
    let (status, headers, binding) = samples::head(full);
    Outcome::Answered(Response { status, headers, body, binding })
}
