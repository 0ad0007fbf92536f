//! What the page answers: HTML, a way on, or a refusal in the page's own look.

use aileron_contract::{Error, Reason};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};

use super::{frame, place::Place, text::shown};
use crate::answer::Refusal;

pub(super) type Result<T, E = Problem> = std::result::Result<T, E>;

/// A page, with the status 200.
pub(super) fn page(markup: Markup) -> Response {
    with_status(StatusCode::OK, markup)
}

/// A page that answers a form which could not be taken.
pub(super) fn with_status(status: StatusCode, markup: Markup) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string())
        .into_response()
}

/// After a form: the browser gets the page it shows next, and a reload repeats nothing.
pub(super) fn on_to(path: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(path) else {
        return Problem::from(Error::internal("an address that is no header")).into_response();
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// A refusal, as a page.
#[derive(Debug)]
pub(crate) struct Problem {
    refusal: Refusal,
    /// Where the person goes on from here: a page and what it is called.
    back: (String, String),
}

impl Problem {
    pub(super) fn new(reason: Reason, public: impl Into<Box<str>>) -> Self {
        Refusal::new(reason, public).into()
    }

    /// Where the person can go on.
    #[must_use]
    pub(super) fn back_to(mut self, path: impl Into<String>, name: impl Into<String>) -> Self {
        self.back = (path.into(), name.into());
        self
    }

    /// The sentence that may be shown.
    pub(super) fn message(&self) -> &str {
        self.refusal.spoken().2
    }

    pub(super) fn status(&self) -> StatusCode {
        self.refusal.spoken().0
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, back: ("./".to_owned(), "Go to the overview".to_owned()) }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Refusal::from(error).into()
    }
}

/// A refusal that has no frame yet: the guard gives it one, because it knows where the browser is.
#[derive(Clone)]
struct Unframed(Markup);

/// Frames a refusal, if this is one.
pub(super) fn framed(response: Response, place: &Place) -> Response {
    let (mut parts, body) = response.into_parts();
    match parts.extensions.remove() {
        Some(Unframed(told)) => {
            with_status(parts.status, frame::bare("That did not work", place, told))
        }
        None => Response::from_parts(parts, body),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.refusal.log();
        let (status, code, message) = self.refusal.spoken();
        let (path, name) = &self.back;
        let told = html! {
            h1 { "That did not work" }
            p { (shown(message)) }
            p.quiet {
                "Error code " code { (code) } ". "
                a href={ "/docs/errors/" (code) } { "What it means, and what to do" } "."
            }
            p { a.button href=(path) { (name) } }
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Unframed(told));
        response
    }
}
