//! What several targets need: a small log that is signed, and edits of a sound input.

use std::{convert::Infallible, sync::OnceLock};

use aileron_receipt::{
    Receipt, VerifierKey, body,
    merkle::{Tree, leaf_hash, prove},
};
use ed25519_dalek::SigningKey;
use signed_note::{Note, Signature, Signer};

/// A log of 100 lines with its newest checkpoint and the receipt of one line.
pub struct Log {
    pub key: VerifierKey,
    pub leaves: Vec<Vec<u8>>,
    pub checkpoint: String,
    pub receipt: String,
}

/// Always the same one.
pub fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let key = Key(SigningKey::from_bytes(&[7; 32]));
        let leaves: Vec<Vec<u8>> = (0..100).map(|at| format!("line {at}").into_bytes()).collect();
        let mut tree = Tree::default();
        for leaf in &leaves {
            tree.push(leaf_hash(leaf));
        }
        let text = body(ORIGIN, tree.size(), tree.root());
        let mut note = Note::new(text.as_bytes(), &[] as &[Signature]).expect("a text is a note");
        note.add_sigs(&[&key]).expect("an Ed25519 key signs");
        let checkpoint = String::from_utf8(note.to_bytes()).expect("a note is text");
        let mut entry = |level, at: u64| {
            Ok::<_, Infallible>(tree.edge(level)[usize::try_from(at).expect("a small index")])
        };
        let proof = prove(42, tree.size(), &mut entry).expect("never fails").expect("a leaf of it");
        let leaf = leaves[42].clone();
        let receipt = Receipt { index: 42, leaf, proof, checkpoint: checkpoint.clone() };
        let verifier = signed_note::new_ed25519_verifier_key(ORIGIN, &key.0.verifying_key());
        let key = verifier.parse().expect("it was just made");
        Log { key, leaves, checkpoint, receipt: receipt.to_string() }
    })
}

const ORIGIN: &str = "example.org/log";

struct Key(SigningKey);

impl Signer for Key {
    fn name(&self) -> &str {
        ORIGIN
    }

    fn key_id(&self) -> u32 {
        let key = [&[1], self.0.verifying_key().as_bytes().as_slice()].concat();
        signed_note::key_id(ORIGIN, &key)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        use ed25519_dalek::Signer as _;
        Ok(self.0.try_sign(message)?.to_vec())
    }
}

/// `bytes` after some edits, of four bytes each: what to do, where (two bytes), and with what.
pub fn edited(bytes: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for edit in edits.chunks_exact(4).take(16) {
        let [what, high, low, with] = edit else { continue };
        if bytes.is_empty() {
            bytes.push(*with);
        }
        let at = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
        match what % 6 {
            0 => bytes[at] ^= *with,
            1 => bytes[at] = *with,
            2 => bytes.insert(at, *with),
            3 => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            _ => {
                let end = bytes.len().min(at + usize::from(*with));
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}
