//! The handlers: each extracts, calls one service and shapes the answer.

pub(crate) mod access;
pub(crate) mod actions;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod bindings;
pub(crate) mod custody;
pub(crate) mod grants;
pub(crate) mod health;
pub(crate) mod hub;
pub(crate) mod keyring;
pub(crate) mod logins;
pub(crate) mod namesakes;
pub(crate) mod packages;
pub(crate) mod page_codes;
pub(crate) mod releases;
pub(crate) mod runs;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod upkeep;
pub(crate) mod vault;

use aileron_contract::{Error, Reason};

pub(crate) fn not_found(what: &str) -> Error {
    Error::new(Reason::NotFound, what)
}
