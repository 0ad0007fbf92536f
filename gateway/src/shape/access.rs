use aileron_api::{
    Sensitive,
    access::{MintedToken, OpenedPersonSession, PersonSession, Token},
};
use aileron_contract::{Error, Result, Secret, access};

use super::text;

pub(crate) fn opened(opened: access::Opened) -> Result<OpenedPersonSession> {
    let access::Opened { session, bearer } = opened;
    let PersonSession { id, opened_at, expires_at } = person_session(session);
    Ok(OpenedPersonSession { id, token: shown_once(&bearer)?, opened_at, expires_at })
}

pub(crate) fn person_session(session: access::PersonSession) -> PersonSession {
    let access::PersonSession { id, opened_at, expires_at } = session;
    PersonSession { id, opened_at: opened_at.to_string(), expires_at: expires_at.to_string() }
}

pub(crate) fn minted(minted: access::Minted) -> Result<MintedToken> {
    let access::Minted { token: inner, bearer } = minted;
    let Token { id, label, scopes, created_at, expires_at, revoked_at: _ } = token(inner);
    let token = shown_once(&bearer)?;
    Ok(MintedToken { id, token, label, scopes, created_at, expires_at })
}

pub(crate) fn token(token: access::Token) -> Token {
    let access::Token { id, label, scopes, created_at, expires_at, revoked_at } = token;
    Token {
        id,
        label,
        scopes: scopes.iter().map(|scope| scope.to_string()).collect(),
        created_at: created_at.to_string(),
        expires_at: expires_at.to_string(),
        revoked_at: text(revoked_at),
    }
}

/// What the vault makes for somebody to hold is text; anything else is a bug of the service.
pub(crate) fn shown_once(secret: &Secret) -> Result<Sensitive> {
    let text = secret.expose(|bytes| std::str::from_utf8(bytes).map(str::to_owned));
    text.map(Sensitive::new).map_err(Error::internal)
}
