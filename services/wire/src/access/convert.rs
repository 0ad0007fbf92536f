//! Domain types of the access contract and their messages.

use aileron_contract::{
    Result,
    access::{Caller, Minted, Opened, PersonSession, Token},
};
use aileron_proto::vault::v1 as pb;

use crate::{
    context::{principal_from_wire, principal_to_wire, scopes_from_wire, scopes_to_wire},
    values::{
        required, secret_from_wire, secret_to_wire, timestamp_from_wire, timestamp_if,
        timestamp_to_wire,
    },
};

pub(super) fn session_to_wire(session: PersonSession) -> pb::PersonSession {
    let PersonSession { id, opened_at, expires_at } = session;
    pb::PersonSession {
        id,
        opened_at: Some(timestamp_to_wire(opened_at)),
        expires_at: Some(timestamp_to_wire(expires_at)),
    }
}

pub(super) fn session_from_wire(session: pb::PersonSession) -> Result<PersonSession> {
    let pb::PersonSession { id, opened_at, expires_at } = session;
    Ok(PersonSession {
        id,
        opened_at: timestamp_from_wire(opened_at, "session.opened_at")?,
        expires_at: timestamp_from_wire(expires_at, "session.expires_at")?,
    })
}

pub(super) fn opened_to_wire(opened: Opened) -> pb::OpenSessionResponse {
    let Opened { session, bearer } = opened;
    pb::OpenSessionResponse {
        session: Some(session_to_wire(session)),
        bearer: secret_to_wire(&bearer),
    }
}

pub(super) fn opened_from_wire(opened: pb::OpenSessionResponse) -> Result<Opened> {
    let pb::OpenSessionResponse { session, bearer } = opened;
    let bearer = secret_from_wire(bearer);
    Ok(Opened { session: session_from_wire(required(session, "session")?)?, bearer })
}

pub(super) fn token_to_wire(token: Token) -> pb::Token {
    let Token { id, label, scopes, created_at, expires_at, revoked_at } = token;
    pb::Token {
        id,
        label,
        scopes: scopes_to_wire(&scopes),
        created_at: Some(timestamp_to_wire(created_at)),
        expires_at: Some(timestamp_to_wire(expires_at)),
        revoked_at: revoked_at.map(timestamp_to_wire),
    }
}

pub(super) fn token_from_wire(token: pb::Token) -> Result<Token> {
    let pb::Token { id, label, scopes, created_at, expires_at, revoked_at } = token;
    Ok(Token {
        id,
        label,
        scopes: scopes_from_wire(scopes)?,
        created_at: timestamp_from_wire(created_at, "token.created_at")?,
        expires_at: timestamp_from_wire(expires_at, "token.expires_at")?,
        revoked_at: timestamp_if(revoked_at, "token.revoked_at")?,
    })
}

pub(super) fn minted_to_wire(minted: Minted) -> pb::MintResponse {
    let Minted { token, bearer } = minted;
    pb::MintResponse { token: Some(token_to_wire(token)), bearer: secret_to_wire(&bearer) }
}

pub(super) fn minted_from_wire(minted: pb::MintResponse) -> Result<Minted> {
    let pb::MintResponse { token, bearer } = minted;
    let bearer = secret_from_wire(bearer);
    Ok(Minted { token: token_from_wire(required(token, "token")?)?, bearer })
}

pub(super) fn caller_to_wire(caller: Caller) -> pb::AuthenticateResponse {
    let Caller { principal, scopes, expires_at } = caller;
    pb::AuthenticateResponse {
        principal: Some(principal_to_wire(principal)),
        scopes: scopes_to_wire(&scopes),
        expires_at: expires_at.map(timestamp_to_wire),
    }
}

pub(super) fn caller_from_wire(caller: pb::AuthenticateResponse) -> Result<Caller> {
    let pb::AuthenticateResponse { principal, scopes, expires_at } = caller;
    Ok(Caller {
        principal: principal_from_wire(principal)?,
        scopes: scopes_from_wire(scopes)?,
        expires_at: timestamp_if(expires_at, "caller.expires_at")?,
    })
}
