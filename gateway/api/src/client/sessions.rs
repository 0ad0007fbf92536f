//! Agent sessions.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::sessions::{BeginSession, BegunSession, EndSession, Session, SessionFilter, Sessions};

impl Client {
    /// Begins an agent session; its agent's token is in the answer, and nowhere else.
    pub async fn begin_session(&self, body: &BeginSession) -> Result<Answer<BegunSession>> {
        self.send(Call::new(Method::POST, &["sessions"]).json(body)).await?.json()
    }

    pub async fn end_session(&self, id: &str, body: &EndSession) -> Result<Answer<Session>> {
        self.send(Call::new(Method::POST, &["sessions", id, "end"]).json(body)).await?.json()
    }

    pub async fn agent_sessions(&self, filter: &SessionFilter) -> Result<Answer<Sessions>> {
        self.send(Call::new(Method::GET, &["sessions"]).filter(filter)).await?.json()
    }

    pub async fn agent_session(&self, id: &str) -> Result<Answer<Session>> {
        self.get(&["sessions", id]).await
    }
}
