//! Actions, runs and approvals over gRPC.

mod client;
mod grants;
mod messages;
mod server;
mod watch;

pub use client::Remote;
pub use server::serve;
