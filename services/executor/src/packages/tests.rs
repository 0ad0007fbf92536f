//! The way of a package, against stand-ins for the network, the vault and the log.

mod actions;
mod batch;
mod connectors;
mod consent;
mod crashes;
mod cuts;
mod drifting;
mod hub;
mod local;
mod locks;
mod progress;
mod put_back;
mod releases;
mod syncing;
mod trusting;
mod world;
