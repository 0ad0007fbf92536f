//! JSON from outside, read once and strictly, and its canonical form for digests.

mod strict;
mod visible;

use serde::Serialize;

pub use strict::{object, strict};
pub use visible::{hidden, is_visible, visible};

use crate::{Error, Result, names::Sha256Hash};

/// The RFC 8785 form of `value`: the same bytes wherever it is made.
pub fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(Error::internal)
}

/// SHA-256 over `domain`, a zero byte and the RFC 8785 form of `value`.
pub fn digest<T: Serialize>(domain: &str, value: &T) -> Result<Sha256Hash> {
    let canonical = serde_json_canonicalizer::to_vec(value).map_err(Error::internal)?;
    Ok(Sha256Hash::of(&[domain.as_bytes(), &[0], &canonical]))
}
