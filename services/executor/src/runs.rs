//! Runs: called, parked for a person, carried out, remembered. One state machine, one table.

mod again;
mod announce;
mod call;
mod connector;
mod credentials;
mod decide;
mod deny;
mod door;
mod drive;
mod ends;
mod engine;
mod feed;
mod grants;
mod guest;
mod lifecycle;
mod listing;
mod outcome;
mod pins;
mod plan;
mod preview;
mod prune;
mod record;
mod recover;
mod refusals;
mod room;
mod step;
#[cfg(test)]
mod tests;
mod text;
mod trace;

pub(crate) use connector::{Library, Shelf};
pub(crate) use engine::{Engine, Pace, Parts};
pub use grants::Tokens;
pub(crate) use grants::{GrantRecord, caller_text};
pub(crate) use guest::Guest;
pub(crate) use record::{Record, Shown};
pub(crate) use text::{PERSON, micros, origin_text, principal_text};
