//! A gateway on loopback, and raw HTTP to talk to it.

mod door;
mod executor;
mod packages;
mod people;
mod world;

pub(crate) use door::{Door, Reply, services};
pub(crate) use people::record;
pub(crate) use world::{AGENT, Outcome, PERSON, PROGRAM, World};
