use aileron_api::{
    actions::{Action, Actions, PatchAction, RunAction, RunPending, RunResult},
    hub::{ConfirmedFingerprint, InstallAction},
    packages::{ActionPreview, InstallActionRequest, InstalledAction},
};
use aileron_contract::{
    Error, Reason,
    executor::{Call, Started},
    json,
    names::{ActionName, Identity, PackageRef},
    packages::{ActionRequest, only},
    publishers::{Confirmation, ConfirmedKey, Wanted},
};
use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::{
    Shared,
    answer::{Refusal, Result},
    caller::Caller,
    input::{Json, Name, Text, field, optional},
    shape,
};

/// Installed actions, and the files that could not be loaded.
#[utoipa::path(
    get,
    path = "/v1/actions",
    tag = "actions",
    responses((status = 200, description = "Actions", body = Actions))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<Actions>> {
    Ok(Answer(shape::actions(shared.services.executor.actions(&context).await?)))
}

/// One action.
#[utoipa::path(
    get,
    path = "/v1/actions/{name}",
    tag = "actions",
    params(("name" = String, Path)),
    responses(
        (status = 200, description = "The action", body = Action),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn get(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<ActionName>,
) -> Result<Answer<Action>> {
    Ok(Answer(shape::action(shared.services.executor.action(&context, name).await?)))
}

/// Enables or disables an action; its file stays untouched.
#[utoipa::path(
    patch,
    path = "/v1/actions/{name}",
    tag = "actions",
    params(("name" = String, Path)),
    request_body = PatchAction,
    responses(
        (status = 200, description = "The action", body = Action),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn patch(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<ActionName>,
    Json(PatchAction { enabled }): Json<PatchAction>,
) -> Result<Answer<Action>> {
    let executor = &shared.services.executor;
    let action = match enabled {
        Some(enabled) => executor.set_enabled(&context, name, enabled).await?,
        None => executor.action(&context, name).await?,
    };
    Ok(Answer(shape::action(action)))
}

/// Fetches and verifies an action without installing it.
#[utoipa::path(
    post,
    path = "/v1/actions/preview",
    tag = "actions",
    request_body = InstallActionRequest,
    responses(
        (status = 200, description = "What would be installed", body = ActionPreview),
        (status = 422, description = "It cannot be fetched, or does not verify", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn preview(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(body): Json<InstallActionRequest>,
) -> Result<Answer<ActionPreview>> {
    let previews = shared.services.packages.preview_actions(&context, vec![request(body)?]).await?;
    Ok(Answer(shape::action_preview(only(previews)?)))
}

/// Installs an action, and with `auto_install_connectors` the connectors it needs.
#[utoipa::path(
    post,
    path = "/v1/actions/install",
    tag = "actions",
    request_body = InstallAction,
    responses(
        (status = 201, description = "Installed", body = InstalledAction),
        (status = 200, description = "The same bytes were there already", body = InstalledAction),
        (status = 409, description = "Another action of that name is installed", body = aileron_api::error::ErrorEnvelope),
        (status = 422, description = "It cannot be fetched, does not verify, is unsigned, or needs connectors that are not installed", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn install(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(InstallAction { request: body, confirmed_fingerprints }): Json<InstallAction>,
) -> Result<(StatusCode, Answer<InstalledAction>)> {
    let request = request(body)?;
    if !confirmed_fingerprints.is_empty() {
        let keys = confirmed_fingerprints.into_iter().map(|confirmed| {
            let ConfirmedFingerprint { fqn, fingerprint } = confirmed;
            Ok(ConfirmedKey { connector: field("confirmed_fingerprints", &fqn)?, fingerprint })
        });
        let (wanted, keys) = (Wanted::Action(request.clone()), keys.collect::<Result<_>>()?);
        shared.services.publishers.confirm(&context, Confirmation { wanted, keys }).await?;
    }
    let installed = shared.services.packages.install_actions(&context, vec![request]).await?;
    let installed = only(installed)?;
    let code = if installed.already_installed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((code, Answer(shape::installed_action(installed))))
}

/// Runs an action to its end, or parks it for a person's approval.
#[utoipa::path(
    post,
    path = "/v1/actions/{name}/run",
    tag = "actions",
    params(
        ("name" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition under the same key returns the first call's outcome"),
        ("X-Aileron-Session-Id" = Option<String>, Header, description = "The agent session the call belongs to"),
    ),
    request_body = RunAction,
    responses(
        (status = 200, description = "Done", body = RunResult),
        (status = 202, description = "Waits for a person", body = RunPending),
        (status = 403, description = "Refused", body = aileron_api::error::FailureEnvelope),
        (status = 404, description = "There is no such action", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The action is disabled, or the idempotency key belongs to another call", body = aileron_api::error::ErrorEnvelope),
        (status = 412, description = "A credential is missing, or the vault is locked", body = aileron_api::error::FailureEnvelope),
        (status = 422, description = "The arguments do not fit, or stored bytes do not verify", body = aileron_api::error::FailureEnvelope),
        (status = 500, description = "The connector failed", body = aileron_api::error::FailureEnvelope),
        (status = 502, description = "The upstream failed", body = aileron_api::error::FailureEnvelope),
        (status = 507, description = "A limit was exceeded", body = aileron_api::error::FailureEnvelope),
    )
)]
pub(crate) async fn run(
    State(shared): State<Shared>,
    caller: Caller,
    Name(action): Name<ActionName>,
    headers: HeaderMap,
    Text(body): Text,
) -> Result<Response> {
    let mut body = json::object(&body)?;
    let (arguments, identity) = (arguments(&mut body)?, identity(&mut body)?);
    let context = caller.idempotent(&headers)?;
    let call = Call { action, arguments, identity };
    let started = shared.services.executor.run(&context, call).await.map_err(Refusal::of_run)?;
    Ok(match started {
        Started::Done(result) => Answer(shape::run_result(result)).into_response(),
        Started::Pending(pending) => {
            let review_url = shared.options.review_url(&pending.id);
            (StatusCode::ACCEPTED, Answer(shape::pending(pending, review_url))).into_response()
        }
        Started::Failed(failure) => Refusal::from(failure).into_response(),
    })
}

/// The member `args`: an object, or absent.
fn arguments(body: &mut Map<String, Value>) -> Result<Map<String, Value>> {
    match body.remove("args") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(arguments)) => Ok(arguments),
        Some(_) => Err(Error::new(Reason::InvalidBody, "args: a JSON object is expected").into()),
    }
}

/// The member `identity`: text, or absent.
fn identity(body: &mut Map<String, Value>) -> Result<Option<Identity>> {
    match body.remove("identity") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(identity)) => field("identity", &identity).map(Some),
        Some(_) => Err(Error::new(Reason::InvalidBody, "identity: a text is expected").into()),
    }
}

pub(super) fn request(body: InstallActionRequest) -> Result<ActionRequest> {
    let InstallActionRequest {
        fqn,
        version,
        force,
        auto_install_connectors,
        accept_unsigned,
        expected_hash,
    } = body;
    let package = PackageRef { fqn: field("fqn", &fqn)?, version: field("version", &version)? };
    let expected_hash = optional("expected_hash", expected_hash.as_deref())?;
    Ok(ActionRequest { package, expected_hash, force, auto_install_connectors, accept_unsigned })
}
