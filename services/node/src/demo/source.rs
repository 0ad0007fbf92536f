//! A package source: files at the published GitHub paths.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
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

async fn file(State(Source(files)): State<Source>, uri: Uri) -> Response {
    match files.read().unwrap_or_else(PoisonError::into_inner).get(uri.path()) {
        Some(bytes) => bytes.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
