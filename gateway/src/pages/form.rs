//! Forms, read strictly: every field once, few of them, within a bound.

use std::collections::BTreeMap;

use aileron_contract::{Reason, limits};
use axum::{
    body::Body,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};

use super::answer::{Problem, Result};
use crate::{Shared, caller::single, input};

/// The fields of a form, each with its one value.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(super) async fn read(headers: &HeaderMap, body: Body, shared: &Shared) -> Result<Self> {
        let media = single(headers, &header::CONTENT_TYPE)?.unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Problem::new(Reason::InvalidBody, "a form is expected"));
        }
        let limit = (limits::REQUEST_BODY, "REQUEST_BODY");
        let text = input::collect(body, limit, shared.options.body_wall).await?;
        Self::parse(&text)
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if fields.len() >= limits::PAGE_FIELDS {
                let public = format!("a form has {} fields at most", limits::PAGE_FIELDS);
                return Err(Problem::new(Reason::InvalidBody, public));
            }
            // Browsers send a text's line breaks as CR LF; the person typed line breaks.
            let value = value.replace("\r\n", "\n");
            if fields.insert(name.into_owned(), value).is_some() {
                return Err(Problem::new(Reason::InvalidBody, "a field came twice"));
            }
        }
        Ok(Self(fields))
    }

    /// The field, if it was sent.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// The field, if it was filled in.
    pub(super) fn filled(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The field, which the form has.
    pub(super) fn needed(&mut self, name: &str) -> Result<String> {
        self.filled(name).ok_or_else(|| {
            Problem::new(Reason::InvalidBody, format!("the field {name} is missing"))
        })
    }
}

impl FromRequest<Shared> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        Self::read(&parts.headers, body, shared).await.map_err(IntoResponse::into_response)
    }
}

/// The query of an address, read as leniently as people write them.
pub(super) fn query(uri: &http::Uri) -> Fields {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let pairs = pairs.take(limits::PAGE_FIELDS);
    Fields(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}

/// An address on this page, out of a form or an address: nothing else is gone to.
pub(super) fn own_path(raw: Option<&str>) -> String {
    let sound = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && path.len() <= 2048
            && path.bytes().all(|c| c.is_ascii_graphic() && c != b'\\' && c != b'"')
            && !path.starts_with("/sign-")
            && !path.starts_with("/at/")
    };
    raw.filter(sound).unwrap_or("/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_comes_twice_is_refused() {
        assert!(Fields::parse(b"a=1&b=2").is_ok());
        assert!(Fields::parse(b"a=1&a=2").is_err());
        let many =
            (0..=limits::PAGE_FIELDS).map(|n| format!("f{n}=x")).collect::<Vec<_>>().join("&");
        assert!(Fields::parse(many.as_bytes()).is_err());
    }

    #[test]
    fn line_breaks_are_the_ones_the_person_typed() {
        let mut fields = Fields::parse(b"text=a%0D%0Ab+c%26").unwrap();
        assert_eq!(fields.take("text").as_deref(), Some("a\nb c&"));
    }

    #[test]
    fn the_way_back_leads_nowhere_else() {
        for path in ["/approvals?focus=act-1", "/", "/audit/x/y"] {
            assert_eq!(own_path(Some(path)), path);
        }
        for path in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=y",
            "/sign-out",
            "/at/0/vault",
            "",
        ] {
            assert_eq!(own_path(Some(path)), "/", "{path}");
        }
    }
}
