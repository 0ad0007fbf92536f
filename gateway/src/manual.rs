//! The manual: the Markdown below `docs/`, embedded, and served as it is or as plain HTML. An open
//! route: it says nothing about this runtime that its published source does not.

mod render;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};

use crate::{answer::Refusal, caller::listed, tag};

/// Every page: its path below `/docs/`, and its Markdown. Sorted by path.
pub(crate) const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

const STYLE: &str = include_str!("manual/style.css");

const MISSING: &str = "# There is no such page\n\nThe [map](index.md) lists all there are.\n";

/// Text and its style sheet: no script, no frame, no form, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The manual, as HTML; as Markdown with `Accept: text/markdown`.
///
/// Its pages lie below: `/docs/errors/{code}` for every error code, `/docs/failures/{class}` for
/// every failure class of runs. With `.md` at its end an address gives the page's Markdown.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "runtime",
    security(()),
    responses(
        (status = 200, description = "The map of the manual", content(
            (String = "text/html"),
            (String = "text/markdown"),
        )),
        (status = 304, description = "The page is the one that `If-None-Match` names"),
    )
)]
pub(crate) async fn manual(headers: HeaderMap) -> Response {
    page("index", &headers)
}

/// Whatever lies below `/docs/`.
pub(crate) async fn below(uri: Uri, headers: HeaderMap) -> Response {
    match uri.path().strip_prefix("/docs/").unwrap_or_default() {
        "" => page("index", &headers),
        "style.css" => answer(StatusCode::OK, "text/css; charset=utf-8", STYLE, &headers),
        path => page(path, &headers),
    }
}

/// A refusal as a page for people, in the manual's look: what went wrong, its code, and the page
/// about it.
pub(crate) fn refusal(refusal: &Refusal) -> Response {
    let (status, code, message) = refusal.spoken();
    let html = render::refusal(code, message, PAGES);
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (status, head, html).into_response()
}

fn page(path: &str, headers: &HeaderMap) -> Response {
    let (name, raw) = match path.strip_suffix(".md") {
        Some(name) => (name, true),
        None => (path, wants_markdown(headers)),
    };
    let found = PAGES.binary_search_by_key(&name, |(name, _)| *name).ok();
    let found = found.and_then(|index| PAGES.get(index));
    let (status, markdown) =
        found.map_or((StatusCode::NOT_FOUND, MISSING), |(_, text)| (StatusCode::OK, *text));
    if raw {
        return answer(status, "text/markdown; charset=utf-8", markdown, headers);
    }
    // A page that is not there must not bring its name into this one.
    let name = found.map_or("", |(name, _)| *name);
    let html = render::page(name, markdown, PAGES);
    answer(status, "text/html; charset=utf-8", &html, headers)
}

/// Browsers never name Markdown: who does wants it.
fn wants_markdown(headers: &HeaderMap) -> bool {
    listed(headers, &header::ACCEPT)
        .any(|range| range.split(';').next().is_some_and(|media| media.trim() == "text/markdown"))
}

/// The answer with its tag, or word that the asker has it already.
fn answer(status: StatusCode, media: &str, body: &str, headers: &HeaderMap) -> Response {
    let tag = tag::of(body);
    let head = [
        (header::CONTENT_TYPE, media),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept"),
        (header::ETAG, tag.as_str()),
    ];
    if status == StatusCode::OK && tag::is_known(&tag, headers) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (status, head, body.to_owned()).into_response()
}
