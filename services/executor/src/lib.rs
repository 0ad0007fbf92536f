//! Connectors, actions and their runs: what publishers sign is installed here, and what agents
//! ask for is carried out, or parked until a person decides. Deliberately absent: credentials,
//! the network, the insides of WebAssembly.

mod approval;
mod arguments;
pub mod author;
#[cfg(test)]
mod fakes;
pub mod formats;
mod ledger;
pub mod packages;
mod quarantine;
mod runs;
mod seals;
mod service;

pub use runs::Tokens;
pub use service::{Options, Service};
