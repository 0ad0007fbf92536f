//! Bytes that cannot be printed, cloned or serialized by accident.

use std::fmt;

use zeroize::Zeroizing;

/// A secret value. One door, [`Secret::expose`], so that every reader can be found.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; they are wiped when the secret is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Lends the bytes to `reader`. What it copies is no longer wiped.
    pub fn expose<R>(&self, reader: impl FnOnce(&[u8]) -> R) -> R {
        reader(&self.0)
    }

    /// No bytes at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A deliberate copy, for the one place that hands a secret on.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
