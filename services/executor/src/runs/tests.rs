//! Runs against stand-ins for the other services. Every stand-in can be stopped before and after
//! what it does, so that a crash is tried at each point of a run.

mod approvals;
mod burying;
mod calls;
mod crashes;
mod ends;
mod fakes;
mod grants;
mod house;
mod identities;
#[path = "../../../store/tests/it/postgres.rs"]
mod postgres;
mod previews;
mod servers;
mod service;
mod watching;
