//! One-time codes that sign the person's browser in to the web page.

use aileron_api::page::{PageCode, PageCodeState};
use aileron_contract::Reason;
use axum::{Json as Answer, extract::State};
use http::{HeaderMap, StatusCode};

use crate::{
    Shared,
    answer::{Refusal, Result},
    caller::{self, Caller},
    input::Id,
    pages::{
        guard::NO_PAGE,
        keep::{Standing, Ticket},
    },
    refusals::Refused,
    shape,
};

/// Makes a code that signs a browser in to the web page as this person session, once and soon.
/// Only a person session may: whoever has the code is the person.
#[utoipa::path(
    post,
    path = "/v1/page-codes",
    tag = "access",
    responses(
        (status = 201, description = "The code is shown once: it goes into a form's body, never into an address", body = PageCode),
        (status = 403, description = "No person asks", body = aileron_api::error::ErrorEnvelope),
        (status = 404, description = "The page is not served here", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn issue(
    State(shared): State<Shared>,
    Caller { context, expires_at }: Caller,
    headers: HeaderMap,
) -> Result<(StatusCode, Answer<PageCode>)> {
    let (true, Some(ends)) = (context.principal.is_person(), expires_at) else {
        // Whoever had one could decide: the person should know who asked.
        shared.refusals.tell(&context, Refused::Asked).await?;
        let public = "signing a browser in is for a person session, opened with the passphrase";
        return Err(Refusal::new(Reason::PersonRequired, public));
    };
    let origin = shared.pages.origin.as_ref().ok_or_else(|| super::not_found(NO_PAGE))?;
    let now = (shared.options.clock)();
    let Ticket { id, code, expires_at } =
        shared.pages.keep.issue(caller::bearer(&headers)?, ends, now)?;
    Ok((
        StatusCode::CREATED,
        Answer(PageCode {
            id,
            code: shape::shown_once(&code)?,
            page_url: origin.url().to_owned(),
            expires_at: expires_at.to_string(),
        }),
    ))
}

/// Was the code used? Whoever wrote it into a file learns when the file can go.
#[utoipa::path(
    get,
    path = "/v1/page-codes/{id}",
    tag = "access",
    params(("id" = String, Path)),
    responses((status = 200, description = "How far it is", body = PageCodeState))
)]
pub(crate) async fn standing(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Id(id): Id,
) -> Result<Answer<PageCodeState>> {
    let standing = shared.pages.keep.standing(&id, (shared.options.clock)());
    // That one has ended the session of whoever asked for it, who should know all the same.
    if !context.principal.is_person() && standing != Standing::Replayed {
        let public = "codes of the page are a person session's";
        return Err(Refusal::new(Reason::PersonRequired, public));
    }
    let state = match standing {
        Standing::Waiting => "waiting",
        Standing::Used => "used",
        Standing::Replayed => "replayed",
        Standing::Gone => "gone",
    };
    Ok(Answer(PageCodeState { state: state.to_owned() }))
}
