//! A package source: files at the published GitHub paths, and the listing of their releases.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use aileron_contract::names::Sha256Hash;
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;

/// The files, by path exactly as escaped in a request.
#[derive(Clone, Debug)]
pub(super) struct Source(Arc<RwLock<BTreeMap<String, Bytes>>>);

impl Source {
    pub(super) fn new(files: BTreeMap<String, Bytes>) -> Self {
        Self(Arc::new(RwLock::new(files)))
    }

    pub(super) fn publish(&self, path: String, bytes: Bytes) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(path, bytes);
    }

    pub(super) fn router(&self) -> Router {
        Router::new().fallback(file).with_state(self.clone())
    }
}

async fn file(State(Source(files)): State<Source>, uri: Uri, headers: HeaderMap) -> Response {
    let files = files.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = files.get(uri.path()) {
        return bytes.clone().into_response();
    }
    releases(&files, &uri, &headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// A page of the releases of a repository that has some, as the API lists them.
fn releases(files: &BTreeMap<String, Bytes>, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    let repository = uri.path().strip_prefix("/api/v3/repos")?.strip_suffix("/releases")?;
    let below = format!("{repository}/releases/download/");
    let tag = |path: &String| {
        let tag = path.strip_prefix(&below)?.strip_suffix("/aileron.tar.gz")?;
        Some(serde_json::json!({ "tag_name": tag.replace("%2F", "/"), "draft": false }))
    };
    let all: Vec<_> = files.keys().filter_map(tag).collect();
    if all.is_empty() {
        return None;
    }
    let asked = |name: &str| -> Option<usize> {
        uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name))?.parse().ok()
    };
    let size = asked("per_page=").unwrap_or(30).clamp(1, 100);
    let page = asked("page=").unwrap_or(1).max(1);
    let shown: Vec<_> = all.iter().skip(size.saturating_mul(page - 1)).take(size).collect();
    let etag = format!("\"{}\"", Sha256Hash::of(&[format!("{all:?}").as_bytes()]).hex());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Some(StatusCode::NOT_MODIFIED.into_response());
    }
    let last = all.len().div_ceil(size);
    let links = if page < last {
        format!("<?page={}>; rel=\"next\", <?page={last}>; rel=\"last\"", page + 1)
    } else {
        "<?page=1>; rel=\"first\"".to_owned()
    };
    Some(([(header::ETAG, etag), (header::LINK, links)], Json(shown)).into_response())
}
