//! A receipt: one leaf, the proof that it is in the log, and the checkpoint the proof leads to,
//! in the public text format C2SP tlog-proof. The leaf itself travels in the `extra` line, which
//! the format leaves to applications: it is authenticated by the proof, as nothing else of that
//! line would be.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tlog_tiles::Hash;

use crate::{
    Checkpoint, CheckpointError, VerifierKey,
    line::LEAF_MAX,
    merkle::{includes, leaf_hash},
};

/// A receipt as it stands in its file. Nothing of it is proven before [`Receipt::verify`].
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    pub index: u64,
    /// The bytes of the leaf: the line of the log without its line feed.
    pub leaf: Vec<u8>,
    /// From the leaf's sibling up.
    pub proof: Vec<Hash>,
    /// The signed note.
    pub checkpoint: String,
}

/// What a receipt has proven.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// The line of the log, without its line feed.
    pub leaf: Vec<u8>,
    /// Its place in the log, from 0.
    pub index: u64,
    pub checkpoint: Checkpoint,
}

#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error("not a receipt: {0}")]
    Malformed(&'static str),
    #[error("the receipt's checkpoint does not hold")]
    Checkpoint(#[from] CheckpointError),
    #[error("the receipt does not lead to the root its checkpoint signs: it was changed")]
    NotIncluded,
}

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A leaf in base64, 64 hashes and a note with witness signatures fit.
const TEXT_MAX: usize = 256 * 1024;

/// A tree is at most 48 levels high.
const PROOF_MAX: usize = 48;

impl Receipt {
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        let malformed = |what| ReceiptError::Malformed(what);
        if text.len() > TEXT_MAX {
            return Err(malformed("it is too long"));
        }
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(malformed("it holds no checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed("its first line is not \"c2sp.org/tlog-proof@v1\""));
        }
        let leaf = lines
            .next()
            .and_then(|line| line.strip_prefix("extra "))
            .and_then(|coded| BASE64_STANDARD.decode(coded).ok())
            .filter(|leaf| leaf.len() <= LEAF_MAX)
            .ok_or(malformed("its \"extra\" line does not hold the event in base64"))?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or(malformed("its \"index\" line is missing or wrong"))?;
        let proof = lines
            .map(|line| BASE64_STANDARD.decode(line).ok()?.try_into().ok().map(Hash))
            .collect::<Option<Vec<_>>>()
            .filter(|proof| proof.len() <= PROOF_MAX)
            .ok_or(malformed("a line of its proof is not a hash"))?;
        Ok(Self { index, leaf, proof, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that the log of `key` signed a checkpoint that covers this leaf at this place.
    pub fn verify(&self, key: &VerifierKey) -> Result<Proven, ReceiptError> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), key)?;
        let leaf = leaf_hash(&self.leaf);
        if !includes(self.index, checkpoint.size(), leaf, &self.proof, checkpoint.root()) {
            return Err(ReceiptError::NotIncluded);
        }
        Ok(Proven { leaf: self.leaf.clone(), index: self.index, checkpoint })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        writeln!(f, "extra {}", BASE64_STANDARD.encode(&self.leaf))?;
        writeln!(f, "index {}", self.index)?;
        for hash in &self.proof {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A number without sign or leading zeroes.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        checkpoint::tests::TestKey,
        merkle::{Tree, prove},
    };

    fn receipt(size: u64, index: u64) -> (TestKey, String) {
        let key = TestKey::new(3);
        let mut tree = Tree::default();
        for at in 0..size {
            tree.push(leaf_hash(format!("line {at}").as_bytes()));
        }
        let mut entry = |level, position: u64| {
            Ok::<_, Infallible>(tree.edge(level)[usize::try_from(position).unwrap()])
        };
        let receipt = Receipt {
            index,
            leaf: format!("line {index}").into_bytes(),
            proof: prove(index, size, &mut entry).unwrap().unwrap(),
            checkpoint: key.sign(&tree),
        };
        (key, receipt.to_string())
    }

    #[test]
    fn a_receipt_proves_its_leaf_with_the_public_key_alone() {
        for size in [1, 2, 3, 100, 255] {
            let (key, text) = receipt(size, size - 1);
            let parsed = Receipt::parse(&text).unwrap();
            assert_eq!(parsed.to_string(), text);
            let proven = parsed.verify(&key.public()).unwrap();
            assert_eq!(proven.leaf, format!("line {}", size - 1).into_bytes());
            assert_eq!((proven.index, proven.checkpoint.size()), (size - 1, size));
            assert!(parsed.verify(&TestKey::new(4).public()).is_err());
        }
    }

    #[test]
    fn every_single_byte_change_of_a_receipt_is_refused() {
        let (key, text) = receipt(100, 42);
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let accepted = String::from_utf8(changed)
                    .ok()
                    .and_then(|changed| Receipt::parse(&changed).ok())
                    .is_some_and(|changed| changed.verify(&key.public()).is_ok());
                assert!(!accepted, "{at}.{bit}");
            }
        }
    }

    #[test]
    fn a_receipt_of_another_leaf_or_place_is_refused() {
        let (key, text) = receipt(100, 42);
        let honest = Receipt::parse(&text).unwrap();
        let forged = Receipt { leaf: b"line 43".to_vec(), ..honest.clone() };
        assert!(matches!(forged.verify(&key.public()), Err(ReceiptError::NotIncluded)));
        let moved = Receipt { index: 43, ..honest };
        assert!(matches!(moved.verify(&key.public()), Err(ReceiptError::NotIncluded)));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(c2sp.org/tlog-proof@v1\n)?(extra [A-Za-z+=]{0,9}\n)?(index [0-9]{0,22}\n)?.{0,90}") {
            if let Ok(receipt) = Receipt::parse(&text) {
                prop_assert!(receipt.verify(&TestKey::new(3).public()).is_err());
            }
        }
    }
}
