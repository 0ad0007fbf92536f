//! What every request passes before it is routed to a handler, and every response after.

mod addresses;
mod finish;
mod trace;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

pub(crate) use addresses::Addresses;
pub(crate) use finish::finish;
pub(crate) use trace::trace;

use crate::{Shared, answer::Refusal, pages::guard::FROM_A_FILE};
use aileron_contract::{Error, Reason};

/// Refuses requests that were not meant for us or come from another site's page.
pub(crate) async fn addressed(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    // What a file of the person's own posts has no origin to show; the code in it is the proof.
    let from_a_file = request.uri().path() == FROM_A_FILE;
    match shared.addresses.check(request.uri(), request.headers(), from_a_file) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Refuses requests beyond what the runtime can carry at once, rather than letting them wait.
pub(crate) async fn shed(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let Ok(_permit) = shared.requests.try_acquire() else {
        let busy = "too many requests are under way: try again in a moment";
        return Refusal::new(Reason::Busy, busy).into_response();
    };
    next.run(request).await
}

/// A handler that panicked: its bug stays its own, and the caller learns nothing of it.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Refusal::from(Error::internal("a handler panicked")).into_response()
}
