use aileron_api::{
    hub::InstallConnector,
    packages::{
        ConnectorPreview, Connectors, InstallConnectorRequest, InstalledConnector, ReadSuite, Suite,
    },
};
use aileron_contract::{
    Error, Reason,
    names::PackageRef,
    packages::{ConnectorRequest, SuiteSource},
    publishers::{Confirmation, ConfirmedKey, Wanted},
};
use axum::{Json as Answer, extract::State};
use http::StatusCode;

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Json, field, optional},
    shape,
};

/// Installed connectors.
#[utoipa::path(
    get,
    path = "/v1/connectors",
    tag = "connectors",
    responses((status = 200, description = "Connectors, sorted by name and version", body = Connectors))
)]
pub(crate) async fn connectors(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<Connectors>> {
    let items = shared.services.packages.connectors(&context).await?;
    Ok(Answer(Connectors { items: items.into_iter().map(shape::connector).collect() }))
}

/// Fetches and verifies a connector without installing it.
#[utoipa::path(
    post,
    path = "/v1/connectors/preview",
    tag = "connectors",
    request_body = InstallConnectorRequest,
    responses(
        (status = 200, description = "What would be installed", body = ConnectorPreview),
        (status = 422, description = "It cannot be fetched, or does not verify", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn preview_connector(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(body): Json<InstallConnectorRequest>,
) -> Result<Answer<ConnectorPreview>> {
    let preview = shared.services.packages.preview_connector(&context, request(body)?).await?;
    Ok(Answer(shape::connector_preview(preview)))
}

/// Installs a connector. The caller has consented to what the preview showed.
#[utoipa::path(
    post,
    path = "/v1/connectors/install",
    tag = "connectors",
    request_body = InstallConnector,
    responses(
        (status = 201, description = "Installed", body = InstalledConnector),
        (status = 200, description = "It was there already", body = InstalledConnector),
        (status = 422, description = "It cannot be fetched, or does not verify", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn install_connector(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(InstallConnector { request: body, confirmed_fingerprint }): Json<InstallConnector>,
) -> Result<(StatusCode, Answer<InstalledConnector>)> {
    let request = request(body)?;
    if let Some(fingerprint) = confirmed_fingerprint {
        let connector = request.package.fqn.clone();
        let keys = vec![ConfirmedKey { connector, fingerprint }];
        let wanted = Wanted::Connector(request.clone());
        shared.services.publishers.confirm(&context, Confirmation { wanted, keys }).await?;
    }
    let installed = shared.services.packages.install_connector(&context, request).await?;
    let code = if installed.already_installed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((code, Answer(shape::installed_connector(installed))))
}

/// Reads a suite and names its members.
#[utoipa::path(
    post,
    path = "/v1/suites",
    tag = "connectors",
    request_body = ReadSuite,
    responses(
        (status = 200, description = "The suite", body = Suite),
        (status = 422, description = "It cannot be fetched or read", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn suite(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(ReadSuite { source, text }): Json<ReadSuite>,
) -> Result<Answer<Suite>> {
    let source = match (source, text) {
        (Some(source), None) => SuiteSource::Remote(source),
        (None, Some(text)) => SuiteSource::Text(text),
        _ => {
            let public = "send exactly one of source and text";
            return Err(Error::new(Reason::InvalidRequest, public).into());
        }
    };
    Ok(Answer(shape::suite(shared.services.packages.suite(&context, source).await?)))
}

fn request(body: InstallConnectorRequest) -> Result<ConnectorRequest> {
    let InstallConnectorRequest { fqn, version, expected_hash } = body;
    let package = PackageRef { fqn: field("fqn", &fqn)?, version: field("version", &version)? };
    let expected_hash = optional("expected_hash", expected_hash.as_deref())?;
    Ok(ConnectorRequest { package, expected_hash })
}
