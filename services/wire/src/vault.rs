//! Keys, entries and pins over gRPC.

mod client;
mod messages;
mod server;

pub use client::Remote;
pub use server::serve;
