//! Keys, secrets and bindings over gRPC.

mod client;
mod convert;
mod server;

pub use client::Remote;
pub use server::serve;
