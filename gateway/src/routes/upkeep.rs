use aileron_api::upkeep::{
    AcceptConnector, AcceptDrift, AcceptedDrift, DriftFilter, DriftList, Sync, SyncResponse,
};
use aileron_contract::{
    names::{ActionName, PackageRef, Sha256Hash},
    packages::{Acceptance, DriftOf},
};
use axum::{Json as Answer, extract::State};

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Json, Maybe, Name, field, optional},
    shape,
};

/// What is no longer as a person accepted it, with its difference.
#[utoipa::path(
    get,
    path = "/v1/drift",
    tag = "actions",
    params(DriftFilter),
    responses(
        (status = 200, description = "What drifted", body = DriftList),
        (status = 423, description = "The vault is locked, and only it can tell", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn drift(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(DriftFilter { name }): Filter<DriftFilter>,
) -> Result<Answer<DriftList>> {
    let only: Option<ActionName> = optional("name", name.as_deref())?;
    let items = shared.services.packages.drift(&context, only).await?;
    Ok(Answer(DriftList { items: items.into_iter().map(shape::drift).collect() }))
}

/// Accepts an action as it was shown: its file as it is now, or that it is gone.
#[utoipa::path(
    post,
    path = "/v1/actions/{name}/accept",
    tag = "actions",
    params(("name" = String, Path)),
    request_body = AcceptDrift,
    responses(
        (status = 200, description = "Accepted", body = AcceptedDrift),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "It is not what was shown any more, or no action", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn accept_action(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<ActionName>,
    Json(AcceptDrift { digest }): Json<AcceptDrift>,
) -> Result<Answer<AcceptedDrift>> {
    let digest = field("digest", &digest)?;
    let acceptance = Acceptance { of: DriftOf::Action(name), digest };
    let accepted = shared.services.packages.accept(&context, acceptance).await?;
    Ok(Answer(shape::accepted(accepted)))
}

/// Accepts a connector that was there before: its signature is checked as if it was fetched.
#[utoipa::path(
    post,
    path = "/v1/connectors/accept",
    tag = "connectors",
    request_body = AcceptConnector,
    responses(
        (status = 200, description = "Accepted", body = AcceptedDrift),
        (status = 404, description = "No action asks for it", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "It is not what was shown any more", body = aileron_api::error::ErrorEnvelope),
        (status = 422, description = "It does not verify", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn accept_connector(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(AcceptConnector { fqn, version, digest }): Json<AcceptConnector>,
) -> Result<Answer<AcceptedDrift>> {
    let package = PackageRef { fqn: field("fqn", &fqn)?, version: field("version", &version)? };
    let acceptance =
        Acceptance { of: DriftOf::Connector(package), digest: field("digest", &digest)? };
    let accepted = shared.services.packages.accept(&context, acceptance).await?;
    Ok(Answer(shape::accepted(accepted)))
}

/// Has the lockfile written anew; what stands there is kept beside it.
#[utoipa::path(
    post,
    path = "/v1/lock/accept",
    tag = "actions",
    request_body = AcceptDrift,
    responses(
        (status = 200, description = "Written anew", body = AcceptedDrift),
        (status = 409, description = "It is not what was shown any more", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn accept_lock(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(AcceptDrift { digest }): Json<AcceptDrift>,
) -> Result<Answer<AcceptedDrift>> {
    let acceptance = Acceptance { of: DriftOf::Lock, digest: field("digest", &digest)? };
    let accepted = shared.services.packages.accept(&context, acceptance).await?;
    Ok(Answer(shape::accepted(accepted)))
}

/// What the action files ask for, and what of it is missing. Nothing is installed.
#[utoipa::path(
    get,
    path = "/v1/sync",
    tag = "connectors",
    responses(
        (status = 200, description = "How things stand", body = SyncResponse),
        (status = 423, description = "The vault is locked, and only it can tell", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn needs(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<SyncResponse>> {
    let needs = shared.services.packages.needs(&context).await?;
    Ok(Answer(shape::needs(needs)))
}

/// Installs the connectors that action files ask for and that are missing. The caller has
/// consented to each; one that fails does not stop the others. Action files stay as they are.
#[utoipa::path(
    post,
    path = "/v1/sync",
    tag = "connectors",
    request_body = Option<Sync>,
    responses((status = 200, description = "What was done, and how things stand", body = SyncResponse))
)]
pub(crate) async fn sync(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Maybe(body): Maybe<Sync>,
) -> Result<Answer<SyncResponse>> {
    let Sync { auto_install: _, only } = body.unwrap_or_default();
    let hash = |raw: &String| field::<Sha256Hash>("only", raw);
    let only = only.map(|only| only.iter().map(hash).collect::<Result<_>>()).transpose()?;
    let synced = shared.services.packages.sync(&context, only).await?;
    Ok(Answer(shape::synced(synced)))
}
