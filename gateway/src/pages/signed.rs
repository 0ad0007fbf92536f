//! The person a browser stands for, and the forms only that person's browser can send.

use aileron_contract::{
    Context, Principal, Reason, Timestamp, access, names::Sha256Hash, vault::State as VaultState,
};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, header, request::Parts};

use super::{
    answer::{Problem, on_to},
    form::Fields,
    frame, guard,
    text::encoded,
};
use crate::Shared;

/// The cookie of a signed-in browser.
pub(super) const COOKIE: &str = "aileron_page";

/// A signed-in person.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) context: Context,
    /// In every form: no other page can read it.
    pub(super) csrf: String,
    pub(super) expires_at: Timestamp,
    /// Which browser this is.
    pub(super) cookie: Sha256Hash,
    /// The path that was asked for, for the navigation.
    pub(super) path: String,
}

/// A signed-in person's form, which carries the token of that person's pages.
pub(super) struct Posted {
    pub(super) signed: Signed,
    pub(super) fields: Fields,
}

impl Signed {
    /// Who the cookies stand for; none when nobody is signed in, or no longer.
    pub(super) async fn find(
        shared: &Shared,
        headers: &HeaderMap,
        path: &str,
    ) -> Result<Option<Self>, Problem> {
        let now = (shared.options.clock)();
        let Some(known) = shared.pages.keep.find(cookies(headers), now) else { return Ok(None) };
        let access::Caller { principal, scopes, expires_at: _ } =
            match shared.services.access.authenticate(known.bearer).await {
                Ok(caller) => caller,
                // It was ended elsewhere.
                Err(error) if is_over(error.reason()) => {
                    shared.pages.keep.forget(&known.cookie);
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            };
        if !principal.is_person() {
            shared.pages.keep.forget(&known.cookie);
            return Ok(None);
        }
        let context =
            Context { principal, scopes, session: None, idempotency_key: None, deadline: None };
        Ok(Some(Self {
            context,
            csrf: known.csrf,
            expires_at: known.expires_at,
            cookie: known.cookie,
            path: path.to_owned(),
        }))
    }

    /// The id of the person session.
    pub(super) fn session(&self) -> Option<String> {
        match &self.context.principal {
            Principal::Person(id) => Some(id.to_string()),
            _ => None,
        }
    }

    /// What stands around every page: asked for anew, so that it is true.
    pub(super) async fn frame(&self, shared: &Shared) -> Result<frame::Frame, Problem> {
        let vault = shared.services.vault.status(&self.context).await?.state;
        let counts = shared.services.executor.counts(&self.context).await?;
        Ok(frame::Frame {
            path: self.path.clone(),
            csrf: self.csrf.clone(),
            expires_at: self.expires_at,
            unlocked: vault == VaultState::Unlocked,
            vault,
            pending: counts.pending_approvals,
            drift: counts.drift,
        })
    }
}

impl FromRequestParts<Shared> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Response> {
        let path = parts.uri.path();
        match Self::find(shared, &parts.headers, path).await {
            Ok(Some(signed)) => Ok(signed),
            Ok(None) => Err(unsigned(parts)),
            Err(problem) => Err(problem.into_response()),
        }
    }
}

impl FromRequest<Shared> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = Signed::from_request_parts(&mut parts, shared).await?;
        let fields = Fields::read(&parts.headers, body, shared).await;
        let mut fields = fields.map_err(IntoResponse::into_response)?;
        let token = fields.take("csrf").unwrap_or_default();
        if !equal(&token, &signed.csrf) {
            let public = "this form is not one of the page you are signed in to: open the page \
                          again, and send it from there";
            return Err(Problem::new(Reason::OriginNotAllowed, public).into_response());
        }
        Ok(Self { signed, fields })
    }
}

/// The cookies that carry our name.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    /// Some programs plant cookies; nobody has many.
    const LOOKED_AT: usize = 16;
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs =
        values.flat_map(|value| value.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value).take(LOOKED_AT)
}

/// To the sign-in, and back here afterwards.
fn unsigned(parts: &Parts) -> Response {
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let rest = parts.uri.path_and_query().map_or("/", |rest| rest.as_str());
    // A browser that comes from another site keeps the cookie back. From our own page it brings
    // it, when it has one.
    let elsewhere = guard::fetch(&parts.headers, "site").is_some_and(|it| it != "same-origin");
    if reads && elsewhere && guard::fetch(&parts.headers, "site") != Some("none") {
        return super::answer::page(frame::bounce(rest));
    }
    // What a form asked for is not kept: its page is, and it can be sent from there again.
    let to = if reads { rest.to_owned() } else { above(parts.uri.path()) };
    on_to(&format!("/sign-in?to={}", encoded(&to)))
}

/// The page a form stands on.
fn above(path: &str) -> String {
    let first = path.split('/').nth(1).unwrap_or_default();
    format!("/{first}")
}

fn is_over(reason: Reason) -> bool {
    matches!(reason, Reason::TokenInvalid | Reason::TokenExpired | Reason::TokenMissing)
}

/// Compared by their hashes, so that the time it takes says nothing of the text.
fn equal(one: &str, other: &str) -> bool {
    Sha256Hash::of(&[one.as_bytes()]) == Sha256Hash::of(&[other.as_bytes()])
}
