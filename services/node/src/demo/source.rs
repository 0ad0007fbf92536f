//! A package source: fixed files at the published GitHub paths.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;

/// Serves each file at its path exactly as escaped in the request.
pub(super) fn router(files: BTreeMap<String, Bytes>) -> Router {
    Router::new().fallback(file).with_state(Arc::new(files))
}

async fn file(State(files): State<Arc<BTreeMap<String, Bytes>>>, uri: Uri) -> Response {
    match files.get(uri.path()) {
        Some(bytes) => bytes.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
