//! Agent sessions: a record of who was started to act, when, where, and how it ended; and the
//! token an agent has for as long.
//!
//! Deliberately absent: processes. Whoever starts an agent on the host begins a session here and
//! ends it; containers and virtual machines will be started from here. Rights are checked where
//! they are used: this room only says when an agent's begin and end.

mod published;
mod service;
mod table;

pub use service::{Options, Service};
