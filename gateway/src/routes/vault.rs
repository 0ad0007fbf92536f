use std::sync::Arc;

use aileron_api::vault::{
    AcceptOlderVault, ChangePassphrase, CreateVault, EntryFilter, OlderVault, PutSecret, Secrets,
    UnlockVault, VaultEntries, VaultStatus,
};
use aileron_contract::{
    Reason, Secret,
    names::SecretName,
    vault::{self, Acceptance, PassphraseChange},
};
use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;

use super::not_found;
use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Json, Name, bytes, secret},
    shape,
};

/// The vault's state. Has no side effect.
#[utoipa::path(
    get,
    path = "/v1/vault/status",
    tag = "vault",
    responses((status = 200, description = "State", body = VaultStatus))
)]
pub(crate) async fn status(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<VaultStatus>> {
    Ok(Answer(shape::status(shared.services.vault.status(&context).await?)))
}

/// Names and labels of everything in the vault, never a value. Works while locked.
#[utoipa::path(
    get,
    path = "/v1/vault",
    tag = "vault",
    params(EntryFilter),
    responses((status = 200, description = "Entries", body = VaultEntries))
)]
pub(crate) async fn entries(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(filter): Filter<EntryFilter>,
) -> Result<Answer<VaultEntries>> {
    let include_control_plane = filter.include_control_plane.unwrap_or(false);
    let filter = vault::EntryFilter { prefix: None, include_control_plane };
    let entries = shared.services.vault.entries(&context, filter).await?;
    Ok(Answer(VaultEntries { entries: entries.into_iter().map(shape::entry).collect() }))
}

/// Creates the vault and leaves it unlocked.
#[utoipa::path(
    post,
    path = "/v1/vault",
    tag = "vault",
    request_body = CreateVault,
    responses(
        (status = 201, description = "Created", body = VaultStatus),
        (status = 409, description = "There is a vault already", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn create(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(CreateVault { passphrase }): Json<CreateVault>,
) -> Result<(StatusCode, Answer<VaultStatus>)> {
    let vault = Arc::clone(&shared.services.vault);
    let status =
        shared.opening(async move { vault.create(&context, secret(passphrase)).await }).await?;
    Ok((StatusCode::CREATED, Answer(shape::status(status))))
}

/// Unlocks the vault, and resumes what waited for it.
#[utoipa::path(
    post,
    path = "/v1/vault/unlock",
    tag = "vault",
    request_body = UnlockVault,
    responses(
        (status = 200, description = "Unlocked", body = VaultStatus),
        (status = 401, description = "Wrong passphrase", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "Unlocked already; the body is the state", body = VaultStatus),
        (status = 429, description = "Too many wrong passphrases", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn unlock(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(UnlockVault { passphrase }): Json<UnlockVault>,
) -> Result<Response> {
    let (vault, by) = (Arc::clone(&shared.services.vault), context.clone());
    let opened = shared.opening(async move { vault.unlock(&by, secret(passphrase)).await }).await;
    let (code, status) = match opened {
        Ok(status) => (StatusCode::OK, status),
        Err(error) if error.reason() == Reason::VaultAlreadyUnlocked => {
            (StatusCode::CONFLICT, shared.services.vault.status(&context).await?)
        }
        Err(error) => return Err(error.into()),
    };
    Ok((code, Answer(shape::status(status))).into_response())
}

/// Forgets every key.
#[utoipa::path(
    post,
    path = "/v1/vault/lock",
    tag = "vault",
    responses((status = 200, description = "Locked", body = VaultStatus))
)]
pub(crate) async fn lock(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<VaultStatus>> {
    Ok(Answer(shape::status(shared.services.vault.lock(&context).await?)))
}

/// The vault file that is there, when it is older than the one last used here or another vault's,
/// so that unlocking refuses it. Opens nothing.
#[utoipa::path(
    get,
    path = "/v1/vault/older",
    tag = "vault",
    responses(
        (status = 200, description = "Both files", body = OlderVault),
        (status = 404, description = "There is nothing to accept", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn older(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<OlderVault>> {
    let older = shared.services.vault.older(&context).await?;
    let nothing = "the vault's file is the one last used here: there is nothing to accept";
    Ok(Answer(shape::older(older.ok_or_else(|| not_found(nothing))?)))
}

/// Takes such a file for the vault from now on, a backup that a person restored, and unlocks it.
/// All person sessions end.
#[utoipa::path(
    post,
    path = "/v1/vault/accept-older",
    tag = "vault",
    request_body = AcceptOlderVault,
    responses(
        (status = 200, description = "Accepted and unlocked", body = VaultStatus),
        (status = 401, description = "Wrong passphrase", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is nothing to accept", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The file is not the one that was shown", body = aileron_api::error::ErrorEnvelope),
        (status = 429, description = "Too many wrong passphrases", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn accept_older(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(AcceptOlderVault { passphrase, generation }): Json<AcceptOlderVault>,
) -> Result<Answer<VaultStatus>> {
    let vault = Arc::clone(&shared.services.vault);
    let acceptance = Acceptance { passphrase: secret(passphrase), generation };
    let status =
        shared.opening(async move { vault.accept_older(&context, acceptance).await }).await?;
    Ok(Answer(shape::status(status)))
}

/// Replaces the passphrase; with `rotate`, also the vault key.
#[utoipa::path(
    post,
    path = "/v1/vault/passphrase",
    tag = "vault",
    request_body = ChangePassphrase,
    responses(
        (status = 200, description = "Replaced", body = VaultStatus),
        (status = 401, description = "Wrong passphrase", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn passphrase(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(ChangePassphrase { current, new, rotate }): Json<ChangePassphrase>,
) -> Result<Answer<VaultStatus>> {
    let change = PassphraseChange { current: secret(current), new: secret(new), rotate };
    let status = shared.services.vault.change_passphrase(&context, change).await?;
    Ok(Answer(shape::status(status)))
}

/// Names of secrets. Works while locked.
#[utoipa::path(
    get,
    path = "/v1/secrets",
    tag = "secrets",
    responses((status = 200, description = "Names", body = Secrets))
)]
pub(crate) async fn secrets(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<Secrets>> {
    let prefix = Some("secret/".to_owned());
    let filter = vault::EntryFilter { prefix, include_control_plane: false };
    let entries = shared.services.vault.entries(&context, filter).await?;
    Ok(Answer(Secrets { items: entries.into_iter().filter_map(shape::secret_entry).collect() }))
}

/// Stores a secret, replacing an earlier value.
#[utoipa::path(
    put,
    path = "/v1/secrets/{name}",
    tag = "secrets",
    params(("name" = String, Path, description = "A `/` in it is sent as `%2F`")),
    request_body = PutSecret,
    responses(
        (status = 204, description = "Stored"),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn put_secret(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<SecretName>,
    Json(PutSecret { value }): Json<PutSecret>,
) -> Result<StatusCode> {
    let value = Secret::new(bytes("value", value.expose())?);
    shared.services.vault.put_secret(&context, name, value).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a secret.
#[utoipa::path(
    delete,
    path = "/v1/secrets/{name}",
    tag = "secrets",
    params(("name" = String, Path, description = "A `/` in it is sent as `%2F`")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn delete_secret(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<SecretName>,
) -> Result<StatusCode> {
    shared.services.vault.delete_secret(&context, name).await?;
    Ok(StatusCode::NO_CONTENT)
}
