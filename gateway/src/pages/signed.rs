//! The person a browser stands for, and the forms only that person's browser can send.

use aileron_contract::{Context, Error, Principal, Reason, Timestamp, access, names::Sha256Hash};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, header, request::Parts};
use maud::html;
use serde::Deserialize;

use super::{
    answer::{Problem, on_to},
    form::Fields,
    frame,
    guard::{self, Asked},
    place::Place,
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
    /// Where its pages are.
    pub(super) place: Place,
    /// The whole address that was asked for, and the path within the place.
    pub(super) here: String,
    pub(super) path: String,
}

/// The part of an address that names something.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

/// The part of an address that is an id.
#[derive(Deserialize)]
pub(super) struct Numbered {
    pub(super) id: String,
}

/// A signed-in person's form, which carries the token of that person's pages.
pub(super) struct Posted {
    pub(super) signed: Signed,
    pub(super) fields: Fields,
}

impl Signed {
    /// Who the cookies stand for at the place that was asked for; none when nobody is signed in
    /// there, or no longer.
    async fn find(
        shared: &Shared,
        headers: &HeaderMap,
        asked: &Asked,
        path: &str,
    ) -> Result<Option<Self>, Problem> {
        let now = (shared.options.clock)();
        let Some(key) = asked.place.key() else { return Ok(None) };
        let known = shared.pages.keep.find(cookies(headers), key, now);
        let Some(known) = known else { return Ok(None) };
        let access::Caller { principal, begun_by: _, scopes, expires_at: _ } =
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
        let context = Context { principal, scopes, ..Context::service(Principal::GATEWAY) };
        Ok(Some(Self {
            context,
            csrf: known.csrf,
            expires_at: known.expires_at,
            cookie: known.cookie,
            place: asked.place.clone(),
            here: asked.whole.clone(),
            path: path.to_owned(),
        }))
    }

    /// After a form: on to a page, which is named as a link names it.
    pub(super) fn on_to(&self, page: &str) -> Response {
        on_to(&self.place.at(page))
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
            place: self.place.clone(),
            here: self.here.clone(),
            path: self.path.clone(),
            csrf: self.csrf.clone(),
            expires_at: self.expires_at,
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
        let Some(asked) = parts.extensions.get::<Asked>() else {
            let error = Error::internal("a page that is not behind the guard");
            return Err(Problem::from(error).into_response());
        };
        match Self::find(shared, &parts.headers, asked, path).await {
            Ok(Some(signed)) => Ok(signed),
            Ok(None) => Err(unsigned(parts, asked)),
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
fn unsigned(parts: &Parts, asked: &Asked) -> Response {
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let inside = asked.place.key().is_some();
    // A browser that comes from another site keeps the cookie back. From our own page it brings
    // it, when it has one.
    let from = guard::fetch(&parts.headers, "site");
    if reads && inside && from.is_some_and(|from| !matches!(from, "same-origin" | "none")) {
        return super::answer::page(frame::bounce(&asked.whole, &html! {}));
    }
    // What a form asked for is not kept: its page is, and it can be sent from there again.
    let rest = parts.uri.path_and_query().map_or("/", |rest| rest.as_str());
    let to = if reads { rest.to_owned() } else { above(parts.uri.path()) };
    // A place where nobody is signed in any more is to be forgotten.
    let over = if inside { "&over=yes" } else { "" };
    on_to(&format!("/sign-in?to={}{over}", encoded(&to)))
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
