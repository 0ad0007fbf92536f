//! Actions that are named like a word of a published address. `POST /v1/actions/install` installs;
//! read or changed, the same address is the action of that name, as any other is.

use aileron_api::actions::{Action, PatchAction};
use aileron_contract::names::ActionName;
use axum::{Json as Answer, extract::State, routing};
use utoipa_axum::router::OpenApiRouter;

use super::actions;
use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Json, Name, field},
};

/// What would otherwise be hidden behind `/v1/actions/install` and `/v1/actions/preview`. The
/// document has them under `/v1/actions/{name}`.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    ["install", "preview"].into_iter().fold(OpenApiRouter::new(), |router, name| {
        let get = move |shared: State<Shared>, caller: Caller| get(name, shared, caller);
        let patch = move |shared: State<Shared>, caller: Caller, body: Json<PatchAction>| {
            patch(name, shared, caller, body)
        };
        router.route(&format!("/v1/actions/{name}"), routing::get(get).patch(patch))
    })
}

async fn get(name: &'static str, shared: State<Shared>, caller: Caller) -> Result<Answer<Action>> {
    let name: ActionName = field("name", name)?;
    actions::get(shared, caller, Name(name)).await
}

async fn patch(
    name: &'static str,
    shared: State<Shared>,
    caller: Caller,
    body: Json<PatchAction>,
) -> Result<Answer<Action>> {
    let name: ActionName = field("name", name)?;
    actions::patch(shared, caller, Name(name), body).await
}
