//! From a passphrase to a key: Argon2id, its parameters bounded before any work is done.

use aileron_contract::{Error, Reason, Result, limits};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize as _, Zeroizing};

/// How much work a passphrase guess costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kdf {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Kdf {
    /// The parameters of published version 1 files, which do not state them.
    pub const PUBLISHED: Self = Self { memory_kib: 65_536, passes: 3, lanes: 4 };

    /// Refuses work that no honest file asks for: a planted file must not exhaust the machine.
    pub fn bounded(self) -> Result<Self> {
        let lanes = (1..=limits::KDF_LANES_MAX).contains(&self.lanes);
        let passes = (1..=limits::KDF_PASSES_MAX).contains(&self.passes);
        // Argon2 itself needs eight blocks per lane.
        let memory = lanes
            && (self.lanes.saturating_mul(8)..=limits::KDF_MEMORY_MAX).contains(&self.memory_kib);
        if memory && passes {
            return Ok(self);
        }
        Err(Error::new(
            Reason::VaultUnreadable,
            format!(
                "the vault file asks for a key derivation of {} KiB, {} passes and {} lanes, \
                 which is outside what this runtime does (at most {} KiB, {} passes, {} lanes): \
                 restore the file from a backup you trust",
                self.memory_kib,
                self.passes,
                self.lanes,
                limits::KDF_MEMORY_MAX,
                limits::KDF_PASSES_MAX,
                limits::KDF_LANES_MAX,
            ),
        ))
    }

    /// Derives 32 bytes. Blocks for as long as the parameters demand; the working memory is wiped.
    pub(crate) fn derive(self, passphrase: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let Self { memory_kib, passes, lanes } = self.bounded()?;
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(inner)?;
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(params.block_count()).map_err(|cause| {
            Error::new(
                Reason::Busy,
                "there is not enough memory to check a passphrase now: try again later",
            )
            .caused_by(cause)
        })?;
        blocks.resize(params.block_count(), Block::new());
        let mut key = Zeroizing::new([0; 32]);
        let done = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase, salt, &mut *key, &mut blocks);
        blocks.zeroize();
        done.map_err(inner)?;
        Ok(key)
    }
}

fn inner(cause: argon2::Error) -> Error {
    Error::internal(cause.to_string())
}

impl Default for Kdf {
    fn default() -> Self {
        Self::PUBLISHED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_derives_the_published_key() {
        let salt: Vec<u8> = (0..16).collect();
        let key = Kdf::PUBLISHED.derive(b"correct horse battery staple", &salt).unwrap();
        assert_eq!(
            hex::encode(*key),
            "853b272a44db1421c02962669a55eb0994f3cab385ed1c4c79253eee19bab49e"
        );
    }

    #[test]
    fn planted_parameters_are_refused_before_any_work() {
        for (memory_kib, passes, lanes) in [
            (u32::MAX, 1, 1),
            (limits::KDF_MEMORY_MAX + 1, 1, 1),
            (64, u32::MAX, 1),
            (64, 0, 1),
            (64, 1, 0),
            (64, 1, u32::MAX),
            (0, 1, 1),
            (8, 1, 2),
        ] {
            let refused = Kdf { memory_kib, passes, lanes }.derive(b"x", &[0; 16]).unwrap_err();
            assert_eq!(refused.reason(), Reason::VaultUnreadable);
        }
    }
}
