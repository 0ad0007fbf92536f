//! Recovery keys, and the vault as a file.

use std::sync::Arc;

use aileron_api::{
    custody::{ExportVault, ExportedVault, ImportVault, ImportedVault, RecoverVault, RecoveryKey},
    vault::VaultStatus,
};
use aileron_contract::custody::{Import, Recovery};
use axum::{Json as Answer, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Json, Large, bytes, secret},
    shape,
};

/// Makes a recovery key and shows it, once. An earlier one stops working.
#[utoipa::path(
    post,
    path = "/v1/vault/recovery-key",
    tag = "vault",
    responses(
        (status = 201, description = "Made; it is shown once", body = RecoveryKey),
        (status = 404, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn add_recovery_key(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<(StatusCode, Answer<RecoveryKey>)> {
    let key = shared.services.custody.add_recovery_key(&context).await?;
    Ok((StatusCode::CREATED, Answer(RecoveryKey { key: shape::shown_once(&key)? })))
}

/// The recovery key opens the vault no longer.
#[utoipa::path(
    delete,
    path = "/v1/vault/recovery-key",
    tag = "vault",
    responses(
        (status = 200, description = "Removed", body = VaultStatus),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn remove_recovery_key(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<VaultStatus>> {
    Ok(Answer(shape::status(shared.services.custody.remove_recovery_key(&context).await?)))
}

/// Opens the vault with its recovery key and gives it a new passphrase.
#[utoipa::path(
    post,
    path = "/v1/vault/recover",
    tag = "vault",
    request_body = RecoverVault,
    responses(
        (status = 200, description = "Unlocked, under the new passphrase", body = VaultStatus),
        (status = 400, description = "No recovery key as one is shown", body = aileron_api::error::ErrorEnvelope),
        (status = 401, description = "Not this vault's recovery key", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
        (status = 429, description = "Too many wrong keys", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn recover(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(RecoverVault { key, passphrase }): Json<RecoverVault>,
) -> Result<Answer<VaultStatus>> {
    let custody = Arc::clone(&shared.services.custody);
    let recovery = Recovery { key: secret(key), new: secret(passphrase) };
    let status = shared.opening(async move { custody.recover(&context, recovery).await }).await?;
    Ok(Answer(shape::status(status)))
}

/// The whole vault in one file, sealed under a passphrase of its own.
#[utoipa::path(
    post,
    path = "/v1/vault/export",
    tag = "vault",
    request_body = ExportVault,
    responses(
        (status = 200, description = "The file", body = ExportedVault),
        (status = 404, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
        (status = 413, description = "The vault is too large for one file", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn export(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(ExportVault { passphrase }): Json<ExportVault>,
) -> Result<Answer<ExportedVault>> {
    let exported = shared.services.custody.export(&context, secret(passphrase)).await?;
    let file = STANDARD.encode(exported.file);
    Ok(Answer(ExportedVault { file, entries: exported.entries }))
}

/// Takes over an exported vault: all of it, or nothing.
#[utoipa::path(
    post,
    path = "/v1/vault/import",
    tag = "vault",
    request_body = ImportVault,
    responses(
        (status = 200, description = "Taken over", body = ImportedVault),
        (status = 400, description = "No export, changed, or under another passphrase", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The vault has other values for some entries", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn import(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Large(ImportVault { file, passphrase, replace }): Large<ImportVault>,
) -> Result<Answer<ImportedVault>> {
    let file = bytes("file", &file)?;
    let import = Import { file, passphrase: secret(passphrase), replace };
    Ok(Answer(shape::imported(shared.services.custody.import(&context, import).await?)))
}
