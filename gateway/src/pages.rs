//! The web page: what a person decides, does and sees, as HTML made here.
//!
//! It works with forms alone; its one script only keeps it up to date. A browser is signed in by a
//! cookie that stands for a person session: no token of a program, of an agent or of `daemon.json`
//! opens it, and the cookie opens nothing but the page. It decides nothing either: every form is
//! one call of a service, which checks the person's rights itself.

mod actions;
mod answer;
mod approvals;
mod assets;
mod audit;
mod bindings;
mod card;
mod chart;
mod crowd;
mod drift;
mod form;
mod frame;
mod grants;
pub(crate) mod guard;
mod home;
pub(crate) mod keep;
mod live;
pub(crate) mod origin;
mod place;
pub(crate) mod provider;
mod runs;
mod sessions;
mod setup;
mod sign_in;
mod signed;
mod text;
mod vault;

use axum::{
    Router, middleware,
    routing::{get, post},
};

use crate::{Shared, options::Options};

/// What the page keeps: its name, and who is signed in.
#[derive(Debug)]
pub(crate) struct Pages {
    /// None where nobody could reach it.
    pub(crate) origin: Option<origin::Origin>,
    pub(crate) keep: keep::Keep,
    pub(crate) setups: provider::Setups,
}

impl Pages {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            origin: origin::Origin::of(options),
            keep: keep::Keep::default(),
            setups: provider::Setups::default(),
        }
    }
}

/// Every address of the page.
pub(crate) fn routes(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::by_passphrase))
        .route(guard::FROM_A_FILE, post(sign_in::by_code))
        .route(assets::STYLE, get(assets::style))
        .route(assets::SCRIPT, get(assets::script))
        .route(assets::ICON, get(assets::icon))
        .nest(place::ROUTE, places())
        // The addresses that others know lead to the sign-in, and from there to the place.
        .merge(places())
        .route_layer(middleware::from_fn_with_state(shared.clone(), guard::guarded))
}

/// The pages of who is signed in.
fn places() -> Router<Shared> {
    Router::new()
        .route("/", get(home::show))
        .route("/sign-out", post(sign_in::out))
        .route("/approvals", get(approvals::show))
        .route("/approvals/{id}/decide", post(approvals::decide))
        .route("/approvals/deny", post(crowd::deny))
        .route("/approvals/grants/revoke", post(grants::revoke))
        .route("/runs/{id}", get(runs::show))
        .route("/actions", get(actions::list))
        .route("/actions/{name}", get(actions::show))
        .route("/actions/{name}/enabled", post(actions::enable))
        .route("/actions/{name}/run", post(actions::run))
        .route("/bindings", get(bindings::show))
        .route("/bindings/setup", get(setup::form).post(setup::done))
        .route("/bindings/revoke", post(bindings::revoke))
        .route("/bindings/default", post(bindings::prefer))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}", get(sessions::show))
        .route("/sessions/{id}/end", post(sessions::end))
        .route("/audit", get(audit::show))
        .route("/audit/{id}", get(audit::event))
        .route("/audit/{id}/receipt", get(audit::receipt))
        .route("/vault", get(vault::show))
        .route("/vault/unlock", post(vault::unlock))
        .route("/vault/lock", post(vault::lock))
        .route("/drift", get(drift::list))
        .route("/drift/accept", post(drift::accept))
        .route("/live", get(live::watch))
}
