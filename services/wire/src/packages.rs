//! Connectors, actions and suites over gRPC.

mod client;
mod drift;
mod each;
mod messages;
mod progress;
mod releases;
mod server;

pub use client::Remote;
pub use server::serve;
