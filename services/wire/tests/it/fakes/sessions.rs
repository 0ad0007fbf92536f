use aileron_contract::{
    Context, Result, Sessions,
    names::SessionId,
    sessions::{Begin, Begun, Filter, Session},
};
use async_trait::async_trait;

use super::Stage;
use crate::samples::{access, sessions as samples};

#[derive(Default)]
pub(crate) struct FakeSessions {
    pub(crate) stage: Stage,
}

#[async_trait]
impl Sessions for FakeSessions {
    async fn begin(&self, context: &Context, request: Begin) -> Result<Begun> {
        let full = self.stage.enter("begin", &(context, request))?;
        Ok(Begun { session: samples::session(full), bearer: access::bearer(full) })
    }

    async fn end(
        &self,
        context: &Context,
        id: SessionId,
        exit_code: Option<i32>,
    ) -> Result<Session> {
        self.stage.enter("end", &(context, id, exit_code)).map(samples::session)
    }

    async fn list(&self, context: &Context, filter: Filter) -> Result<Vec<Session>> {
        self.stage.enter("list", &(context, filter)).map(samples::sessions)
    }

    async fn get(&self, context: &Context, id: SessionId) -> Result<Session> {
        self.stage.enter("get", &(context, id)).map(samples::session)
    }
}
