//! Who makes a request: proven before any handler runs.

use aileron_api::SESSION_HEADER;
use aileron_contract::{
    Context, IdempotencyKey, Principal, Reason, Secret, Timestamp, access, limits, names::SessionId,
};
use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, header, request::Parts};

use crate::{
    Shared,
    answer::{Refusal, Result},
};

/// The proven caller of a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) context: Context,
    /// When the token stops being good.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Caller {
    /// The context with the request's `Idempotency-Key`, for the routes that honour one.
    pub(crate) fn idempotent(self, headers: &HeaderMap) -> Result<Context> {
        let key = single(headers, &HeaderName::from_static(aileron_api::IDEMPOTENCY_HEADER))?;
        let idempotency_key = key.map(str::parse::<IdempotencyKey>).transpose()?;
        Ok(Context { idempotency_key, ..self.context })
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self> {
        // Absent only if a route that needs a caller were mounted outside the guard.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Refusal::new(Reason::TokenMissing, "this call needs a bearer token"))
    }
}

/// Lets through only requests whose bearer token the access service knows.
pub(crate) async fn authenticate(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    match identify(&shared, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn identify(shared: &Shared, headers: &HeaderMap) -> Result<Caller> {
    let bearer = bearer(headers)?;
    let access::Caller { principal, begun_by, scopes, expires_at } =
        shared.services.access.authenticate(bearer).await?;
    let session = session(&principal, headers)?;
    let context =
        Context { principal, begun_by, scopes, session, idempotency_key: None, deadline: None };
    Ok(Caller { context, expires_at })
}

pub(crate) fn bearer(headers: &HeaderMap) -> Result<Secret> {
    let missing = || {
        Refusal::new(
            Reason::TokenMissing,
            "this call needs a bearer token: send `Authorization: Bearer <token>`",
        )
    };
    let value = single(headers, &header::AUTHORIZATION)?.ok_or_else(missing)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(missing());
    }
    if token.len() > limits::REQUEST_BEARER {
        return Err(Refusal::new(Reason::TokenInvalid, "the bearer token is not one of ours"));
    }
    Ok(Secret::new(token.as_bytes().to_vec()))
}

/// The agent session a call belongs to. An agent's token names its own; a program may name one;
/// a person has none.
fn session(principal: &Principal, headers: &HeaderMap) -> Result<Option<SessionId>> {
    let named = single(headers, &HeaderName::from_static(SESSION_HEADER))?
        .map(str::parse::<SessionId>)
        .transpose()?;
    match principal {
        Principal::Person(_) => Ok(None),
        Principal::Program(_) | Principal::Service(_) => Ok(named),
        Principal::Agent(own) => {
            let own: SessionId = own.parse()?;
            match named {
                Some(named) if named != own => Err(Refusal::new(
                    Reason::InvalidRequest,
                    "X-Aileron-Session-Id names another session than the token's",
                )),
                _ => Ok(Some(own)),
            }
        }
    }
}

/// A header that must not appear twice: two readers could pick different ones.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::new(Reason::InvalidRequest, format!("{name} appears twice")));
    }
    first
        .map(|value| {
            value.to_str().map_err(|_| {
                Refusal::new(Reason::InvalidRequest, format!("{name} is not printable ASCII"))
            })
        })
        .transpose()
}

/// The members of a header that is a list.
pub(crate) fn listed<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}
