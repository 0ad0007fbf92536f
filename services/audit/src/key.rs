//! The key that signs the log, and the notes it signs.

use std::{fmt, fs, io, path::Path};

use aileron_contract::{Error, Reason, Result, limits};
use aileron_receipt::{Hash, VerifierKey, body};
use aileron_store::files;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use signed_note::{Note, Signature, StandardSigner};
use zeroize::Zeroizing;

/// The private key's file, C2SP signed-note's usual text form. 0600.
pub(crate) const KEY_FILE: &str = "log.key";
/// The same file while a log is being made: until the first checkpoint is durable.
pub(crate) const NEW_KEY_FILE: &str = "log.key.new";
/// The public key's file.
pub(crate) const VERIFIER_FILE: &str = "log.vkey";

pub(crate) struct LogKey {
    signer: StandardSigner,
    verifier: VerifierKey,
}

impl LogKey {
    /// Makes a key for a new log and writes it to [`NEW_KEY_FILE`].
    pub(crate) fn create(folder: &Path, origin: &str) -> Result<Self> {
        if !signed_note::is_key_name_valid(origin) || origin.len() > 200 {
            return Err(Error::new(
                Reason::ConfigInvalid,
                format!("audit.origin: {origin:?} is not the name of a log: no spaces, no '+'"),
            ));
        }
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|cause| Error::internal(cause.to_string()))?;
        let key = SigningKey::from_bytes(&seed);
        let public = [&[1], key.verifying_key().as_bytes().as_slice()].concat();
        let private = Zeroizing::new([&[1], seed.as_slice()].concat());
        let id = signed_note::key_id(origin, &public);
        let coded = Zeroizing::new(BASE64_STANDARD.encode(&*private));
        let text = Zeroizing::new(format!("PRIVATE+KEY+{origin}+{id:08x}+{}\n", *coded));
        files::write_atomic(&folder.join(NEW_KEY_FILE), text.as_bytes(), 0o600)
            .map_err(|cause| unwritable(folder, cause))?;
        Self::parse(&text).map_err(Error::internal)
    }

    /// Reads the key from `name`; `None` when there is no such file. The log keeps the origin it
    /// was made with.
    pub(crate) fn load(folder: &Path, name: &str) -> Result<Option<Self>> {
        let path = folder.join(name);
        let bytes = match files::read_bounded(&path, limits::AUDIT_KEY_FILE) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(unreadable(&path).caused_by(cause)),
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| unreadable(&path))?;
        Self::parse(text).map(Some).map_err(|cause| unreadable(&path).caused_by(cause))
    }

    pub(crate) fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signed checkpoint of a tree.
    pub(crate) fn sign(&self, size: u64, root: Hash) -> Result<String> {
        let text = body(self.verifier.name(), size, root);
        let unsigned: &[Signature] = &[];
        let mut note = Note::new(text.as_bytes(), unsigned).map_err(Error::internal)?;
        note.add_sigs(&[&self.signer]).map_err(Error::internal)?;
        String::from_utf8(note.to_bytes()).map_err(Error::internal)
    }

    fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let signer = StandardSigner::new(text).map_err(|_| KeyError)?;
        // The text is `PRIVATE+KEY+name+id+key`; the verifier's is `name+id+public key`.
        let mut parts = text.splitn(5, '+').skip(2);
        let (Some(name), Some(_), Some(coded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError);
        };
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(coded).map_err(|_| KeyError)?);
        let seed = bytes.get(1..).and_then(|seed| seed.try_into().ok()).ok_or(KeyError)?;
        let public = SigningKey::from_bytes(seed).verifying_key();
        let verifier = signed_note::new_ed25519_verifier_key(name, &public);
        Ok(Self { signer, verifier: verifier.parse().map_err(|_| KeyError)? })
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// Writes the public key beside the private one unless it lies there already.
pub(crate) fn publish(folder: &Path, key: &VerifierKey) -> Result<()> {
    let path = folder.join(VERIFIER_FILE);
    let text = format!("{key}\n");
    if fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(());
    }
    files::write_atomic(&path, text.as_bytes(), 0o600).map_err(|cause| unwritable(folder, cause))
}

/// The new log is durable: its key takes its final name.
pub(crate) fn adopt(folder: &Path) -> Result<()> {
    fs::rename(folder.join(NEW_KEY_FILE), folder.join(KEY_FILE))
        .and_then(|()| files::sync_dir(folder))
        .map_err(|cause| unwritable(folder, cause))
}

#[derive(Debug, thiserror::Error)]
#[error("not a log key")]
struct KeyError;

fn unreadable(path: &Path) -> Error {
    Error::new(
        Reason::AuditDamaged,
        format!(
            "the key of the log, {}, cannot be read: restore it from a backup, or move the audit \
             folder away to begin a new log",
            path.display()
        ),
    )
}

fn unwritable(folder: &Path, cause: io::Error) -> Error {
    Error::new(
        Reason::AuditUnavailable,
        format!("the log in {} cannot be written: check its rights and the disk", folder.display()),
    )
    .caused_by(cause)
}

#[cfg(test)]
mod tests {
    use aileron_receipt::{Checkpoint, merkle::Tree};

    use super::*;

    #[test]
    fn a_key_survives_its_file_and_signs_what_its_public_half_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let made = LogKey::create(folder.path(), "example.org/log").unwrap();
        assert!(LogKey::load(folder.path(), KEY_FILE).unwrap().is_none());
        adopt(folder.path()).unwrap();
        let loaded = LogKey::load(folder.path(), KEY_FILE).unwrap().unwrap();
        assert_eq!(loaded.verifier(), made.verifier());
        let note = loaded.sign(0, Tree::default().root()).unwrap();
        assert_eq!(Checkpoint::open(note.as_bytes(), made.verifier()).unwrap().size(), 0);
        assert!(!format!("{loaded:?}").contains("PRIVATE"));
    }

    #[test]
    fn an_origin_that_cannot_name_a_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for origin in ["", "a b", "a+b", "a\nb"] {
            let refused = LogKey::create(folder.path(), origin).unwrap_err();
            assert_eq!(refused.reason(), Reason::ConfigInvalid);
        }
    }

    #[test]
    fn a_damaged_key_file_is_told_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY_FILE), "PRIVATE+KEY+x").unwrap();
        let refused = LogKey::load(folder.path(), KEY_FILE).unwrap_err();
        assert_eq!(refused.reason(), Reason::AuditDamaged);
    }
}
