//! Several actions in one call. One that is refused is a part of the answer, not the answer.

use aileron_api::{
    batch::{
        ActionInstalled, ActionPreviewed, ActionPreviews, InstallActionsRequest, InstalledActions,
    },
    error::ErrorBody,
};
use aileron_contract::{Error, Kind, packages::ActionRequest};
use axum::{Json as Answer, extract::State};

use super::actions::request;
use crate::{
    Shared,
    answer::{Refusal, Result},
    caller::Caller,
    input::Json,
    shape,
};

/// Fetches and verifies several actions without installing them.
#[utoipa::path(
    post,
    path = "/v1/actions/batch/preview",
    operation_id = "preview_batch",
    tag = "actions",
    request_body = InstallActionsRequest,
    responses((status = 200, description = "What would be installed, or why not, one by one", body = ActionPreviews))
)]
pub(crate) async fn preview(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(body): Json<InstallActionsRequest>,
) -> Result<Answer<ActionPreviews>> {
    let previews = shared.services.packages.preview_actions(&context, requests(body)?).await?;
    let item = |outcome: aileron_contract::Result<_>| match outcome {
        Ok(preview) => {
            ActionPreviewed { preview: Some(shape::action_preview(preview)), error: None }
        }
        Err(error) => ActionPreviewed { preview: None, error: Some(refused(error)) },
    };
    Ok(Answer(ActionPreviews { items: previews.into_iter().map(item).collect() }))
}

/// Installs several actions, each all or nothing, whatever becomes of the others.
#[utoipa::path(
    post,
    path = "/v1/actions/batch/install",
    operation_id = "install_batch",
    tag = "actions",
    request_body = InstallActionsRequest,
    responses((status = 200, description = "What was installed, or why not, one by one", body = InstalledActions))
)]
pub(crate) async fn install(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(body): Json<InstallActionsRequest>,
) -> Result<Answer<InstalledActions>> {
    let installed = shared.services.packages.install_actions(&context, requests(body)?).await?;
    let item = |outcome: aileron_contract::Result<_>| match outcome {
        Ok(installed) => {
            ActionInstalled { installed: Some(shape::installed_action(installed)), error: None }
        }
        Err(error) => ActionInstalled { installed: None, error: Some(refused(error)) },
    };
    Ok(Answer(InstalledActions { items: installed.into_iter().map(item).collect() }))
}

fn requests(body: InstallActionsRequest) -> Result<Vec<ActionRequest>> {
    body.actions.into_iter().map(request).collect()
}

fn refused(error: Error) -> ErrorBody {
    if error.kind() == Kind::Internal {
        tracing::error!(?error, "one of several actions failed inside the runtime");
    }
    Refusal::from(error).into_event().error
}
