use aileron_api::status::{Limit, Limits, Status};
use aileron_contract::{
    Context, Principal, Reason, Scope,
    bindings::{Binding, BindingFilter, BindingStatus},
    limits,
};
use axum::{Json, extract::State};

use crate::{Shared, answer::Result, caller::Caller, options::Notifying, shape};

/// How the runtime stands. Has no side effect and never unlocks.
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "runtime",
    responses((status = 200, description = "Status, also without a vault", body = Status))
)]
pub(crate) async fn status(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Json<Status>> {
    let services = &shared.services;
    let vault = services.vault.status(&context).await?;
    let counts = services.executor.counts(&context).await?;
    // The count is part of the status the caller was just allowed to read; the names are not.
    let own = Context::service(Principal::GATEWAY);
    let (bindings, problem) = match services.bindings.list(&own, BindingFilter::default()).await {
        Ok(bindings) => (bindings, None),
        Err(error) => match error.reason() {
            Reason::VaultMissing => (Vec::new(), None),
            // Whoever asks how things are is told, rather than refused.
            Reason::VaultUnreadable | Reason::VaultRolledBack => {
                (Vec::new(), Some(error.public().to_owned()))
            }
            _ => return Err(error.into()),
        },
    };
    let options = &shared.options;
    Ok(Json(Status {
        version: options.version.clone(),
        vault_state: shape::vault_state(vault.state),
        vault_problem: problem,
        action_count: counts.actions,
        connector_count: counts.connectors,
        binding_count: count(&bindings, |_| true),
        stale_binding_count: count(&bindings, |it| it.status == BindingStatus::Stale),
        refreshing_binding_count: count(&bindings, |it| it.refreshing_since.is_some()),
        pending_approval_count: counts.pending_approvals,
        drift_count: counts.drift,
        commit: options.commit.clone(),
        listen_addr: Some(options.listen_addr.to_string()),
        gateway_url: options.page_address(),
        session_id: options.session_id.clone(),
        notifications: options.notifications.as_ref().map(Notifying::now),
    }))
}

fn count(bindings: &[Binding], which: impl Fn(&&Binding) -> bool) -> u64 {
    u64::try_from(bindings.iter().filter(which).count()).unwrap_or(u64::MAX)
}

/// Every bound of the runtime, with its reason.
#[utoipa::path(
    get,
    path = "/v1/limits",
    tag = "runtime",
    responses((status = 200, description = "All bounds", body = Limits))
)]
pub(crate) async fn limits(Caller { context, .. }: Caller) -> Result<Json<Limits>> {
    // No service stands behind this one.
    context.require(Scope::StatusRead)?;
    let items = limits::ALL.iter().map(|limit| Limit {
        name: limit.name.to_owned(),
        value: limit.value,
        unit: limit.unit.to_owned(),
        reason: limit.reason.trim().to_owned(),
    });
    Ok(Json(Limits { items: items.collect() }))
}
