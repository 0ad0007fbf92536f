//! Requests to the outside over gRPC, with bodies in pieces.

mod client;
mod messages;
mod pieces;
mod server;

pub use client::Remote;
pub use server::serve;
