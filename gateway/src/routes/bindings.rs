pub(crate) mod oauth2;

use aileron_api::bindings::{
    Binding, BindingFilter, BindingSetup, BindingSetupResult, BindingSpec, Bindings, Rebind,
    RenewConsent, RevokeQuery, RevokedBinding,
};
use aileron_contract::{
    Context, Error, Reason, Secret,
    bindings::{self, Consent},
    names::{BindingName, Fqn},
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
    declared::{Called, Declared, Seen},
    input::{Filter, Json, Name, field, optional},
    shape,
};

/// Bindings. Works while locked.
#[utoipa::path(
    get,
    path = "/v1/bindings",
    tag = "bindings",
    params(BindingFilter),
    responses((status = 200, description = "Bindings, sorted by name", body = Bindings))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(BindingFilter { connector_fqn, kind }): Filter<BindingFilter>,
) -> Result<Answer<Bindings>> {
    let filter = bindings::BindingFilter {
        connector: optional("connector_fqn", connector_fqn.as_deref())?,
        kind: optional("kind", kind.as_deref())?,
        name: None,
    };
    let items = shared.services.bindings.list(&context, filter).await?;
    Ok(Answer(Bindings { items: items.into_iter().map(shape::binding).collect() }))
}

/// One binding. Works while locked.
#[utoipa::path(
    get,
    path = "/v1/bindings/{name}",
    tag = "bindings",
    params(("name" = String, Path, description = "`<kind>/<service>/<identity>`, each `/` sent as `%2F`")),
    responses(
        (status = 200, description = "The binding", body = Binding),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn get(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<BindingName>,
) -> Result<Answer<Binding>> {
    Ok(Answer(shape::binding(find(&shared, &context, name).await?)))
}

/// Removes a binding for good, and tells its provider where that can be told.
#[utoipa::path(
    delete,
    path = "/v1/bindings/{name}",
    tag = "bindings",
    params(
        ("name" = String, Path, description = "`<kind>/<service>/<identity>`, each `/` sent as `%2F`"),
        RevokeQuery,
    ),
    responses(
        (status = 200, description = "Removed; with `report=true`", body = RevokedBinding),
        (status = 204, description = "Removed"),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn revoke(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<BindingName>,
    Filter(RevokeQuery { report }): Filter<RevokeQuery>,
) -> Result<Response> {
    let revoked = shared.services.bindings.revoke(&context, name.clone()).await?;
    if report == Some(true) {
        return Ok(Answer(shape::revoked(&name, revoked)).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Binds credentials to a connector, for exactly the hosts it declares.
#[utoipa::path(
    post,
    path = "/v1/bindings/setup",
    tag = "bindings",
    request_body = BindingSetup,
    responses(
        (status = 201, description = "Bound", body = BindingSetupResult),
        (status = 404, description = "The connector is not installed", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "A binding exists, or the connector's hosts are not the ones the person saw", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn setup(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(body): Json<BindingSetup>,
) -> Result<(StatusCode, Answer<BindingSetupResult>)> {
    let BindingSetup { connector_fqn, bindings, skip_existing, hosts } = body;
    if bindings.is_empty() {
        return Err(Error::new(Reason::InvalidRequest, "bindings: at least one is needed").into());
    }
    let fqn: Fqn = field("connector_fqn", &connector_fqn)?;
    let seen = Seen { hosts: hosts.as_deref(), scopes: None };
    let declared = Declared::read(&shared, &context, fqn, seen).await?;
    let wanted = bindings
        .into_iter()
        .map(|spec| declared.with_value(spec))
        .collect::<Result<Vec<(Consent, Secret)>>>()?;
    let task = shared.clone();
    let done =
        shared.detached(async move { bind_all(&task, &context, wanted, skip_existing).await });
    Ok((StatusCode::CREATED, Answer(done.await?)))
}

/// Replaces a binding's value, for exactly the hosts its connector declares now.
#[utoipa::path(
    post,
    path = "/v1/bindings/{name}/rebind",
    tag = "bindings",
    params(("name" = String, Path, description = "`<kind>/<service>/<identity>`, each `/` sent as `%2F`")),
    request_body = Rebind,
    responses(
        (status = 200, description = "Bound again", body = Binding),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn rebind(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<BindingName>,
    Json(Rebind { source, access_key_id, region, hosts }): Json<Rebind>,
) -> Result<Answer<Binding>> {
    let existing = find(&shared, &context, name).await?;
    let seen = Seen { hosts: hosts.as_deref(), scopes: None };
    let declared = Declared::read(&shared, &context, existing.connector, seen).await?;
    let spec = BindingSpec {
        identity: existing.identity.to_string(),
        service: Some(existing.service),
        source,
        account: existing.account,
        access_key_id: access_key_id.or_else(|| existing.access_key_id.map(|id| id.to_string())),
        region: region.or_else(|| existing.region.map(|region| region.to_string())),
    };
    let (consent, value) = declared.with_value(spec)?;
    let consent = Consent { refuse_existing: false, ..consent };
    Ok(Answer(shape::binding(shared.services.bindings.bind(&context, consent, value).await?)))
}

/// Agrees to the hosts a binding's connector declares now; the value stays.
#[utoipa::path(
    post,
    path = "/v1/bindings/{name}/consent",
    tag = "bindings",
    params(("name" = String, Path, description = "`<kind>/<service>/<identity>`, each `/` sent as `%2F`")),
    request_body = RenewConsent,
    responses(
        (status = 200, description = "Agreed", body = Binding),
        (status = 400, description = "The value cannot stay: a provider gives it, or the binding is stale for another reason", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The connector's hosts, or its form, are not the ones the person saw", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn consent(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<BindingName>,
    Json(RenewConsent { hosts }): Json<RenewConsent>,
) -> Result<Answer<Binding>> {
    let existing = find(&shared, &context, name).await?;
    let seen = Seen { hosts: Some(&hosts), scopes: None };
    let declared = Declared::read(&shared, &context, existing.connector, seen).await?;
    let called = Called {
        identity: existing.identity.to_string(),
        service: Some(existing.service),
        account: existing.account,
    };
    let consent = Consent { refuse_existing: false, ..declared.consent(called)? };
    Ok(Answer(shape::binding(shared.services.bindings.agree(&context, consent).await?)))
}

/// Chooses the binding that is used where several of its connector and kind fit and a call names
/// no identity. An earlier choice among them ends.
#[utoipa::path(
    post,
    path = "/v1/bindings/{name}/default",
    tag = "bindings",
    params(("name" = String, Path, description = "`<kind>/<service>/<identity>`, each `/` sent as `%2F`")),
    responses(
        (status = 200, description = "Chosen", body = Binding),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn set_default(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<BindingName>,
) -> Result<Answer<Binding>> {
    Ok(Answer(shape::binding(shared.services.bindings.set_default(&context, name).await?)))
}

async fn bind_all(
    shared: &Shared,
    context: &Context,
    wanted: Vec<(Consent, Secret)>,
    skip_existing: bool,
) -> Result<BindingSetupResult> {
    let mut result = BindingSetupResult { created: Vec::new(), skipped: Vec::new() };
    for (consent, value) in wanted {
        let kind = consent.reach.form.kind();
        let name = BindingName::new(kind.text(), &consent.service, &consent.identity)?;
        match shared.services.bindings.bind(context, consent, value).await {
            Ok(binding) => result.created.push(shape::binding(binding)),
            Err(error) if skip_existing && error.reason() == Reason::BindingExists => {
                result.skipped.push(name.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(result)
}

async fn find(shared: &Shared, context: &Context, name: BindingName) -> Result<bindings::Binding> {
    let public = format!("there is no binding {name}");
    let filter = bindings::BindingFilter { name: Some(name), ..bindings::BindingFilter::default() };
    let found = shared.services.bindings.list(context, filter).await?;
    Ok(found.into_iter().next().ok_or_else(|| not_found(&public))?)
}
