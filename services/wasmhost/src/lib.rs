//! Runs one connector call in WebAssembly: a fresh instance with the published host functions,
//! held to its limits, and a report of what came of it.
//!
//! Deliberately absent: sockets, files, credentials. A guest's requests are handed to the
//! [`Network`] its caller gives; who may reach what is decided there.

mod drive;
mod engine;
pub mod fuzz;
mod guest;
mod host;
mod modules;
mod network;
mod report;
mod ticker;
mod verdict;

pub use host::{Call, Host, Limits, Module, Options};
pub use modules::Prepared;
pub use network::{GuestRequest, GuestResponse, Network};
pub use report::{LogLine, Report};
