//! What a provider granted, as the vault keeps it: the published JSON, field by field. Fields
//! that nobody here knows are carried along.

use aileron_contract::{Secret, Timestamp, credential::Oauth2Client, limits, names::Sha256Hash};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::answer::Answer;

/// Tokens, and where new ones come from.
#[derive(Clone, PartialEq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Grant {
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// RFC 3339; the zero time when nobody said.
    #[serde(default = "unknown")]
    expires_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_type: Option<String>,
    #[serde(default)]
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    token_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[zeroize(skip)]
    scopes: Option<Value>,
    /// Ours: where the provider is told that a binding was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revocation_url: Option<String>,
    #[serde(flatten)]
    #[zeroize(skip)]
    rest: Map<String, Value>,
}

/// The zero time of the published runtime: no expiry is known.
const UNKNOWN: &str = "0001-01-01T00:00:00Z";

fn unknown() -> String {
    UNKNOWN.to_owned()
}

/// Why a stored value is no grant. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is stored is not the tokens of a provider")]
pub(crate) struct Malformed;

impl Grant {
    /// What a provider answered to a setup of `client`.
    pub(crate) fn new(client: &Oauth2Client, answer: &Answer, now: Timestamp) -> Self {
        Self {
            access_token: answer.access().to_owned(),
            refresh_token: answer.refresh().map(str::to_owned),
            expires_at: answer.expiry(now).map_or_else(unknown, |at| at.to_string()),
            token_type: answer.kind().map(str::to_owned),
            client_id: client.client_id().to_owned(),
            client_secret: client.client_secret().map(str::to_owned),
            token_url: client.token_url.to_string(),
            scopes: Some(granted(client, answer).into()),
            revocation_url: client.revocation_url.as_ref().map(ToString::to_string),
            rest: Map::new(),
        }
    }

    pub(crate) fn parse(stored: &[u8]) -> Result<Self, Malformed> {
        let grant: Self = serde_json::from_slice(stored).map_err(|_| Malformed)?;
        let dated = grant.expires_at.is_empty() || grant.expires_at.parse::<Timestamp>().is_ok();
        if !dated || !sendable(&grant.access_token) {
            return Err(Malformed);
        }
        Ok(grant)
    }

    /// The same grant with what a refresh answered. As published: what is not answered stays.
    pub(crate) fn refreshed(&self, answer: &Answer, now: Timestamp) -> Self {
        let mut next = self.clone();
        answer.access().clone_into(&mut next.access_token);
        if let Some(refresh) = answer.refresh() {
            next.refresh_token = Some(refresh.to_owned());
        }
        if let Some(kind) = answer.kind() {
            next.token_type = Some(kind.to_owned());
        }
        if let Some(at) = answer.expiry(now) {
            next.expires_at = at.to_string();
        }
        next
    }

    /// As it is stored, in memory that is wiped.
    pub(crate) fn render(&self) -> aileron_contract::Result<Zeroizing<Vec<u8>>> {
        // Sized beforehand: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limits::SECRET));
        serde_json::to_writer(&mut *bytes, self).map_err(aileron_contract::Error::internal)?;
        Ok(bytes)
    }

    pub(crate) fn access(&self) -> Secret {
        Secret::from(self.access_token.clone())
    }

    /// Which access token it is, for somebody who holds it.
    pub(crate) fn print(&self) -> Sha256Hash {
        Sha256Hash::of(&[self.access_token.as_bytes()])
    }

    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref().filter(|token| !token.is_empty())
    }

    pub(crate) fn access_token(&self) -> &str {
        &self.access_token
    }

    /// None when nobody knows.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        let at: Timestamp = self.expires_at.parse().ok()?;
        (at.as_second() > 0).then_some(at)
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn client_secret(&self) -> Option<&str> {
        self.client_secret.as_deref().filter(|secret| !secret.is_empty())
    }

    pub(crate) fn token_url(&self) -> &str {
        &self.token_url
    }

    pub(crate) fn revocation_url(&self) -> Option<&str> {
        self.revocation_url.as_deref()
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grant(..)")
    }
}

/// What the provider says it granted, or else what it was asked for (RFC 6749, section 5.1).
pub(crate) fn granted(client: &Oauth2Client, answer: &Answer) -> Vec<String> {
    answer.granted().unwrap_or_else(|| client.scopes().to_vec())
}

/// Can it stand in a header? A token that cannot was not meant for one.
pub(crate) fn sendable(token: &str) -> bool {
    (1..=limits::EGRESS_CREDENTIAL).contains(&token.len())
        && token.bytes().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::{super::samples::client, *};

    /// As the published runtime writes it, with a field nobody here knows.
    const PUBLISHED: &str = r#"{"access_token":"ya29.old","refresh_token":"1//old","expires_at":"2026-05-01T12:00:00.5+02:00","token_type":"Bearer","client_id":"id.apps","client_secret":"GOCSPX-x","token_url":"https://oauth2.googleapis.com/token","scopes":["a","b"],"tenant":{"n":12345678901234567890}}"#;

    fn answer(text: &str) -> Answer {
        serde_json::from_str(text).unwrap()
    }

    fn now() -> Timestamp {
        "2026-05-01T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_published_grant_is_read_and_written_back_whole() {
        let grant = Grant::parse(PUBLISHED.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(grant.render().unwrap().to_vec()).unwrap(), PUBLISHED);
        assert_eq!(grant.expires_at().unwrap(), "2026-05-01T10:00:00.5Z".parse().unwrap());
        let older = r#"{"access_token":"a","expires_at":"0001-01-01T00:00:00Z","token_url":"https://x.example/"}"#;
        let older = Grant::parse(older.as_bytes()).unwrap();
        assert_eq!((older.expires_at(), older.refresh_token()), (None, None));
    }

    #[test]
    fn a_refresh_replaces_what_was_answered_and_keeps_the_rest() {
        let grant = Grant::parse(PUBLISHED.as_bytes()).unwrap();
        let next = grant.refreshed(&answer(r#"{"access_token":"new","expires_in":3600}"#), now());
        let text = String::from_utf8(next.render().unwrap().to_vec()).unwrap();
        let expected = PUBLISHED
            .replace("ya29.old", "new")
            .replace("2026-05-01T12:00:00.5+02:00", "2026-05-01T10:00:00Z");
        assert_eq!(text, expected);
        let rotated = answer(r#"{"access_token":"new","refresh_token":"r2","expires_in":0}"#);
        let rotated = grant.refreshed(&rotated, now());
        assert_eq!(rotated.refresh_token(), Some("r2"));
        assert_eq!(rotated.expires_at(), grant.expires_at());
        assert_ne!(rotated.print(), grant.print());
    }

    #[test]
    fn a_new_grant_has_the_published_fields_in_their_order() {
        let answer = answer(r#"{"access_token":"a","token_type":"bearer","scope":"read"}"#);
        let grant = Grant::new(&client().with_secret("s"), &answer, now());
        let text = String::from_utf8(grant.render().unwrap().to_vec()).unwrap();
        assert_eq!(
            text,
            r#"{"access_token":"a","expires_at":"0001-01-01T00:00:00Z","token_type":"bearer","client_id":"me & you","client_secret":"s","token_url":"https://id.example/token","scopes":["read"]}"#
        );
        assert_eq!(Grant::parse(text.as_bytes()).unwrap(), grant);
        assert!(!format!("{grant:?}").contains("token"));
    }

    #[test]
    fn what_is_no_grant_is_refused_without_a_word_of_it() {
        for text in [
            "",
            "[]",
            "lin_api_key",
            r#"{"access_token":"","token_url":"x"}"#,
            r#"{"access_token":"a b","token_url":"x"}"#,
            r#"{"access_token":"a\r\nHost: evil","token_url":"x"}"#,
            r#"{"access_token":"a","token_url":"x","expires_at":"soon"}"#,
            r#"{"access_token":7,"token_url":"x"}"#,
            r#"{"access_token":"a"}"#,
        ] {
            assert_eq!(Grant::parse(text.as_bytes()), Err(Malformed), "{text}");
        }
    }
}
