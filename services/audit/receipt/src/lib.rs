//! What the log promises, in a form that anybody can check offline with the log's public key:
//! checkpoints (C2SP tlog-checkpoint in a signed-note), receipts (C2SP tlog-proof), tiles (C2SP
//! tlog-tiles) and the verification of a whole log. Hashing is that of RFC 6962.
//!
//! Deliberately absent: writing a log, private keys, network, clocks. Input is never trusted: it
//! is bounded before anything is allocated for it, and nothing here panics on it.

mod checkpoint;
mod key;
pub mod line;
pub mod merkle;
mod receipt;
pub mod tile;
pub mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, body};
pub use key::{KeyError, VerifierKey};
pub use receipt::{Proven, Receipt, ReceiptError};
pub use tlog_tiles::Hash;
