use aileron_api::access::{
    MintToken, MintedToken, OpenPersonSession, OpenedPersonSession, PersonSessions, Tokens,
};
use aileron_contract::{Scope, Scopes, access::MintRequest, executor::GrantCaller};
use axum::{Json as Answer, extract::State};
use http::StatusCode;

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Id, Json, field, secret, time},
    shape,
};

/// Opens a person session: what only a person may do, done with the vault passphrase.
#[utoipa::path(
    post,
    path = "/v1/person-sessions",
    tag = "access",
    request_body = OpenPersonSession,
    responses(
        (status = 201, description = "Opened; the token is shown once", body = OpenedPersonSession),
        (status = 401, description = "Wrong passphrase, or no good token", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
        (status = 429, description = "Too many wrong passphrases", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn open_session(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(OpenPersonSession { passphrase }): Json<OpenPersonSession>,
) -> Result<(StatusCode, Answer<OpenedPersonSession>)> {
    let opened = shared.services.access.open_session(&context, secret(passphrase)).await?;
    Ok((StatusCode::CREATED, Answer(shape::opened(opened)?)))
}

/// Open person sessions.
#[utoipa::path(
    get,
    path = "/v1/person-sessions",
    tag = "access",
    responses((status = 200, description = "Sessions, newest first", body = PersonSessions))
)]
pub(crate) async fn sessions(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<PersonSessions>> {
    let items = shared.services.access.sessions(&context).await?;
    Ok(Answer(PersonSessions { items: items.into_iter().map(shape::person_session).collect() }))
}

/// Ends every person session.
#[utoipa::path(
    delete,
    path = "/v1/person-sessions",
    tag = "access",
    responses((status = 204, description = "Ended"))
)]
pub(crate) async fn close_sessions(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<StatusCode> {
    shared.services.access.close_sessions(&context, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a person session.
#[utoipa::path(
    delete,
    path = "/v1/person-sessions/{id}",
    tag = "access",
    params(("id" = String, Path)),
    responses((status = 204, description = "Ended"))
)]
pub(crate) async fn close_session(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Id(id): Id,
) -> Result<StatusCode> {
    shared.services.access.close_sessions(&context, Some(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mints a token for a program. Only a person session may.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    tag = "access",
    request_body = MintToken,
    responses(
        (status = 201, description = "Minted; the token is shown once", body = MintedToken),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn mint(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(MintToken { label, scopes, expires_at }): Json<MintToken>,
) -> Result<(StatusCode, Answer<MintedToken>)> {
    let scopes =
        scopes.iter().map(|scope| field::<Scope>("scopes", scope)).collect::<Result<Scopes>>()?;
    let request = MintRequest { label, scopes, expires_at: time("expires_at", &expires_at)? };
    let minted = shared.services.access.mint(&context, request).await?;
    Ok((StatusCode::CREATED, Answer(shape::minted(minted)?)))
}

/// Minted tokens; never their text.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "access",
    responses((status = 200, description = "Tokens, newest first", body = Tokens))
)]
pub(crate) async fn tokens(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<Tokens>> {
    let items = shared.services.access.tokens(&context).await?;
    Ok(Answer(Tokens { items: items.into_iter().map(shape::token).collect() }))
}

/// Revokes a token, and denies what it asked for that still waits: when that fails, revoking again
/// tries it again.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    tag = "access",
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn revoke(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Id(id): Id,
) -> Result<StatusCode> {
    shared.services.access.revoke(&context, id.clone()).await?;
    // One that is no minted token's asks for nothing.
    if let Ok(token) = id.parse() {
        let reason = format!("the token {id} was revoked");
        let of = GrantCaller::Token(token);
        shared.services.executor.deny_all(&context, of, Some(reason)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
