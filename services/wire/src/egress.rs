//! Requests to the outside over gRPC, with bodies in pieces.

mod client;
mod convert;
mod pieces;
mod server;

pub use client::Remote;
pub use server::serve;
