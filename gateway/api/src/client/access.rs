//! Person sessions and minted tokens.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::access::{
    MintToken, MintedToken, OpenPersonSession, OpenedPersonSession, PersonSessions, Tokens,
};
use crate::page::{PageCode, PageCodeState};

impl Client {
    /// Opens a person session; its token goes into [`Client::with_token`].
    pub async fn open_person_session(
        &self,
        body: &OpenPersonSession,
    ) -> Result<Answer<OpenedPersonSession>> {
        self.send(Call::new(Method::POST, &["person-sessions"]).json(body)).await?.json()
    }

    pub async fn person_sessions(&self) -> Result<Answer<PersonSessions>> {
        self.get(&["person-sessions"]).await
    }

    pub async fn close_person_session(&self, id: &str) -> Result<Answer<()>> {
        Ok(self.send(Call::new(Method::DELETE, &["person-sessions", id])).await?.nothing())
    }

    pub async fn close_all_person_sessions(&self) -> Result<Answer<()>> {
        Ok(self.send(Call::new(Method::DELETE, &["person-sessions"])).await?.nothing())
    }

    /// A code that signs a browser in to the web page, once.
    pub async fn page_code(&self) -> Result<Answer<PageCode>> {
        self.send(Call::new(Method::POST, &["page-codes"])).await?.json()
    }

    pub async fn page_code_state(&self, id: &str) -> Result<Answer<PageCodeState>> {
        self.get(&["page-codes", id]).await
    }

    pub async fn mint_token(&self, body: &MintToken) -> Result<Answer<MintedToken>> {
        self.send(Call::new(Method::POST, &["tokens"]).json(body)).await?.json()
    }

    pub async fn tokens(&self) -> Result<Answer<Tokens>> {
        self.get(&["tokens"]).await
    }

    pub async fn revoke_token(&self, id: &str) -> Result<Answer<()>> {
        Ok(self.send(Call::new(Method::DELETE, &["tokens", id])).await?.nothing())
    }
}
