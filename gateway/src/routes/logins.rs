//! Logins of agents and of the person: the one plaintext that leaves the vault.

use aileron_api::custody::{AgentCredentials, AgentLogins, Purpose, UserLogins};
use aileron_contract::{Error, Reason, Secret, custody::LoginValue, names::Login, vault};
use axum::{Json as Answer, extract::State};
use http::StatusCode;

use crate::{
    Shared,
    answer::{Refusal, Result},
    caller::Caller,
    input::{Filter, Json, Part, bytes, field},
    shape,
};

/// Which agents have logins. Works while locked.
#[utoipa::path(
    get,
    path = "/v1/vault/agents",
    tag = "vault",
    responses((status = 200, description = "Names and labels", body = AgentLogins))
)]
pub(crate) async fn agents(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<AgentLogins>> {
    let filter = below("agents/");
    let entries = shared.services.vault.entries(&context, filter).await?;
    Ok(Answer(AgentLogins { agents: entries.into_iter().filter_map(shape::agent_login).collect() }))
}

/// An agent's login, in the clear. Recorded; needs the scope `credentials:export`.
#[utoipa::path(
    get,
    path = "/v1/vault/agents/{name}/credentials",
    tag = "vault",
    params(("name" = String, Path, description = "The agent"), Purpose),
    responses(
        (status = 200, description = "The login", body = AgentCredentials),
        (status = 400, description = "No name of an agent", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
        (status = 503, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn agent(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Part(name): Part,
    Filter(purpose): Filter<Purpose>,
) -> Result<Answer<AgentCredentials>> {
    let login = of_agent(&name, purpose)?;
    let value = shared.services.custody.export_login(&context, login).await.map_err(published)?;
    Ok(Answer(shape::login(value)))
}

/// Stores an agent's login, replacing an earlier one.
#[utoipa::path(
    put,
    path = "/v1/vault/agents/{name}/credentials",
    tag = "vault",
    params(("name" = String, Path, description = "The agent"), Purpose),
    request_body = AgentCredentials,
    responses(
        (status = 204, description = "Stored"),
        (status = 400, description = "No name, or no value", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
        (status = 503, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn put_agent(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Part(name): Part,
    Filter(purpose): Filter<Purpose>,
    Json(body): Json<AgentCredentials>,
) -> Result<StatusCode> {
    let login = of_agent(&name, purpose)?;
    let stored = shared.services.custody.put_login(&context, login, value(body)?).await;
    stored.map(|()| StatusCode::NO_CONTENT).map_err(published)
}

/// Deletes an agent's login.
#[utoipa::path(
    delete,
    path = "/v1/vault/agents/{name}/credentials",
    tag = "vault",
    params(("name" = String, Path, description = "The agent"), Purpose),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "No name of an agent", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
        (status = 503, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn delete_agent(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Part(name): Part,
    Filter(purpose): Filter<Purpose>,
) -> Result<StatusCode> {
    let login = of_agent(&name, purpose)?;
    let deleted = shared.services.custody.delete_login(&context, login).await;
    deleted.map(|()| StatusCode::NO_CONTENT).map_err(published)
}

/// Services the person has logins at. Works while locked.
#[utoipa::path(
    get,
    path = "/v1/vault/user",
    tag = "vault",
    responses((status = 200, description = "Names and labels", body = UserLogins))
)]
pub(crate) async fn services(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<UserLogins>> {
    let entries = shared.services.vault.entries(&context, below("user/")).await?;
    let services = entries.into_iter().filter_map(shape::user_login).collect();
    Ok(Answer(UserLogins { services }))
}

/// The person's login at a service, in the clear. Recorded; needs the scope `credentials:export`.
#[utoipa::path(
    get,
    path = "/v1/vault/user/{service}/credentials",
    tag = "vault",
    params(("service" = String, Path, description = "The service")),
    responses(
        (status = 200, description = "The login", body = AgentCredentials),
        (status = 400, description = "No name of a service", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
        (status = 503, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn service(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Part(service): Part,
) -> Result<Answer<AgentCredentials>> {
    let login = Login::User { service: field("service", &service)? };
    let value = shared.services.custody.export_login(&context, login).await.map_err(published)?;
    Ok(Answer(shape::login(value)))
}

/// Stores the person's login at a service, replacing an earlier one.
#[utoipa::path(
    put,
    path = "/v1/vault/user/{service}/credentials",
    tag = "vault",
    params(("service" = String, Path, description = "The service")),
    request_body = AgentCredentials,
    responses(
        (status = 204, description = "Stored"),
        (status = 400, description = "No name, or no value", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
        (status = 503, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn put_service(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Part(service): Part,
    Json(body): Json<AgentCredentials>,
) -> Result<StatusCode> {
    let login = Login::User { service: field("service", &service)? };
    let stored = shared.services.custody.put_login(&context, login, value(body)?).await;
    stored.map(|()| StatusCode::NO_CONTENT).map_err(published)
}

/// Deletes the person's login at a service.
#[utoipa::path(
    delete,
    path = "/v1/vault/user/{service}/credentials",
    tag = "vault",
    params(("service" = String, Path, description = "The service")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "No name of a service", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
        (status = 503, description = "There is no vault", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn delete_service(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Part(service): Part,
) -> Result<StatusCode> {
    let login = Login::User { service: field("service", &service)? };
    let deleted = shared.services.custody.delete_login(&context, login).await;
    deleted.map(|()| StatusCode::NO_CONTENT).map_err(published)
}

/// The published purpose, when none is named.
fn of_agent(name: &str, Purpose { purpose }: Purpose) -> Result<Login> {
    let purpose = purpose.as_deref().unwrap_or("oauth");
    Ok(Login::Agent { name: field("name", name)?, purpose: field("purpose", purpose)? })
}

fn value(AgentCredentials { value, metadata }: AgentCredentials) -> Result<LoginValue> {
    let metadata = metadata.unwrap_or_default();
    Ok(LoginValue {
        value: Secret::new(bytes("value", value.expose())?),
        kind: metadata.kind.unwrap_or_default(),
        environment: metadata.environment.unwrap_or_default(),
        labels: metadata.labels,
    })
}

fn below(prefix: &str) -> vault::EntryFilter {
    vault::EntryFilter { prefix: Some(prefix.to_owned()), include_control_plane: false }
}

/// As published: a login that is not there is `vault_not_found`, and a vault that is not there is
/// a service that is not there.
fn published(error: Error) -> Refusal {
    match error.reason() {
        Reason::NotFound => Refusal::new(Reason::VaultMissing, error.public()),
        Reason::VaultMissing => Refusal::from(error).with_status(StatusCode::SERVICE_UNAVAILABLE),
        _ => error.into(),
    }
}
