use aileron_api::status::Health;
use axum::{Json, extract::State};

use crate::Shared;

/// Is the daemon alive?
#[utoipa::path(
    get,
    path = "/v1/health",
    tag = "runtime",
    security(()),
    responses((status = 200, description = "Alive", body = Health))
)]
pub(crate) async fn health(State(shared): State<Shared>) -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        service: "aileron".to_owned(),
        version: shared.options.version.clone(),
        timestamp: (shared.options.clock)().to_string(),
    })
}
