//! A tree's size and root, signed by the log (C2SP tlog-checkpoint).

use signed_note::{Note, NoteError};
use tlog_tiles::{Checkpoint as Body, Hash};

use crate::VerifierKey;

/// What a log said about itself, its signature already checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    origin: Box<str>,
    size: u64,
    root: Hash,
}

/// A note of a checkpoint with some hundred witness signatures stays far below.
const NOTE_MAX: usize = 64 * 1024;

/// No log grows beyond; arithmetic on sizes and heights cannot overflow below.
pub(crate) const SIZE_MAX: u64 = 1 << 48;

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    #[error("the checkpoint is of the log {found:?}, the key of {expected:?}")]
    OtherLog { found: String, expected: String },
    #[error("the checkpoint is not signed by this key")]
    Unsigned,
    #[error("the checkpoint's signature is wrong: it was changed after the log signed it")]
    Signature,
}

impl Checkpoint {
    /// Reads a signed note and checks the log's signature. Further signatures, such as those of
    /// witnesses, may follow and are not judged.
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, CheckpointError> {
        if note.len() > NOTE_MAX {
            return Err(CheckpointError::Malformed("it is too long"));
        }
        let note = Note::from_bytes(note)
            .map_err(|_| CheckpointError::Malformed("it is not a signed note"))?;
        let body = Body::from_bytes(note.text())
            .map_err(|_| CheckpointError::Malformed("it lacks origin, size or root hash"))?;
        if body.origin() != key.name() {
            return Err(CheckpointError::OtherLog {
                found: body.origin().chars().take(200).collect(),
                expected: key.name().to_owned(),
            });
        }
        note.verify(&key.list()).map_err(|error| match error {
            NoteError::UnverifiedNote => CheckpointError::Unsigned,
            _ => CheckpointError::Signature,
        })?;
        if body.size() > SIZE_MAX {
            return Err(CheckpointError::Malformed("its size is no log's"));
        }
        Ok(Self { origin: body.origin().into(), size: body.size(), root: *body.hash() })
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many leaves it covers.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn root(&self) -> Hash {
        self.root
    }
}

/// The text that a log signs for a tree.
pub fn body(origin: &str, size: u64, root: Hash) -> String {
    format!("{origin}\n{size}\n{root}\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use signed_note::{Signature, Signer};

    use super::*;
    use crate::merkle::{Tree, leaf_hash};

    pub(crate) struct TestKey(pub(crate) ed25519_dalek::SigningKey);

    impl TestKey {
        pub(crate) fn new(seed: u8) -> Self {
            Self(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]))
        }

        pub(crate) fn public(&self) -> VerifierKey {
            signed_note::new_ed25519_verifier_key("example.org/log", &self.0.verifying_key())
                .parse()
                .unwrap()
        }

        pub(crate) fn sign(&self, tree: &Tree) -> String {
            self.sign_text(&body("example.org/log", tree.size(), tree.root()))
        }

        fn sign_text(&self, text: &str) -> String {
            let mut note = Note::new(text.as_bytes(), &[] as &[Signature]).unwrap();
            note.add_sigs(&[self]).unwrap();
            String::from_utf8(note.to_bytes()).unwrap()
        }
    }

    impl Signer for TestKey {
        fn name(&self) -> &'static str {
            "example.org/log"
        }

        fn key_id(&self) -> u32 {
            let key = [&[1], self.0.verifying_key().as_bytes().as_slice()].concat();
            signed_note::key_id(self.name(), &key)
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
            use ed25519_dalek::Signer as _;
            Ok(self.0.try_sign(message)?.to_vec())
        }
    }

    #[test]
    fn every_single_byte_change_of_a_checkpoint_is_refused() {
        let key = TestKey::new(1);
        let mut tree = Tree::default();
        tree.push(leaf_hash(b"x"));
        let note = key.sign(&tree);
        let opened = Checkpoint::open(note.as_bytes(), &key.public()).unwrap();
        assert_eq!((opened.size(), opened.root()), (1, tree.root()));
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut changed = note.clone().into_bytes();
                changed[at] ^= 1 << bit;
                assert!(Checkpoint::open(&changed, &key.public()).is_err(), "{at}.{bit}");
            }
            assert!(Checkpoint::open(&note.as_bytes()[..at], &key.public()).is_err(), "cut {at}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_key_or_log_is_refused() {
        let note = TestKey::new(1).sign(&Tree::default());
        let other = TestKey::new(2).public();
        let refused = Checkpoint::open(note.as_bytes(), &other).unwrap_err();
        assert!(matches!(refused, CheckpointError::Unsigned));
        let key = TestKey::new(1);
        let foreign = key.sign_text(&body("example.org/other", 0, Tree::default().root()));
        let refused = Checkpoint::open(foreign.as_bytes(), &key.public()).unwrap_err();
        assert!(matches!(refused, CheckpointError::OtherLog { .. }));
    }
}
