//! The public door: REST over the handles of the contracts.
//!
//! It authenticates, reads input strictly, calls one service and shapes the answer. It decides
//! nothing: which scope a call needs, whether an approval is good, what a binding may reach, the
//! services behind the handles decide. One cookie ties a setup at a provider to the browser that
//! began it, and lets nobody in. Another signs a person in to the web page, and opens nothing of
//! the API. Deliberately absent: cross-origin access, any knowledge of how a service is reached.

mod answer;
mod caller;
mod declared;
pub mod fuzz;
mod guard;
mod input;
mod manual;
mod mcp;
mod oauth_cookie;
pub mod openapi;
mod options;
mod pages;
mod refusals;
mod router;
mod routes;
mod shape;
mod shared;
mod tag;
mod watches;
mod watching;

use shared::Shared;

pub use options::{Notifying, Options, Services};

/// The door itself.
#[derive(Debug)]
pub struct Gateway;

impl Gateway {
    /// Every route, behind its guards: to be mounted on a listener as it is.
    pub fn router(services: Services, options: Options) -> axum::Router {
        router::build(Shared::new(services, options))
    }
}
