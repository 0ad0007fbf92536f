//! A notes API: `GET /notes`, `POST /notes {title, text}`; 401 without the right bearer key.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::AUTHORIZATION},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The notes, shared by all connections.
#[derive(Clone, Debug)]
pub(super) struct Notes {
    authorization: Arc<str>,
    notes: Arc<Mutex<Vec<Note>>>,
}

#[derive(Clone, Debug, Serialize)]
struct Note {
    id: u64,
    title: String,
    text: String,
}

#[derive(Deserialize)]
struct NewNote {
    title: String,
    text: String,
}

impl Notes {
    pub(super) fn new(key: &str) -> Self {
        let welcome = Note {
            id: 1,
            title: "Welcome".to_owned(),
            text: "This note was here before the agent came.".to_owned(),
        };
        Self {
            authorization: format!("Bearer {key}").into(),
            notes: Arc::new(Mutex::new(vec![welcome])),
        }
    }

    pub(super) fn router(&self) -> Router {
        Router::new()
            .route("/notes", get(list).post(create))
            .layer(middleware::from_fn_with_state(self.clone(), require_key))
            .with_state(self.clone())
    }

    pub(super) fn titles(&self) -> Vec<String> {
        self.locked().iter().map(|note| note.title.clone()).collect()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn require_key(State(notes): State<Notes>, request: Request, next: Next) -> Response {
    let presented = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    if presented == Some(notes.authorization.as_bytes()) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, Json(json!({"error": "a bearer key is needed"}))).into_response()
}

async fn list(State(notes): State<Notes>) -> Response {
    let held = notes.locked().clone();
    Json(json!({ "notes": held })).into_response()
}

async fn create(State(notes): State<Notes>, Json(new): Json<NewNote>) -> Response {
    let mut held = notes.locked();
    let id = held.last().map_or(1, |note| note.id + 1);
    let note = Note { id, title: new.title, text: new.text };
    held.push(note.clone());
    (StatusCode::CREATED, Json(note)).into_response()
}
