//! Attacks on egress, and the few things it is for, against real servers on loopback.

mod answers;
#[path = "../../../wire/tests/it/authority.rs"]
mod authority;
mod connections;
mod credentials;
mod every_form;
mod fetching;
mod forms;
pub(crate) mod house;
mod redirects;
mod refusals;
mod signing;
pub(crate) mod upstream;
