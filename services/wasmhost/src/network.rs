//! What a guest asks of the network, and who answers.

use aileron_contract::failure::Failure;
use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Answers the requests of one call. Allow-lists, credentials, redirects and caps are its matter.
#[async_trait]
pub trait Network: Send + Sync + 'static {
    /// Sends one request. A failure is kept, and ends the call unless a later request succeeds.
    async fn http(&self, request: GuestRequest) -> Result<GuestResponse, Failure>;
}

/// One request as the guest wrote it; only its shape has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestRequest {
    pub method: String,
    pub url: String,
    /// One value per name, in the guest's order.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// The kind of credential to join.
    pub credential: Option<String>,
}

/// What the guest gets to see of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestResponse {
    pub status: u16,
    pub body: Bytes,
}

/// The published envelope; unknown fields are ignored.
#[derive(Deserialize)]
struct Envelope {
    method: Option<String>,
    url: Option<String>,
    headers: Option<Map<String, Value>>,
    body: Option<String>,
    credential: Option<String>,
}

impl GuestRequest {
    /// Reads the published envelope. None means malformed: no JSON, a wrong type, or no URL.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        let Envelope { method, url, headers, body, credential } =
            serde_json::from_slice(json).ok()?;
        let headers = headers
            .unwrap_or_default()
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(text) => Some((name, text)),
                _ => None,
            })
            .collect::<Option<_>>()?;
        Some(Self {
            method: method.filter(|text| !text.is_empty()).unwrap_or_else(|| "GET".to_owned()),
            url: url.filter(|text| !text.is_empty())?,
            headers,
            body: body.unwrap_or_default().into(),
            credential: credential.filter(|text| !text.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_url_is_a_get_without_body_or_credential() {
        let request = GuestRequest::read(br#"{"url":"https://a","extra":1,"method":""}"#).unwrap();
        assert_eq!(request.method, "GET");
        assert_eq!(request.credential, None);
        assert!(request.body.is_empty() && request.headers.is_empty());
    }

    #[test]
    fn headers_keep_the_order_the_guest_gave() {
        let json = br#"{"url":"u","headers":{"z":"1","a":"2"},"body":"x","credential":"api_key"}"#;
        let request = GuestRequest::read(json).unwrap();
        assert_eq!(
            request.headers,
            [("z".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]
        );
        assert_eq!(request.credential.as_deref(), Some("api_key"));
    }

    #[test]
    fn what_is_not_an_envelope_is_malformed() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"url":""}"#,
            r#"{"url":1}"#,
            r#"{"url":"u","headers":{"a":1}}"#,
            r#"{"url":"u"} x"#,
        ] {
            assert_eq!(GuestRequest::read(json.as_bytes()), None, "{json}");
        }
    }
}
