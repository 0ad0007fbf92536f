//! The log's public key, as C2SP signed-note writes it: `name+hash+key`.

use std::{fmt, str::FromStr};

use signed_note::{StandardVerifier, Verifier as _, VerifierList};

/// An Ed25519 verifier key. Its name is the log's origin.
#[derive(Clone)]
pub struct VerifierKey {
    text: Box<str>,
    verifier: StandardVerifier,
}

/// Longer texts are no keys: a name, 8 digits and 44 characters fit many times.
const TEXT_MAX: usize = 1_024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the public key of a log: expected one line \"name+hash+key\", as in log.vkey")]
pub struct KeyError;

impl VerifierKey {
    /// The log's origin.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    pub(crate) fn list(&self) -> VerifierList {
        VerifierList::new(vec![Box::new(self.verifier.clone())])
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    /// Surrounding white space is ignored, so that a file's content can be given as it is.
    fn from_str(raw: &str) -> Result<Self, KeyError> {
        let text = raw.trim();
        if text.len() > TEXT_MAX {
            return Err(KeyError);
        }
        let verifier = StandardVerifier::new(text).map_err(|_| KeyError)?;
        Ok(Self { text: text.into(), verifier })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifierKey").field(&self.text).finish()
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for VerifierKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_itself_and_a_changed_one_is_none() {
        let text = signed_note::new_ed25519_verifier_key(
            "example.org/log",
            &ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key(),
        );
        let key: VerifierKey = format!("{text}\n").parse().unwrap();
        assert_eq!(key.to_string(), text);
        assert_eq!(key.name(), "example.org/log");
        for wrong in ["", "x", "a+b+c", &text.replace("example", "exomple"), &text[..60]] {
            assert_eq!(wrong.parse::<VerifierKey>(), Err(KeyError), "{wrong}");
        }
    }
}
