//! The log as a part of the runtime sees it, its files as a stranger sees them, and what crashes,
//! full disks, other clocks and other hands do to them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on ends there"
)]

mod append;
mod crash;
mod databases;
mod foreign;
mod forgetting;
mod opening;
#[path = "../../../store/tests/it/postgres.rs"]
mod postgres;
mod reading;
mod support;
mod tampering;
