//! The composition root and the daemon: configuration, roles, tasks and the order of shutdown.
//!
//! The only room that knows every service. It decides nothing about actions, credentials or
//! persons; it puts the parts together and takes them apart again.

pub mod author;
pub mod config;
pub mod daemon;
pub mod demo;
mod discovery;
pub mod environment;
mod guard;
mod listener;
mod notify;
mod services;
mod signals;
mod state;
mod telemetry;
mod tether;

pub use config::{Config, Flags, Role};
pub use environment::Environment;
