//! What leaves the vault on purpose, and the ways back in, over gRPC.

mod client;
mod messages;
mod server;

pub use client::Remote;
pub use server::serve;

/// An import carries a whole vault: more than other requests may.
const IMPORT: usize = aileron_contract::limits::VAULT_EXPORT + aileron_contract::limits::BODY_PIECE;
