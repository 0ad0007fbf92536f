//! The vault through its doors.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod access;
mod bindings;
mod crash;
mod custody;
mod databases;
mod egress;
mod file;
mod guessing;
mod house;
mod idle;
mod life;
mod oauth;
mod older;
mod opened;
#[path = "../../../store/tests/it/postgres.rs"]
mod postgres;
mod put_back;
