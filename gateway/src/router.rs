//! Every route, and the order of the guards in front of it.

use aileron_contract::Reason;
use axum::{Router, middleware, routing::get};
use http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Shared,
    answer::Refusal,
    caller, guard, manual, mcp, openapi, pages,
    routes::{
        access, actions, approvals, audit, batch, bindings, custody, grants, health, hub, keyring,
        logins, namesakes, packages, page_codes, releases, runs, sessions, status, upkeep, vault,
    },
};

/// From the outside in: name the request, trace it, refuse what is not meant for us, shed, catch
/// panics, authenticate, handle.
pub(crate) fn build(shared: Shared) -> Router {
    let (protected, _) = protected().split_for_parts();
    let (open, _) = open().split_for_parts();
    protected
        .merge(mcp::route(&shared))
        .layer(middleware::from_fn_with_state(shared.clone(), caller::authenticate))
        .merge(open)
        .merge(pages::routes(&shared))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(nothing_here)
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::shed))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::addressed))
        .layer(middleware::from_fn(guard::trace))
        .layer(middleware::from_fn(guard::finish))
        .with_state(shared)
}

/// The document of all routes, as the code has them.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    openapi::base().merge(open()).merge(protected()).into_openapi()
}

/// Routes without a token. Nothing may join them without a reason.
fn open() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(openapi::serve))
        .routes(routes!(bindings::oauth2::callback))
        .routes(routes!(manual::manual))
        .route("/docs/", get(manual::below))
        .route("/docs/{*page}", get(manual::below))
}

fn protected() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(status::status))
        .routes(routes!(status::limits))
        .merge(kept())
        .merge(bound())
        .merge(publishers())
        .merge(installed())
        .merge(called())
        .merge(admitted())
        .routes(routes!(audit::list))
        .routes(routes!(audit::watch))
        .routes(routes!(audit::checkpoint))
        .routes(routes!(audit::get))
        .routes(routes!(audit::receipt))
}

/// The vault, and what leaves it on purpose.
fn kept() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(vault::status))
        .routes(routes!(vault::entries, vault::create))
        .routes(routes!(vault::unlock))
        .routes(routes!(vault::lock))
        .routes(routes!(vault::older))
        .routes(routes!(vault::accept_older))
        .routes(routes!(vault::passphrase))
        .routes(routes!(vault::secrets))
        .routes(routes!(vault::put_secret, vault::delete_secret))
        .routes(routes!(custody::add_recovery_key, custody::remove_recovery_key))
        .routes(routes!(custody::recover))
        .routes(routes!(custody::export))
        .routes(routes!(custody::import))
        .routes(routes!(logins::agents))
        .routes(routes!(logins::agent, logins::put_agent, logins::delete_agent))
        .routes(routes!(logins::services))
        .routes(routes!(logins::service, logins::put_service, logins::delete_service))
}

/// Credentials that connectors may use.
fn bound() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(bindings::list))
        .routes(routes!(bindings::setup))
        .routes(routes!(bindings::oauth2::init))
        .routes(routes!(bindings::oauth2::finish))
        .routes(routes!(bindings::oauth2::device))
        .routes(routes!(bindings::oauth2::poll))
        .routes(routes!(bindings::get, bindings::revoke))
        .routes(routes!(bindings::rebind))
        .routes(routes!(bindings::consent))
        .routes(routes!(bindings::set_default))
}

/// What became of calls, what waits for a person, and what was granted in advance.
fn called() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::watch))
        .routes(routes!(approvals::decide))
        .routes(routes!(approvals::deny_session))
        .routes(routes!(approvals::result))
        .routes(routes!(grants::propose))
        .routes(routes!(grants::grants, grants::grant))
        .routes(routes!(grants::revoke_grant))
        .routes(routes!(runs::list))
        .routes(routes!(runs::get))
}

/// Who may call: agents' sessions, persons' sessions, minted tokens, browsers.
fn admitted() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(sessions::list, sessions::begin))
        .routes(routes!(sessions::get))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::watch))
        .routes(routes!(access::open_session, access::sessions, access::close_sessions))
        .routes(routes!(access::close_session))
        .routes(routes!(access::mint, access::tokens))
        .routes(routes!(access::revoke))
        .routes(routes!(page_codes::issue))
        .routes(routes!(page_codes::standing))
}

/// Connectors and actions: brought in, kept in order, and called.
fn installed() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(packages::connectors))
        .routes(routes!(packages::preview_connector))
        .routes(routes!(packages::install_connector))
        .routes(routes!(packages::suite))
        .routes(routes!(releases::newest))
        .routes(routes!(releases::check))
        .routes(routes!(releases::progress))
        .routes(routes!(releases::bring))
        .routes(routes!(actions::list))
        .routes(routes!(actions::preview))
        .routes(routes!(actions::install))
        .routes(routes!(batch::preview))
        .routes(routes!(batch::install))
        .merge(namesakes::routes())
        .routes(routes!(upkeep::drift))
        .routes(routes!(upkeep::accept_action))
        .routes(routes!(upkeep::accept_connector))
        .routes(routes!(upkeep::accept_lock))
        .routes(routes!(upkeep::needs, upkeep::sync))
        .routes(routes!(actions::get, actions::patch))
        .routes(routes!(actions::run))
}

/// Whom a person trusts, and what publishers offer.
fn publishers() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(keyring::list, keyring::trust, keyring::revoke))
        .routes(routes!(keyring::lookup))
        .routes(routes!(hub::all))
        .routes(routes!(hub::connectors))
        .routes(routes!(hub::actions))
        .routes(routes!(hub::suites))
        .routes(routes!(hub::connector))
        .routes(routes!(hub::action))
        .routes(routes!(hub::suite))
        .routes(routes!(hub::install_decision))
        .routes(routes!(hub::action_install_decision))
        .routes(routes!(hub::suite_install_decision))
        .routes(routes!(hub::refresh))
}

async fn nothing_here() -> Refusal {
    Refusal::new(Reason::NotFound, "there is nothing at this address: see /docs and /openapi.yaml")
}

async fn method_not_allowed() -> Refusal {
    Refusal::new(Reason::InvalidRequest, "this address does not take this method")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
