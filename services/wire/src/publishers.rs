//! Whom persons trust, and what publishers offer, over gRPC.

mod client;
mod messages;
mod server;

pub use client::Remote;
pub use server::serve;
