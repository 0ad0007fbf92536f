use aileron_api::grants::{Grant, GrantRequest, GrantTerms, Grants};
use aileron_contract::{
    Context, Error, Reason, Scope,
    executor::{self, GrantCaller, GrantRule},
    json,
    names::{GrantId, SessionId, Sha256Hash, TokenId},
};
use axum::{Json as Answer, extract::State};
use http::StatusCode;
use serde_json::Value;

use super::not_found;
use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Name, Text, field, optional, time},
    shape,
};

/// What a grant would cover, for a person to look over. Makes none; only a person session may.
#[utoipa::path(
    post,
    path = "/v1/approval-grants/proposal",
    tag = "approvals",
    request_body = GrantRequest,
    responses(
        (status = 200, description = "All that would be agreed to, with its digest", body = GrantTerms),
        (status = 404, description = "No such action, session, token or binding", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The action is disabled or quarantined", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn propose(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Text(body): Text,
) -> Result<Answer<GrantTerms>> {
    let Asked { request, digest: _ } = read(&body)?;
    known(&shared, &context, &request).await?;
    let terms = shared.services.executor.propose_grant(&context, request).await?;
    Ok(Answer(shape::grant_terms(terms)))
}

/// Lets calls run in advance. Only a person session may, with the digest of the proposal.
#[utoipa::path(
    post,
    path = "/v1/approval-grants",
    tag = "approvals",
    request_body = GrantRequest,
    responses(
        (status = 201, description = "Granted", body = Grant),
        (status = 404, description = "No such action, session, token or binding", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The action is disabled or quarantined", body = aileron_api::error::ErrorEnvelope),
        (status = 422, description = "Not what the person saw", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn grant(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Text(body): Text,
) -> Result<(StatusCode, Answer<Grant>)> {
    let Asked { request, digest } = read(&body)?;
    let seen = digest.ok_or_else(|| {
        Error::new(
            Reason::InvalidRequest,
            "digest: send the digest of what the person agreed to, from \
             /v1/approval-grants/proposal",
        )
    })?;
    known(&shared, &context, &request).await?;
    let grant = shared.services.executor.grant(&context, request, seen).await?;
    Ok((StatusCode::CREATED, Answer(shape::grant(grant))))
}

/// Grants, and what became of them. An agent sees those of its own session.
#[utoipa::path(
    get,
    path = "/v1/approval-grants",
    tag = "approvals",
    responses((status = 200, description = "Grants, newest first", body = Grants))
)]
pub(crate) async fn grants(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<Grants>> {
    let items = shared.services.executor.grants(&context).await?;
    Ok(Answer(Grants { items: items.into_iter().map(shape::grant).collect() }))
}

/// Ends a grant. Only a person session may.
#[utoipa::path(
    delete,
    path = "/v1/approval-grants/{id}",
    tag = "approvals",
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "Nothing runs on it any more"),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn revoke_grant(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(id): Name<GrantId>,
) -> Result<StatusCode> {
    shared.services.executor.revoke_grant(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

struct Asked {
    request: executor::GrantRequest,
    digest: Option<Sha256Hash>,
}

/// Read as strictly as a call's arguments: no two readers understand it differently.
fn read(body: &[u8]) -> Result<Asked> {
    let object = Value::Object(json::object(body)?);
    let GrantRequest {
        action_name,
        identity,
        session_id,
        token_id,
        args,
        any,
        left_out,
        max_uses,
        expires_at,
        digest,
    } = serde_json::from_value(object)
        .map_err(|error| Error::new(Reason::InvalidBody, format!("not a grant: {error}")))?;
    let session = optional::<SessionId>("session_id", session_id.as_deref())?;
    let token = optional::<TokenId>("token_id", token_id.as_deref())?;
    let caller = match (session, token) {
        (Some(session), None) => GrantCaller::Session(session),
        (None, Some(token)) => GrantCaller::Token(token),
        (Some(_), Some(_)) | (None, None) => {
            let public = "a grant is for one session_id or for one token_id";
            return Err(Error::new(Reason::InvalidRequest, public).into());
        }
    };
    let pinned = args.into_iter().map(|(name, value)| (name, GrantRule::Exactly(value)));
    let any = any.into_iter().map(|name| (name, GrantRule::Any));
    let left_out = left_out.into_iter().map(|name| (name, GrantRule::LeftOut));
    let request = executor::GrantRequest {
        action: field("action_name", &action_name)?,
        identity: optional("identity", identity.as_deref())?,
        caller,
        arguments: pinned.chain(any).chain(left_out).collect(),
        max_uses,
        expires_at: time("expires_at", &expires_at)?,
    };
    Ok(Asked { request, digest: optional("digest", digest.as_deref())? })
}

/// A grant for a session or a token that is not there would be for nobody: the person is told. The
/// executor does not need to know; it looks at who calls.
async fn known(shared: &Shared, context: &Context, request: &executor::GrantRequest) -> Result<()> {
    // Who may not grant is told so by the executor, and the log of it.
    if !context.principal.is_person() {
        return Ok(());
    }
    let refused = |public: String| Error::new(Reason::InvalidRequest, public);
    match &request.caller {
        GrantCaller::Session(id) => {
            let session = shared.sessions()?.get(context, id.clone()).await?;
            if session.ended_at.is_some() {
                return Err(refused(format!("session_id: the session {id} has ended")).into());
            }
        }
        GrantCaller::Token(id) => {
            let tokens = shared.services.access.tokens(context).await?;
            let Some(token) = tokens.into_iter().find(|token| token.id == id.as_str()) else {
                return Err(not_found("token_id: there is no such token").into());
            };
            if let Some(revoked) = token.revoked_at {
                return Err(refused(format!(
                    "token_id: the token {id} was revoked at {revoked}: mint another one (aileron \
                     token mint) and grant that one the calls"
                ))
                .into());
            }
            if token.expires_at < request.expires_at {
                return Err(refused(format!(
                    "token_id: the token {id} ends at {}, before the grant would: let the grant \
                     end by then (--expires), or mint a token that lasts longer (aileron token \
                     mint --days)",
                    token.expires_at
                ))
                .into());
            }
            if !token.scopes.contains(Scope::ActionsRun) {
                let public =
                    format!("token_id: the token {id} was minted without {}", Scope::ActionsRun);
                return Err(refused(public).into());
            }
        }
    }
    Ok(())
}
