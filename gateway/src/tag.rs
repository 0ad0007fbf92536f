//! Tags of what is served: who has it already is told so, and sent nothing.

use aileron_contract::names::Sha256Hash;
use http::{HeaderMap, header};

use crate::caller::listed;

/// The tag of a body, as a header has it.
pub(crate) fn of(body: &str) -> String {
    format!("\"{}\"", Sha256Hash::of(&[body.as_bytes()]).hex())
}

/// Does whoever asks have what this is the tag of?
pub(crate) fn is_known(tag: &str, headers: &HeaderMap) -> bool {
    listed(headers, &header::IF_NONE_MATCH)
        .any(|given| given == "*" || given.trim_start_matches("W/") == tag)
}
