//! The door in front of services that remember what they were asked: real router, real sockets,
//! raw requests.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod addresses;
mod authentication;
mod bindings;
mod bodies;
mod client;
mod custody;
mod document;
mod envelopes;
mod grants;
mod house;
mod hub;
mod log;
mod manual;
mod oauth2;
mod page;
mod paths;
mod releases;
mod runs;
mod upkeep;
mod watch;
