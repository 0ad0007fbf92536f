//! The vault: keys, secrets, bindings, person sessions and minted tokens, and egress, the one
//! place that joins a credential to an outgoing request.
//!
//! Deliberately absent: any method that gives a bound credential back, and any knowledge of how the
//! room is reached. What leaves the vault on purpose has a door of its own, `custody`.

mod access;
mod binding;
mod bindings;
mod credentials;
mod custody;
mod disk;
pub mod egress;
mod envelope;
mod file;
pub mod fuzz;
mod guarded;
mod harden;
mod idle;
mod kdf;
mod keeper;
mod keys;
mod lines;
mod lock;
mod mark;
mod oauth;
mod passes;
mod recovery_key;
mod refusals;
mod service;
mod vault;

pub use harden::harden_process;
pub use kdf::Kdf;
pub use service::{Options, Service};
