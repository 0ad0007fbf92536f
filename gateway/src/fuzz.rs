//! Doors for fuzzing: what is read of a request before anybody knows who made it.

use std::net::SocketAddr;

use aileron_contract::Secret;
use http::{HeaderMap, Uri};

use crate::{caller, guard::Addresses};

/// The bearer token of a request, if it is accepted as one.
pub fn bearer(headers: &HeaderMap) -> Option<Secret> {
    caller::bearer(headers).ok()
}

/// Is a request to this address, with these headers, for a listener at `listen`?
pub fn is_for_us(listen: SocketAddr, extra: &[String], uri: &Uri, headers: &HeaderMap) -> bool {
    Addresses::new(listen, extra).check(uri, headers, false).is_ok()
}
