//! Doors for fuzzing: what reads a vault file and an exported vault, without the work of a real
//! passphrase, and what reads a provider's answers.

use zeroize::Zeroizing;

pub use crate::custody::portable::fuzz::Export;
use crate::{
    file::{
        Metadata, VaultFile,
        v2::{Draft, NewPassphrase},
    },
    kdf::Kdf,
};

/// Reads a vault file: parsing and bounds only. False when what was accepted as version 2 would
/// not read back as itself.
pub fn reads_back(bytes: &[u8]) -> bool {
    match VaultFile::parse(bytes) {
        Ok(VaultFile::V2(file)) => file
            .render()
            .is_ok_and(|text| VaultFile::parse(&text).is_ok_and(|it| it == VaultFile::V2(file))),
        Ok(VaultFile::V1(_)) | Err(_) => true,
    }
}

/// A vault file and the key that its passphrase derives.
#[derive(Debug)]
pub struct Sample {
    text: Vec<u8>,
    file: VaultFile,
    key: Zeroizing<[u8; 32]>,
}

impl Sample {
    /// A vault with two entries; none when the system has no random bytes.
    pub fn new() -> Option<Self> {
        let kdf = Kdf { memory_kib: 8, passes: 1, lanes: 1 };
        let salt = vec![5; 16];
        let key = kdf.derive(b"open", &salt).ok()?;
        let passphrase = NewPassphrase { kdf, salt, key: key.clone() };
        let (mut draft, keys) = Draft::create(&passphrase).ok()?;
        for path in ["api_key/a/x", "api_key/b/x"] {
            draft.put(&keys, path, Metadata::default(), path.as_bytes()).ok()?;
        }
        let file = draft.finish(&keys).ok()?;
        Some(Self { text: file.render().ok()?, file: VaultFile::V2(file), key })
    }

    /// As it lies on the disk.
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Would the passphrase open these bytes, although they are not this vault?
    pub fn is_forged_by(&self, bytes: &[u8]) -> bool {
        let Ok(file) = VaultFile::parse(bytes) else { return false };
        // With another challenge the same passphrase derives another key.
        file.challenge() == self.file.challenge()
            && file != self.file
            && file.unlock(&self.key).is_ok()
    }
}

/// Reads what a provider answers, and what an earlier runtime stored of it. False when what was
/// accepted would not read back as itself after it was stored.
pub fn token_answer_reads_back(bytes: &[u8]) -> bool {
    crate::oauth::reads_back(bytes)
}
