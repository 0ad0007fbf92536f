//! Until when the token that a grant is for is good: a grant does not outlast it.

use aileron_contract::{Context, Result, Timestamp, access};
use async_trait::async_trait;

/// What grants have to know about minted tokens.
#[async_trait]
pub trait Tokens: Send + Sync + 'static {
    /// When the token expires, or did; none of one that nobody knows.
    async fn end(&self, id: &str) -> Result<Option<Timestamp>>;
}

#[async_trait]
impl Tokens for access::Handle {
    async fn end(&self, id: &str) -> Result<Option<Timestamp>> {
        let tokens = self.tokens(&Context::service("executor")).await?;
        Ok(tokens.into_iter().find(|token| token.id == id).map(|token| token.expires_at))
    }
}
