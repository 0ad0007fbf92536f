//! The way of a package, against stand-ins for the network, the vault and the log.

mod actions;
mod connectors;
mod crashes;
mod put_back;
pub(crate) mod scopes;
mod trusting;
mod world;
