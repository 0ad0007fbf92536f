//! What a file or a record is pinned by.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use super::invalid;
use crate::{Error, Reason, Result};

/// A SHA-256 hash, written `sha256:` and exactly 64 lower case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256Hash([u8; 32]);

impl Sha256Hash {
    /// A hash computed elsewhere.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of the parts, one after another, without a separator.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The hash itself.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 digits alone, as used in folder names.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Sha256Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256Hash {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let wrong = || {
            invalid(
                Reason::ValidationError,
                raw,
                "\"sha256:\" and 64 lower case hexadecimal digits",
            )
        };
        let digits = raw.strip_prefix("sha256:").ok_or_else(wrong)?;
        if digits.bytes().any(|c| c.is_ascii_uppercase()) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| wrong())?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_that_climbs_out_of_its_folder_is_no_hash() {
        for raw in ["sha256:../../x", "sha256:", "sha256:abc", "md5:00", ""] {
            assert!(raw.parse::<Sha256Hash>().is_err(), "{raw}");
        }
    }

    #[test]
    fn a_hash_has_one_spelling() {
        let text = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(text.parse::<Sha256Hash>().unwrap().to_string(), text);
        assert!(text.replace('a', "A").parse::<Sha256Hash>().is_err());
        assert!(text.replace("sha", "SHA").parse::<Sha256Hash>().is_err());
    }
}
