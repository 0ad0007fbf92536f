//! The only room where contracts meet gRPC: for each contract an adapter that serves a handle and
//! a [`vault::Remote`]-like client that is one; statuses for errors, deadlines, trace context, and
//! the two ways services reach each other: Unix sockets and TCP with mutual TLS.
//!
//! Deliberately absent: decisions. A call means the same through a `Remote` as in process; who
//! may make it is checked by the service, and who may connect by the [`Server`].

pub mod access;
pub mod audit;
pub mod bindings;
mod call;
mod channel;
mod closing;
mod context;
mod credential;
pub mod custody;
pub mod egress;
pub mod executor;
mod failure;
pub mod fuzz;
mod listener;
mod message;
pub mod packages;
pub mod publishers;
mod server;
pub mod sessions;
mod status;
pub mod tls;
mod token;
mod trace;
mod values;
pub mod vault;

pub use channel::{Channel, connect};
pub use listener::{Listener, listen};
pub use server::Server;
