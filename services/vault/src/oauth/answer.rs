//! What providers answer, read leniently where they differ and strictly where it matters.

use std::{fmt, time::Duration};

use aileron_contract::{Timestamp, limits};
use oauth2::{AccessToken, ErrorResponse, RefreshToken, Scope, TokenResponse, TokenType};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use super::grant::sendable;

/// Tokens. Only the published fields are read; the type may be missing, a duration may be text,
/// scopes may be a list.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    #[serde(deserialize_with = "token")]
    access_token: AccessToken,
    #[serde(default, deserialize_with = "kind")]
    token_type: Kind,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "refresh_token")]
    refresh_token: Option<RefreshToken>,
    #[serde(default, rename = "scope", deserialize_with = "scopes")]
    scopes: Option<Vec<Scope>>,
}

/// `bearer`, or what the provider calls it: all are sent as bearer tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kind(String);

impl TokenType for Kind {}

impl TokenResponse for Answer {
    type TokenType = Kind;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &Kind {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scopes.as_ref()
    }
}

impl Answer {
    pub(super) fn access(&self) -> &str {
        self.access_token.secret()
    }

    pub(super) fn refresh(&self) -> Option<&str> {
        Some(self.refresh_token.as_ref()?.secret())
    }

    pub(super) fn kind(&self) -> Option<&str> {
        (!self.token_type.0.is_empty()).then_some(&self.token_type.0)
    }

    pub(super) fn granted(&self) -> Option<Vec<String>> {
        let scopes = self.scopes.as_ref()?;
        Some(scopes.iter().map(|scope| scope.as_str().to_owned()).collect())
    }

    /// When the token ends, if the provider says so.
    pub(super) fn expiry(&self, now: Timestamp) -> Option<Timestamp> {
        let lifetime = self.expires_in.filter(|seconds| *seconds > 0)?;
        now.checked_add(Duration::from_secs(lifetime.min(TEN_YEARS))).ok()
    }
}

/// Longer lifetimes are mistakes, and their sums leave the calendar.
const TEN_YEARS: u64 = 10 * 366 * 24 * 60 * 60;

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}

/// A provider's refusal, of which only the code is read: descriptions are text of strangers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    error: String,
}

impl Refusal {
    /// The code, when it looks like one. What looks like anything else could be a token.
    pub(super) fn code(&self) -> Option<String> {
        code(&self.error)
    }

    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().as_deref().unwrap_or("an error without a known code"))
    }
}

impl ErrorResponse for Refusal {}

/// An RFC 6749 `error` code, or one of a provider's own in the same shape.
pub(crate) fn code(raw: &str) -> Option<String> {
    let plain = |c: u8| c.is_ascii_lowercase() || c == b'_';
    ((1..=40).contains(&raw.len()) && raw.bytes().all(plain)).then(|| raw.to_owned())
}

fn token<'de, D: Deserializer<'de>>(input: D) -> Result<AccessToken, D::Error> {
    let token = String::deserialize(input)?;
    if sendable(&token) { Ok(AccessToken::new(token)) } else { Err(D::Error::custom("unfit")) }
}

/// Printable, as prescribed, and of a size that fits beside everything else in one secret.
fn refresh_token<'de, D: Deserializer<'de>>(input: D) -> Result<Option<RefreshToken>, D::Error> {
    let Some(token) = Option::<String>::deserialize(input)? else { return Ok(None) };
    let printable = token.bytes().all(|c| (0x20..0x7f).contains(&c));
    if !printable || token.len() > limits::SECRET / 2 {
        return Err(D::Error::custom("unfit"));
    }
    Ok((!token.is_empty()).then(|| RefreshToken::new(token)))
}

fn kind<'de, D: Deserializer<'de>>(input: D) -> Result<Kind, D::Error> {
    let name = Option::<String>::deserialize(input)?.unwrap_or_default();
    if name.len() > 64 { Err(D::Error::custom("unfit")) } else { Ok(Kind(name)) }
}

fn seconds<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}

/// Separated by spaces as prescribed, by commas as some do, or in a list.
fn scopes<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Vec<Scope>>, D::Error> {
    let names: Vec<String> = match Value::deserialize(input)? {
        Value::String(text) => {
            let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        }
        Value::Array(items) => {
            let texts = items.iter().filter_map(Value::as_str);
            texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
        }
        _ => return Ok(None),
    };
    let sound = |name: &String| name.len() <= 512 && name.bytes().all(|c| c.is_ascii_graphic());
    if names.len() > 512 || !names.iter().all(sound) {
        return Err(D::Error::custom("unfit"));
    }
    Ok((!names.is_empty()).then(|| names.into_iter().map(Scope::new).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Answer> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn providers_differ_in_what_they_leave_out_and_how_they_spell_it() {
        let now = Timestamp::UNIX_EPOCH;
        let bare = read(r#"{"access_token":"a"}"#).unwrap();
        assert_eq!((bare.refresh(), bare.kind(), bare.granted()), (None, None, None));
        assert_eq!(bare.expiry(now), None);
        let text = read(r#"{"access_token":"a","expires_in":"60","scope":"repo,gist"}"#).unwrap();
        assert_eq!(text.expiry(now).unwrap().as_second(), 60);
        assert_eq!(text.granted().unwrap(), ["repo", "gist"]);
        let list = read(r#"{"access_token":"a","token_type":null,"scope":["x","y"]}"#).unwrap();
        assert_eq!(list.granted().unwrap(), ["x", "y"]);
        let odd = read(r#"{"access_token":"a","expires_in":1e99,"refresh_token":""}"#).unwrap();
        assert_eq!((odd.expiry(now), odd.refresh()), (None, None));
        let endless = read(r#"{"access_token":"a","expires_in":18446744073709551615}"#).unwrap();
        assert!(endless.expiry(now).unwrap().as_second() < 400_000_000);
    }

    /// They are listed to people and written into labels, separated by spaces.
    #[test]
    fn scopes_are_words_and_not_too_many_of_them() {
        let scoped = |scope: &str| read(&format!(r#"{{"access_token":"a","scope":{scope}}}"#));
        for scope in [r#""read \u001b[2J""#, r#""read\u202e""#, r#""read\nwrite""#, r#"["a b"]"#] {
            assert!(scoped(scope).is_none(), "{scope}");
        }
        let many = |count: usize| format!("\"{}\"", vec!["x"; count].join(" "));
        assert_eq!(scoped(&many(512)).unwrap().granted().unwrap().len(), 512);
        assert!(scoped(&many(513)).is_none());
        assert!(scoped(&format!("\"{}\"", "x".repeat(513))).is_none());
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_no_token() {
        for text in [
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":null}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"access_token":"ключ"}"#,
            r#"{"access_token":"a","access_token":"b"}"#,
            r#"{"access_token":"a","refresh_token":"a\nb"}"#,
            r#"{"ok":false,"error":"invalid_code"}"#,
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&format!(r#"{{"access_token":"{}"}}"#, "k".repeat(9_000))).is_none());
    }

    proptest! {
        /// Whatever a provider writes as its error, what is shown is a code or nothing.
        #[test]
        fn a_refusal_tells_a_code_or_nothing(error in ".{0,80}", description in ".{0,80}") {
            let body = serde_json::json!({ "error": error, "error_description": description });
            let refusal = Refusal::parse(body.to_string().as_bytes()).unwrap();
            let shown = refusal.to_string();
            prop_assert!(refusal.code().is_none_or(|code| code == error && shown == error));
            let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == ' ';
            prop_assert!(shown.chars().all(plain), "{}", shown);
        }

        #[test]
        fn no_answer_makes_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let end = serde_json::from_slice::<Answer>(&body).map(|it| it.expiry(Timestamp::MAX));
            prop_assert!(end.is_err() || end.is_ok_and(|end| end.is_none()));
        }
    }
}
