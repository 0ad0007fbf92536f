//! The one style sheet, the one script and the icon: ours, from within the program.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::tag;

pub(super) const STYLE: &str = "/page/style.css";
pub(super) const SCRIPT: &str = "/page/script.js";
pub(super) const ICON: &str = "/page/icon.svg";

pub(super) async fn style(headers: HeaderMap) -> Response {
    file("text/css; charset=utf-8", include_str!("style.css"), &headers)
}

pub(super) async fn script(headers: HeaderMap) -> Response {
    file("text/javascript; charset=utf-8", include_str!("script.js"), &headers)
}

pub(super) async fn icon(headers: HeaderMap) -> Response {
    file("image/svg+xml", include_str!("icon.svg"), &headers)
}

/// The file, or word that the browser has it.
fn file(media: &str, body: &'static str, headers: &HeaderMap) -> Response {
    let tag = tag::of(body);
    let head =
        [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "no-cache"), (header::ETAG, &tag)];
    if tag::is_known(&tag, headers) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, body).into_response()
}
