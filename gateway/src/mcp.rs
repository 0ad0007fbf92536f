//! `/mcp`: actions as tools over streamable HTTP. The tools are `aileron_api::mcp`, as in the
//! program `aileron-mcp`; the protocol is `rmcp`'s; here is who may come in, with which session.
//!
//! In come minted tokens and agent sessions. The token in `daemon.json` does not: every program
//! of the machine has it, so that nothing could be bound to it; nor does a person session, which
//! could decide what an agent asks for. Each request shows its token, and a session belongs to the
//! token that began it: to all others it does not exist, and neither do its approvals.

mod contracts;
mod sessions;
mod trace;

use std::{borrow::Cow, sync::Arc};

use aileron_api::mcp::{Options, Server, Written};
use aileron_contract::{Context, Principal, Reason, limits};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::any_service,
};
use http::{HeaderName, Method, header};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde::Deserialize;

use crate::{
    Shared,
    answer::{Refusal, Result},
    caller::{Caller, single},
    input,
    watching::Watch,
};
use contracts::Contracts;
use sessions::Sessions;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// How often a session's tools are looked at for changes, as in the program.
const REFRESH: std::time::Duration = std::time::Duration::from_secs(5);

/// The route; it expects the caller to be proven.
pub(crate) fn route(shared: &Shared) -> Router<Shared> {
    let sessions = Arc::new(Sessions::default());
    let door = Arc::new(Contracts::new(shared.clone()));
    let options = Options {
        version: shared.options.version.clone(),
        refresh: Some(REFRESH),
        tasks: shared.options.tasks.clone(),
    };
    let server = move || Ok(Server::new(Arc::clone(&door), options.clone()));
    // Hosts and origins have been checked for every route.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_max_request_body_bytes(limits::MCP_MESSAGE)
        .with_cancellation_token(shared.options.shutdown.clone());
    let service = StreamableHttpService::new(server, sessions.keeper(), config);
    let guarded = Guarded { shared: shared.clone(), sessions };
    Router::new()
        .route("/mcp", any_service(service))
        .route_layer(middleware::from_fn_with_state(guarded, guard))
}

#[derive(Clone)]
struct Guarded {
    shared: Shared,
    sessions: Arc<Sessions>,
}

/// Lets in whom `/mcp` is for, to the sessions that are theirs.
async fn guard(
    State(guarded): State<Guarded>,
    caller: Option<axum::Extension<Caller>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(axum::Extension(caller)) = caller else {
        // Absent only if the route were mounted outside the guard.
        return Refusal::new(Reason::TokenMissing, "this call needs a bearer token")
            .into_response();
    };
    match guarded.pass(caller, request, next).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

impl Guarded {
    async fn pass(&self, caller: Caller, request: Request, next: Next) -> Result<Response> {
        let owner = owner(&caller.context)?;
        let named = single(request.headers(), &SESSION)?.map(str::to_owned);
        if let Some(session) = &named
            && !self.sessions.belongs(session, &owner).await
        {
            return Err(Refusal::new(
                Reason::NotFound,
                "there is no such MCP session for this token: initialize again",
            ));
        }
        let get = request.method() == Method::GET;
        let (request, begins) = self.read(request).await?;
        // Making room may end another session: not for what begins none.
        let begins = begins && named.is_none();
        let reserved = if begins { Some(self.sessions.reserve(owner).await?) } else { None };
        let response = next.run(request).await;
        if let Some(reserved) = reserved
            && let Some(session) = response.headers().get(SESSION)
            && let Ok(session) = session.to_str()
        {
            reserved.begun(session);
        }
        if get { self.bounded(response, &caller) } else { Ok(response) }
    }

    /// Reads a message and keeps its arguments as they were written; does it ask for a session?
    /// The token goes no further.
    async fn read(&self, request: Request) -> Result<(Request, bool)> {
        let (mut parts, body) = request.into_parts();
        parts.headers.remove(header::AUTHORIZATION);
        if parts.method != Method::POST {
            return Ok((Request::from_parts(parts, body), false));
        }
        let limit = (limits::MCP_MESSAGE, "MCP_MESSAGE");
        let body = input::collect(body, limit, self.shared.options.body_wall).await?;
        let written = Written::read(&body).map_err(|error| {
            Refusal::new(Reason::InvalidBody, format!("the body is no MCP message: {error}"))
        })?;
        let begins = written.is_none() && asks_to_begin(&body);
        if let Some(written) = written {
            parts.extensions.insert(written);
            trace::mark(&mut parts.extensions);
        }
        Ok((Request::from_parts(parts, Body::from(body)), begins))
    }

    /// A stream that waits for what may come ends after a while, or with its token: the client
    /// comes back and shows its token again.
    fn bounded(&self, response: Response, caller: &Caller) -> Result<Response> {
        if !response.status().is_success() {
            return Ok(response);
        }
        let watch =
            Watch::begin(&self.shared, &self.shared.watches, &caller.context, caller.expires_at)?;
        let (parts, body) = response.into_parts();
        Ok(Response::from_parts(parts, Body::from_stream(watch.bound(body.into_data_stream()))))
    }
}

/// Is this the message that begins a session?
fn asks_to_begin(message: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Message<'m> {
        #[serde(borrow)]
        method: Cow<'m, str>,
    }
    serde_json::from_slice::<Message<'_>>(message).is_ok_and(|it| it.method == "initialize")
}

/// Whom a session belongs to.
fn owner(context: &Context) -> Result<Principal> {
    let daemon = matches!(&context.principal, Principal::Program(id) if **id == *Principal::DAEMON);
    match &context.principal {
        Principal::Program(_) if !daemon => Ok(context.principal.clone()),
        Principal::Agent(_) => Ok(context.principal.clone()),
        Principal::Person(_) | Principal::Program(_) | Principal::Service(_) => Err(Refusal::new(
            Reason::ScopeMissing,
            "/mcp takes a minted token (`aileron token mint`) or an agent session's, not the \
                 daemon's own and not a person's",
        )),
    }
}
