use aileron_api::packages::{
    KeyTrusted, Keyring, KeysRevoked, LookUpKey, PublishedKey, RevokeKeys, TrustKey,
};
use aileron_contract::{
    Error, Reason,
    publishers::{DistrustRequest, TrustRequest},
};
use axum::{Json as Answer, extract::State};
use http::StatusCode;

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Json, bytes, field},
    shape,
};

/// The publishers whose signatures are good.
#[utoipa::path(
    get,
    path = "/v1/keyring",
    tag = "keyring",
    responses((status = 200, description = "Trusted keys", body = Keyring))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<Keyring>> {
    Ok(Answer(shape::keyring(shared.services.publishers.keyring(&context).await?)))
}

/// Fetches the key a repository publishes, without trusting it.
#[utoipa::path(
    post,
    path = "/v1/keyring/lookup",
    tag = "keyring",
    request_body = LookUpKey,
    responses(
        (status = 200, description = "The published key", body = PublishedKey),
        (status = 502, description = "It cannot be fetched", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn lookup(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(LookUpKey { authority }): Json<LookUpKey>,
) -> Result<Answer<PublishedKey>> {
    let authority = field("authority", &authority)?;
    let key = shared.services.publishers.published_key(&context, authority).await?;
    Ok(Answer(shape::published_key(key)))
}

/// Trusts a key for an authority.
#[utoipa::path(
    post,
    path = "/v1/keyring",
    tag = "keyring",
    request_body = TrustKey,
    responses(
        (status = 201, description = "Trusted", body = KeyTrusted),
        (status = 200, description = "It was trusted already", body = KeyTrusted),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn trust(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(TrustKey { authority, key }): Json<TrustKey>,
) -> Result<(StatusCode, Answer<KeyTrusted>)> {
    let key = <[u8; 32]>::try_from(bytes("key", &key)?).map_err(|_| {
        Error::new(Reason::InvalidRequest, "key: an Ed25519 public key is 32 bytes long")
    })?;
    let request = TrustRequest { authority: field("authority", &authority)?, key };
    let trusted = shared.services.publishers.trust(&context, request).await?;
    let code = if trusted.already { StatusCode::OK } else { StatusCode::CREATED };
    Ok((code, Answer(shape::trusted(trusted))))
}

/// Stops trusting an authority, or a key.
#[utoipa::path(
    delete,
    path = "/v1/keyring",
    tag = "keyring",
    params(RevokeKeys),
    responses(
        (status = 200, description = "What was removed; empty when nothing matched", body = KeysRevoked),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn revoke(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(RevokeKeys { authority, fingerprint }): Filter<RevokeKeys>,
) -> Result<Answer<KeysRevoked>> {
    let request = match (authority, fingerprint) {
        (Some(authority), None) => DistrustRequest::Authority(field("authority", &authority)?),
        (None, Some(fingerprint)) => DistrustRequest::Fingerprint(fingerprint),
        _ => {
            let public = "name exactly one of authority and fingerprint";
            return Err(Error::new(Reason::InvalidRequest, public).into());
        }
    };
    let removed = shared.services.publishers.distrust(&context, request).await?;
    Ok(Answer(shape::keys_revoked(removed)))
}
