//! Tests of the whole: the program as people run it, its structure, its promises to strangers.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]

mod addresses;
mod approvals;
mod attack;
mod author;
mod bad_packages;
#[path = "../../services/vault/tests/it/oauth/browser.rs"]
mod browser;
mod canaries;
mod command_line;
mod crash;
mod demo;
mod folders;
mod generated;
mod getting_started;
mod grants;
mod hostile;
mod house;
mod household;
mod hub;
mod identities;
mod keyring;
mod launch;
mod leaving;
mod main_job;
mod manual;
mod mcp;
mod memory;
mod moody;
mod notify;
mod oidc;
mod packs;
mod page;
#[path = "../../services/store/tests/it/postgres.rs"]
mod postgres;
mod publisher;
mod put_back;
mod raw;
mod relay;
mod releases;
mod robustness;
mod sessions;
mod sign_in;
mod split;
mod spoken;
mod structure;
mod telemetry;
mod terminal;
mod updates;
mod upkeep;
mod upstream;
