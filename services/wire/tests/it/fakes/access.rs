use aileron_contract::{
    Access, Context, Principal, Result, Secret,
    access::{Caller, MintRequest, Minted, Opened, PersonSession, Token},
    names::SessionId,
};
use async_trait::async_trait;

use super::{Stage, shown};
use crate::samples::access as samples;

#[derive(Default)]
pub(crate) struct FakeAccess {
    pub(crate) stage: Stage,
}

#[async_trait]
impl Access for FakeAccess {
    async fn open_session(&self, context: &Context, passphrase: Secret) -> Result<Opened> {
        let full = self.stage.enter("open_session", &(context, shown(&passphrase)))?;
        Ok(Opened { session: samples::session(full), bearer: samples::bearer(full) })
    }

    async fn close_sessions(&self, context: &Context, id: Option<String>) -> Result<()> {
        self.stage.enter("close_sessions", &(context, id)).map(|_| ())
    }

    async fn sessions(&self, context: &Context) -> Result<Vec<PersonSession>> {
        self.stage.enter("sessions", &context).map(samples::sessions)
    }

    async fn mint(&self, context: &Context, request: MintRequest) -> Result<Minted> {
        let full = self.stage.enter("mint", &(context, request))?;
        Ok(Minted { token: samples::token(full), bearer: samples::bearer(full) })
    }

    async fn tokens(&self, context: &Context) -> Result<Vec<Token>> {
        self.stage.enter("tokens", &context).map(samples::tokens)
    }

    async fn revoke(&self, context: &Context, id: String) -> Result<()> {
        self.stage.enter("revoke", &(context, id)).map(|_| ())
    }

    async fn admit_agent(
        &self,
        context: &Context,
        session: SessionId,
        begun_by: Principal,
    ) -> Result<Secret> {
        self.stage.enter("admit_agent", &(context, session, begun_by)).map(samples::bearer)
    }

    async fn dismiss_agents(&self, context: &Context, session: Option<SessionId>) -> Result<()> {
        self.stage.enter("dismiss_agents", &(context, session)).map(|_| ())
    }

    async fn authenticate(&self, bearer: Secret) -> Result<Caller> {
        self.stage.enter("authenticate", &shown(&bearer)).map(samples::caller)
    }
}
