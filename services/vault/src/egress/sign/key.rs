//! A signing key as it is stored.

use aileron_contract::limits;
use serde::Deserialize;
use zeroize::Zeroizing;

/// A secret access key, perhaps with a session token.
///
/// Stored as published, the key's bytes alone, or, because a session token is a secret and no
/// label, as `{"secret_access_key": "…", "session_token": "…"}`. No key of AWS begins with a
/// brace.
pub(crate) struct SigningKey {
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    secret_access_key: String,
    session_token: Option<String>,
}

impl SigningKey {
    /// The error says what is wrong with the value, and nothing of it.
    pub(crate) fn read(value: &[u8]) -> Result<Self, &'static str> {
        let key = if value.first() == Some(&b'{') {
            let text: Text = serde_json::from_slice(value).map_err(
                |_| "it is no JSON object of secret_access_key and session_token, both text",
            )?;
            let Text { secret_access_key, session_token } = text;
            Self {
                secret_access_key: Zeroizing::new(secret_access_key),
                session_token: session_token.map(Zeroizing::new),
            }
        } else {
            let text = std::str::from_utf8(value).map_err(|_| UNFIT)?;
            let secret_access_key = Zeroizing::new(text.to_owned());
            Self { secret_access_key, session_token: None }
        };
        let sound = |text: &str| {
            (1..=limits::EGRESS_CREDENTIAL).contains(&text.len())
                && text.bytes().all(|c| c.is_ascii_graphic())
        };
        let token = key.session_token();
        if sound(&key.secret_access_key) && token.is_none_or(sound) { Ok(key) } else { Err(UNFIT) }
    }

    pub(crate) fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    pub(crate) fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }

    /// All that nobody else may see.
    pub(crate) fn secrets(&self) -> Vec<&[u8]> {
        let key = Some(self.secret_access_key());
        key.into_iter().chain(self.session_token()).map(str::as_bytes).collect()
    }
}

const UNFIT: &str = "it is empty, too long, or not printable ASCII without spaces";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_bytes_or_comes_with_a_session_token() {
        let bare = SigningKey::read(b"wJalr/XUtn+FEMI").unwrap();
        assert_eq!((bare.secret_access_key(), bare.session_token()), ("wJalr/XUtn+FEMI", None));
        let value = br#"{"secret_access_key":"k","session_token":"t=="}"#;
        let temporary = SigningKey::read(value).unwrap();
        assert_eq!(temporary.secrets(), [b"k".as_slice(), b"t=="]);
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for value in [
            &b""[..],
            b"two words",
            b"line\nfeed",
            b"\xff",
            b"{",
            br#"{"secret_access_key":""}"#,
            br#"{"secret_access_key":"k","session_token":""}"#,
            br#"{"secret_access_key":"k","session_token":"a\r\nb"}"#,
            br#"{"secret_access_key":"k","other":"x"}"#,
            br#"{"session_token":"t"}"#,
        ] {
            assert!(SigningKey::read(value).is_err(), "{}", String::from_utf8_lossy(value));
        }
    }
}
