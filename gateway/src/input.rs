//! Input, read strictly: content type, size and time of bodies; queries; names in paths.

use std::str::FromStr;

use aileron_api::Sensitive;
use aileron_contract::{Error, Reason, Secret, Timestamp, limits};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{StatusCode, header, request::Parts};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{
    Shared,
    answer::{Refusal, Result},
    caller::single,
};

/// A JSON body of a known shape. A repeated field, trailing data or a wrong type is refused.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self> {
        read(request, shared, (limits::REQUEST_BODY, "REQUEST_BODY")).await.map(Self)
    }
}

/// The same for a body that brings a whole vault.
pub(crate) struct Large<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Large<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self> {
        read(request, shared, (limits::IMPORT_BODY, "IMPORT_BODY")).await.map(Self)
    }
}

/// The same for a body that brings a package.
pub(crate) struct Parcel<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Parcel<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self> {
        read(request, shared, (limits::LOCAL_BODY, "LOCAL_BODY")).await.map(Self)
    }
}

/// A JSON body that may be left out.
pub(crate) struct Maybe<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned> FromRequest<Shared> for Maybe<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self> {
        if request.body().is_end_stream() {
            return Ok(Self(None));
        }
        Json::from_request(request, shared).await.map(|Json(value)| Self(Some(value)))
    }
}

/// A JSON body, not yet read.
pub(crate) struct Text(pub(crate) Bytes);

impl FromRequest<Shared> for Text {
    type Rejection = Refusal;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self> {
        json_text(request, shared, (limits::REQUEST_BODY, "REQUEST_BODY")).await.map(Self)
    }
}

/// A JSON body of a known shape, within a bound.
async fn read<T: DeserializeOwned>(
    request: Request,
    shared: &Shared,
    limit: (usize, &'static str),
) -> Result<T> {
    let text = json_text(request, shared, limit).await?;
    serde_json::from_slice(&text).map_err(|error| misfit(&error))
}

/// The bytes of a JSON body within a bound, which a refusal names.
async fn json_text(
    request: Request,
    shared: &Shared,
    limit: (usize, &'static str),
) -> Result<Bytes> {
    let (parts, body) = request.into_parts();
    if !is_json(single(&parts.headers, &header::CONTENT_TYPE)?) {
        return Err(Refusal::new(
            Reason::InvalidBody,
            "the body must be JSON: send `Content-Type: application/json`",
        )
        .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    collect(body, limit, shared.options.body_wall).await
}

/// A query of a known shape.
pub(crate) struct Filter<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Filter<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map_err(|error| Refusal::new(Reason::InvalidRequest, error.body_text()))?;
        Ok(Self(query.0))
    }
}

/// The one name in the path, decoded after routing. What cannot be a name names nothing: 404.
pub(crate) struct Name<T>(pub(crate) T);

impl<T: FromStr<Err = Error>> FromRequestParts<Shared> for Name<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self> {
        let nothing = |why: &str| Refusal::new(Reason::NotFound, why);
        let params = RawPathParams::from_request_parts(parts, shared)
            .await
            .map_err(|error| nothing(&error.body_text()))?;
        let (_, raw) = params.iter().next().ok_or_else(|| nothing("the path names nothing"))?;
        raw.parse().map(Self).map_err(|error: Error| nothing(error.public()))
    }
}

/// The one part of the path that is the caller's, decoded and not yet read: a bad one is told
/// as `invalid_request`, as published for logins.
pub(crate) struct Part(pub(crate) String);

impl FromRequestParts<Shared> for Part {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self> {
        let unfit = |why: &str| Refusal::new(Reason::InvalidRequest, why);
        let params = RawPathParams::from_request_parts(parts, shared)
            .await
            .map_err(|error| unfit(&error.body_text()))?;
        let first = params.iter().next().ok_or_else(|| unfit("the path names nothing"))?;
        Ok(Self(first.1.to_owned()))
    }
}

/// The one id in the path, of a grammar the service knows: 1 to 128 visible ASCII characters.
pub(crate) struct Id(pub(crate) String);

impl FromRequestParts<Shared> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self> {
        let Name(VisibleText(id)) = Name::from_request_parts(parts, shared).await?;
        Ok(Self(id))
    }
}

struct VisibleText(String);

impl FromStr for VisibleText {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self, Error> {
        if (1..=128).contains(&raw.len()) && raw.bytes().all(|c| c.is_ascii_graphic()) {
            return Ok(Self(raw.to_owned()));
        }
        Err(Error::new(Reason::NotFound, "that is no id"))
    }
}

/// Parses a member of a request; a bad one is the request's fault, whatever the type's own reason.
pub(crate) fn field<T: FromStr<Err = Error>>(name: &str, raw: &str) -> Result<T> {
    raw.parse().map_err(|error: Error| {
        let reason = match error.reason() {
            Reason::ValidationError | Reason::ParseError => Reason::InvalidRequest,
            own => own,
        };
        Refusal::new(reason, format!("{name}: {}", error.public()))
    })
}

/// Parses a member that may be absent.
pub(crate) fn optional<T: FromStr<Err = Error>>(
    name: &str,
    raw: Option<&str>,
) -> Result<Option<T>> {
    raw.map(|raw| field(name, raw)).transpose()
}

/// Parses a point in time.
pub(crate) fn time(name: &str, raw: &str) -> Result<Timestamp> {
    raw.parse().map_err(|_| {
        let public = format!("{name}: not an RFC 3339 time like 2030-01-31T00:00:00Z");
        Refusal::new(Reason::InvalidRequest, public)
    })
}

/// A secret that came as text.
pub(crate) fn secret(text: Sensitive) -> Secret {
    Secret::from(text.into_inner())
}

/// Decodes standard base64, padded.
pub(crate) fn bytes(name: &str, text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).map_err(|_| {
        Refusal::new(Reason::InvalidRequest, format!("{name}: not standard base64 with padding"))
    })
}

pub(crate) async fn collect(
    body: Body,
    (limit, name): (usize, &'static str),
    wall: std::time::Duration,
) -> Result<Bytes> {
    let too_large = || {
        let public = format!("the body is larger than {limit} bytes ({name})");
        Refusal::new(Reason::BodyTooLarge, public)
    };
    // A declared length past the bound is refused before a byte is read.
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let late = |_| {
        let public = format!("the body did not arrive within {} s", wall.as_secs());
        Refusal::new(Reason::DeadlineExceeded, public).with_status(StatusCode::REQUEST_TIMEOUT)
    };
    let whole =
        tokio::time::timeout(wall, Limited::new(body, limit).collect()).await.map_err(late)?;
    match whole {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Refusal::new(Reason::InvalidBody, "the body broke off")),
    }
}

/// `application/json`, with nothing but a UTF-8 charset beside it.
fn is_json(content_type: Option<&str>) -> bool {
    let Some(raw) = content_type else { return false };
    let mut parts = raw.split(';').map(str::trim);
    let media = parts.next().is_some_and(|part| part.eq_ignore_ascii_case("application/json"));
    media && parts.all(|part| part.to_ascii_lowercase().replace('"', "") == "charset=utf-8")
}

/// Says what is wrong and where, without repeating what may be a secret.
fn misfit(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line(), error.column());
    let echoes = text.starts_with("invalid type") || text.starts_with("invalid value");
    let what = if echoes { format!("a value of the wrong type at {place}") } else { text };
    Refusal::new(Reason::InvalidBody, format!("the body does not fit: {what}"))
}
