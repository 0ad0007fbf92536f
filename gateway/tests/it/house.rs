//! A gateway on loopback, and raw HTTP to talk to it.

mod bindings;
mod custody;
mod door;
pub(crate) mod executor;
pub(crate) mod grants;
mod packages;
mod people;
mod publishers;
mod sessions;
mod upkeep;
mod world;

pub(crate) use custody::RECOVERY_KEY;
pub(crate) use door::{Door, Reply, services};
pub(crate) use people::record;
pub(crate) use world::{AGENT, Outcome, PERSON, PROGRAM, World};
