//! What every request for the page passes: the page's own name, the browser's word that a form is
//! ours, and what every answer carries.

use aileron_contract::Reason;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use super::{
    answer::{Problem, framed, on_to},
    origin::Origin,
    place::Place,
};
use crate::{Shared, caller::single};

/// The form of `aileron open` is posted from a file, which has no name to show.
pub(crate) const FROM_A_FILE: &str = "/sign-in/code";

/// What whoever looks for the page is told where there is none.
pub(crate) const NO_PAGE: &str =
    "this runtime has no page here: set gateway_url to the address people use";

/// Scripts, styles, pictures, requests and forms of our own, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'self'; \
                      frame-ancestors 'none'";

/// Headers of every answer. The policy on referrers lets none leave the page; with `no-referrer`,
/// browsers would not say where our own forms come from either.
const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
];

pub(super) async fn guarded(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let asked = Asked::read(request.uri());
    let stopped = match &shared.pages.origin {
        Some(origin) => stopped(origin, &request),
        None => Some(refused(Reason::NotFound, NO_PAGE)),
    };
    let place = asked.place.clone();
    let response = match stopped {
        None => {
            request.extensions_mut().insert(asked);
            next.run(request).await
        }
        Some(answer) => answer,
    };
    dressed(framed(response, &place))
}

/// With the headers that every answer of the page carries.
pub(super) fn dressed(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What was asked for, before the router took the place off the address.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) place: Place,
    /// The path and the query.
    pub(super) whole: String,
}

impl Asked {
    fn read(uri: &Uri) -> Self {
        let whole = uri.path_and_query().map_or("/", |whole| whole.as_str()).to_owned();
        Self { place: Place::of_path(uri.path()), whole }
    }
}

/// None goes on; the others are answered at once, with the page's own name or with a refusal.
fn stopped(origin: &Origin, request: &Request) -> Option<Response> {
    let (headers, path) = (request.headers(), request.uri().path());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !origin.is_asked(request.uri(), headers) {
        if reads {
            let rest = request.uri().path_and_query().map_or(path, |rest| rest.as_str());
            return Some(on_to(&format!("{}{rest}", origin.url())));
        }
        return Some(refused(Reason::HostNotAllowed, "forms are taken at the page's own name"));
    }
    let fits = if reads { may_read(headers) } else { may_post(origin, headers, path) };
    if fits {
        return None;
    }
    Some(refused(Reason::OriginNotAllowed, "the request was made by a page of another site"))
}

/// A page of another site may lead here, and may load nothing from here.
fn may_read(headers: &HeaderMap) -> bool {
    match (fetch(headers, "site"), fetch(headers, "mode")) {
        (None | Some("same-origin" | "none"), _) => true,
        (Some(_), mode) => mode == Some("navigate"),
    }
}

/// A form is ours when the browser says so: in `Origin`, or in `Sec-Fetch-Site`; what they say
/// must agree. A request that says neither is no browser's form.
fn may_post(origin: &Origin, headers: &HeaderMap, path: &str) -> bool {
    let Ok(from) = single(headers, &header::ORIGIN) else { return false };
    let site = fetch(headers, "site");
    // The code is the proof: only the person's own command knows one.
    if path == FROM_A_FILE && from == Some("null") {
        return true;
    }
    match (from, site) {
        (Some(from), None | Some("same-origin")) => from.eq_ignore_ascii_case(origin.url()),
        (None, Some("same-origin")) => true,
        _ => false,
    }
}

/// `Sec-Fetch-…`: what the browser says of the request, and no page can change.
pub(super) fn fetch<'h>(headers: &'h HeaderMap, what: &str) -> Option<&'h str> {
    headers.get(format!("sec-fetch-{what}"))?.to_str().ok()
}

fn refused(reason: Reason, public: &str) -> Response {
    Problem::new(reason, public).into_response()
}
