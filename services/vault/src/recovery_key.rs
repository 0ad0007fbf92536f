//! A recovery key: 256 random bits, and how they are written on paper.
//!
//! The form: 13 groups of four characters for the key and one more as a checksum, joined by `-`,
//! in Crockford's base 32 (digits and upper-case letters without I, L, O and U). The key's bits
//! come first, then zero bits up to a whole character. The checksum is the first 20 bits of
//! SHA-256 over `aileron/recovery-key/1` and the key: of a million typing errors one gets past it,
//! and that one opens nothing. Read back, case and separators do not matter, `O` means 0, `I` and
//! `L` mean 1.

use aileron_contract::{Error, Reason, Result, Secret};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::envelope;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of the key, and of key and checksum together.
const KEY: usize = 52;
const WHOLE: usize = 56;

/// More is no recovery key, however it is separated.
const TYPED_MAX: usize = 256;

pub(crate) struct RecoveryKey(Zeroizing<[u8; 32]>);

impl RecoveryKey {
    pub(crate) fn fresh() -> Result<Self> {
        Ok(Self(Zeroizing::new(envelope::random()?)))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As it is shown, once.
    pub(crate) fn written(&self) -> Secret {
        let mut bits = Bits::default();
        let mut letters = Zeroizing::new(Vec::with_capacity(WHOLE));
        for byte in self.0.iter() {
            bits.push(u32::from(*byte), 8);
            while let Some(letter) = bits.take() {
                letters.push(letter);
            }
        }
        // 256 bits are 51 characters and one bit.
        bits.push(0, 4);
        letters.extend(bits.take());
        letters.extend(self.checksum());
        let mut text = Vec::with_capacity(WHOLE + WHOLE / 4);
        for (at, group) in letters.chunks(4).enumerate() {
            if at > 0 {
                text.push(b'-');
            }
            text.extend(group.iter().filter_map(|letter| ALPHABET.get(usize::from(*letter))));
        }
        Secret::new(text)
    }

    /// As a person typed it.
    pub(crate) fn read(typed: &Secret) -> Result<Self> {
        typed.expose(Self::parse).ok_or_else(|| {
            Error::new(
                Reason::PassphraseInvalid,
                "this is not a recovery key as it was shown (14 groups of four letters and \
                 digits): compare it character by character with what you wrote down",
            )
        })
    }

    fn parse(typed: &[u8]) -> Option<Self> {
        if typed.len() > TYPED_MAX {
            return None;
        }
        let mut letters = Zeroizing::new(Vec::with_capacity(WHOLE));
        for character in typed {
            if matches!(character, b'-' | b' ' | b'\t' | b'\r' | b'\n') {
                continue;
            }
            letters.push(letter(*character)?);
        }
        let (key, checksum) = letters.split_at_checked(KEY)?;
        let mut bits = Bits::default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(32));
        for letter in key {
            bits.push(u32::from(*letter), 5);
            bytes.extend(bits.take_byte());
        }
        let key = Self(Zeroizing::new(bytes.as_slice().try_into().ok()?));
        // One way to write a key: the bits that fill up the last character are zero.
        (bits.is_zero() && checksum == key.checksum()).then_some(key)
    }

    fn checksum(&self) -> [u8; 4] {
        let digest = Sha256::new().chain_update(b"aileron/recovery-key/1").chain_update(*self.0);
        let digest: [u8; 32] = digest.finalize().into();
        let [first, second, third, ..] = digest;
        let bits = u32::from_be_bytes([0, first, second, third]) >> 4;
        [15, 10, 5, 0].map(|shift| u8::try_from(bits >> shift & 31).unwrap_or_default())
    }
}

impl std::fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryKey(..)")
    }
}

/// A character's value.
fn letter(character: u8) -> Option<u8> {
    let plain = match character.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    let value = ALPHABET.iter().position(|known| *known == plain)?;
    u8::try_from(value).ok()
}

/// Bits on their way from one width to another, the first ones first.
#[derive(Default)]
struct Bits {
    held: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, width: u32) {
        self.held = self.held << width | value;
        self.count += width;
    }

    fn take(&mut self) -> Option<u8> {
        self.first(5)
    }

    fn take_byte(&mut self) -> Option<u8> {
        self.first(8)
    }

    fn first(&mut self, width: u32) -> Option<u8> {
        self.count = self.count.checked_sub(width)?;
        let value = self.held >> self.count;
        self.held &= (1 << self.count) - 1;
        u8::try_from(value).ok()
    }

    fn is_zero(&self) -> bool {
        self.held == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(key: &RecoveryKey) -> String {
        key.written().expose(|text| String::from_utf8(text.to_vec()).unwrap())
    }

    fn read(typed: &str) -> Result<RecoveryKey> {
        RecoveryKey::read(&Secret::from(typed.to_owned()))
    }

    proptest! {
        #[test]
        fn every_key_reads_back_however_it_is_typed(bytes in any::<[u8; 32]>()) {
            let key = RecoveryKey(Zeroizing::new(bytes));
            let written = text(&key);
            prop_assert_eq!(written.len(), 69);
            let sloppy = written.to_lowercase().replace('-', " ").replace('1', "l").replace('0', "o");
            for typed in [written, sloppy] {
                prop_assert_eq!(*read(&typed).unwrap().0, bytes);
            }
        }

        #[test]
        fn one_wrong_character_is_noticed(
            bytes in any::<[u8; 32]>(), at in 0_usize..56, by in 1_usize..32,
        ) {
            let mut letters: Vec<u8> =
                text(&RecoveryKey(Zeroizing::new(bytes))).bytes().filter(|c| *c != b'-').collect();
            let was = ALPHABET.iter().position(|c| *c == letters[at]).unwrap();
            letters[at] = ALPHABET[(was + by) % 32];
            let typed = String::from_utf8(letters).unwrap();
            // One in a million gets past the checksum, as a key that opens nothing.
            if let Ok(other) = read(&typed) {
                prop_assert_ne!(*other.0, bytes);
            }
        }

        #[test]
        fn nothing_that_is_typed_is_a_panic(typed in any::<Vec<u8>>()) {
            drop(RecoveryKey::read(&Secret::new(typed)));
        }
    }

    #[test]
    fn the_form_is_pinned() {
        let key = RecoveryKey(Zeroizing::new(std::array::from_fn(|at| u8::try_from(at).unwrap())));
        assert_eq!(
            text(&key),
            "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFG-C5R8"
        );
        for typed in ["", "-", "0000", &"0".repeat(56), &"0".repeat(300), &text(&key)[..68]] {
            let refused = read(typed).unwrap_err();
            assert_eq!(refused.reason(), Reason::PassphraseInvalid, "{typed}");
        }
        assert!(read(&text(&key).replace('-', "U")).is_err());
    }
}
