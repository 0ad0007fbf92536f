//! Texts that are handed out and known again when they come back: bearers, states, sessions of
//! setups, cookies. Only their hashes are kept.

use aileron_contract::{Result, Secret, names::Sha256Hash};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::envelope;

/// 32 random bytes as text. With a prefix it can be told apart, and found by a scanner when it
/// leaks.
pub(crate) fn fresh(prefix: &str) -> Result<Secret> {
    let bytes = Zeroizing::new(envelope::random::<32>()?);
    // Sized beforehand: growing would leave copies behind.
    let mut text = String::with_capacity(prefix.len().saturating_add(43));
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
    Ok(Secret::from(text))
}

/// What is kept of one.
pub(crate) fn hashed(text: &Secret) -> Sha256Hash {
    text.expose(|bytes| Sha256Hash::of(&[bytes]))
}

/// Are they of the same text? How long it takes says nothing of how much is the same.
pub(crate) fn same(one: &Sha256Hash, other: &Sha256Hash) -> bool {
    envelope::equal(one.bytes(), other.bytes())
}

/// The one whose hash is wanted. All are compared, whichever it is.
pub(crate) fn find<T>(
    all: impl IntoIterator<Item = T>,
    hash: impl Fn(&T) -> Sha256Hash,
    wanted: &Sha256Hash,
) -> Option<T> {
    let mut found = None;
    for one in all {
        if same(&hash(&one), wanted) {
            found = Some(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_out_is_known_again_and_nothing_else_is() {
        let texts: Vec<_> = (0..3).map(|_| fresh("alp_").unwrap()).collect();
        let kept: Vec<_> = texts.iter().map(hashed).enumerate().collect();
        for (number, text) in texts.iter().enumerate() {
            assert!(text.expose(|text| text.starts_with(b"alp_") && text.len() == 47));
            let found = find(&kept, |(_, hash)| *hash, &hashed(text));
            assert_eq!(found.map(|(number, _)| *number), Some(number));
        }
        assert!(find(&kept, |(_, hash)| *hash, &hashed(&fresh("alp_").unwrap())).is_none());
    }
}
