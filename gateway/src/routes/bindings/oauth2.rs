//! Setups at a provider. What a browser brings back arrives here without a token: `state` and the
//! cookie of the browser that began are all it has, and the vault checks both.

use aileron_api::{
    bindings::Binding,
    oauth2::{
        Begun, Callback, Caller as Catcher, DeviceBegun, Finish, Init, Poll, Polled, Purpose,
        Wanted,
    },
};
use aileron_contract::{
    Context, Error, Principal, Reason, Scopes,
    bindings::{self, Consent},
    credential::Oauth2Client,
};
use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

use crate::{
    Shared,
    answer::{Refusal, Result},
    caller::{Caller, single},
    declared::{Called, Declared, Seen},
    input::{Filter, Json, field, secret},
    manual,
    oauth_cookie::{CALLBACK, SetupCookie},
    pages::provider::Setup,
    shape,
};

/// Prepares a setup at the connector's provider and says where to send the person.
#[utoipa::path(
    post,
    path = "/v1/bindings/setup/oauth2/init",
    tag = "bindings",
    request_body = Init,
    responses(
        (status = 200, description = "Begun. With the caller `daemon` the answer sets a cookie for the callback", body = Begun),
        (status = 404, description = "The connector is not installed, or there is no binding to authorize again", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The binding exists, or the connector declares something else than the person saw", body = aileron_api::error::ErrorEnvelope),
        (status = 422, description = "The connector takes a credential of another kind, named in `details`", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn init(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    headers: HeaderMap,
    Json(Init { wanted, caller, return_to }): Json<Init>,
) -> Result<Response> {
    let (consent, client, purpose) = planned(&shared, &context, wanted).await?;
    let caller = match caller {
        Catcher::Cli => bindings::Caller::Cli { port: free_port().await? },
        Catcher::Daemon => bindings::Caller::Daemon {
            callback_url: format!("{}{CALLBACK}", own_address(&shared, &headers)?),
            return_to: return_to.ok_or_else(|| {
                Refusal::new(Reason::InvalidReturnTo, "return_to: where should the browser go?")
            })?,
        },
    };
    let setup = bindings::Begin { consent, client, purpose, caller };
    let begun = shared.services.bindings.begin(&context, setup).await?;
    let bindings::Begun { session, authorize_url, redirect_uri, browser_cookie, expires_at: _ } =
        begun;
    let cookie = SetupCookie::of_url(&authorize_url)?;
    let session_id = shape::shown_once(&session)?;
    let body = Begun { session_id, authorize_url, redirect_uri: redirect_uri.clone() };
    let mut response = Answer(body).into_response();
    if let Some(value) = browser_cookie {
        cookie.give(&mut response, &value, &redirect_uri)?;
    }
    Ok(response)
}

/// Ends a setup whose redirect the caller caught: trades the code for tokens and stores them.
#[utoipa::path(
    post,
    path = "/v1/bindings/setup/oauth2/finish",
    tag = "bindings",
    request_body = Finish,
    responses(
        (status = 200, description = "Authorized again", body = Binding),
        (status = 201, description = "Bound", body = Binding),
        (status = 404, description = "No such setup waits", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The binding exists", body = aileron_api::error::ErrorEnvelope),
        (status = 422, description = "The provider gave no tokens", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn finish(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(Finish { session_id, code, state, iss }): Json<Finish>,
) -> Result<(StatusCode, Answer<Binding>)> {
    let finish = bindings::Finish {
        session: secret(session_id),
        state: secret(state),
        code: secret(code),
        issuer: iss,
    };
    let bindings::Finished { binding, purpose } =
        shared.services.bindings.finish(&context, finish).await?;
    let status = match purpose {
        bindings::Purpose::Setup => StatusCode::CREATED,
        bindings::Purpose::Reauthorize => StatusCode::OK,
    };
    Ok((status, Answer(shape::binding(binding))))
}

/// Where a provider sends the browser of a setup with the caller `daemon`.
///
/// Errors are pages for people; each names its code.
#[utoipa::path(
    get,
    path = "/v1/bindings/setup/oauth2/callback",
    tag = "bindings",
    security(()),
    params(Callback),
    responses(
        (status = 303, description = "Bound: on to `return_to`, with `#aileron_oauth=ok&binding=…`"),
        (status = 400, description = "The provider said no, or the answer cannot be understood", body = String, content_type = "text/html"),
        (status = 403, description = "Another browser began this setup", body = String, content_type = "text/html"),
        (status = 404, description = "No such setup waits", body = String, content_type = "text/html"),
        (status = 409, description = "The binding exists", body = String, content_type = "text/html"),
        (status = 422, description = "The provider gave no tokens", body = String, content_type = "text/html"),
        (status = 423, description = "The vault is locked", body = String, content_type = "text/html"),
    )
)]
pub(crate) async fn callback(
    State(shared): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
    query: Result<Filter<Callback>>,
) -> Response {
    let arrival = match query {
        Ok(Filter(arrival)) => arrival,
        Err(refusal) => return manual::refusal(&refusal),
    };
    let cookie = SetupCookie::of_state(&secret(arrival.state.clone()));
    let Some(setup) = shared.pages.setups.find(cookie.name(), (shared.options.clock)()) else {
        let answer = landed(&shared, &headers, &cookie, arrival).await.and_then(returned);
        return answer.map_or_else(|refusal| manual::refusal(&refusal), |it| spent(it, &cookie));
    };
    if let Some(detour) = Setup::detour(&shared, &uri, &headers) {
        return detour;
    }
    match landed(&shared, &headers, &cookie, arrival).await {
        Ok(landed) => spent(setup.bound(&landed.binding.name), &cookie),
        Err(refusal) => setup.refused(refusal),
    }
}

/// Begins a setup that the person answers on another machine (RFC 8628).
#[utoipa::path(
    post,
    path = "/v1/bindings/setup/oauth2/device",
    tag = "bindings",
    request_body = Wanted,
    responses(
        (status = 200, description = "Begun: what the person needs", body = DeviceBegun),
        (status = 404, description = "The connector is not installed, or there is no binding to authorize again", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The binding exists, or the connector declares something else than the person saw", body = aileron_api::error::ErrorEnvelope),
        (status = 422, description = "The provider did not begin, or the connector takes another kind", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn device(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(wanted): Json<Wanted>,
) -> Result<Answer<DeviceBegun>> {
    let (consent, client, purpose) = planned(&shared, &context, wanted).await?;
    let setup = bindings::BeginDevice { consent, client, purpose };
    let begun = shared.services.bindings.begin_device(&context, setup).await?;
    let bindings::DeviceBegun {
        session,
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_at,
        interval,
    } = begun;
    Ok(Answer(DeviceBegun {
        session_id: shape::shown_once(&session)?,
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_at: expires_at.to_string(),
        interval: shape::seconds(interval),
    }))
}

/// Has the person answered? The provider is asked at its own pace, however often this is called.
#[utoipa::path(
    post,
    path = "/v1/bindings/setup/oauth2/device/poll",
    tag = "bindings",
    request_body = Poll,
    responses(
        (status = 200, description = "How far it is", body = Polled),
        (status = 404, description = "No such setup waits", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "The binding exists", body = aileron_api::error::ErrorEnvelope),
        (status = 422, description = "The provider gave no tokens", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn poll(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(Poll { session_id }): Json<Poll>,
) -> Result<Answer<Polled>> {
    let poll = shared.services.bindings.poll_device(&context, secret(session_id)).await?;
    Ok(Answer(shape::polled(poll)))
}

/// The consent and the client of what is wanted, from what the executor says is installed.
async fn planned(
    shared: &Shared,
    context: &Context,
    wanted: Wanted,
) -> Result<(Consent, Oauth2Client, bindings::Purpose)> {
    let Wanted { connector_fqn, identity, service, account, purpose, hosts, scopes } = wanted;
    let seen = Seen { hosts: hosts.as_deref(), scopes: scopes.as_deref() };
    let fqn = field("connector_fqn", &connector_fqn)?;
    let declared = Declared::read(shared, context, fqn, seen).await?;
    let client = declared.client()?;
    let consent = declared.consent(Called { identity, service, account })?;
    let purpose = match purpose {
        Purpose::Setup => bindings::Purpose::Setup,
        Purpose::Reauthorize => bindings::Purpose::Reauthorize,
    };
    Ok((consent, client, purpose))
}

async fn landed(
    shared: &Shared,
    headers: &HeaderMap,
    cookie: &SetupCookie,
    arrival: Callback,
) -> Result<bindings::Landed> {
    let Callback { code, state, iss, error, error_description: _ } = arrival;
    let answer = match (error, code) {
        (Some(error), _) => bindings::Answer::Refused(error),
        (None, Some(code)) => bindings::Answer::Code(secret(code)),
        (None, None) => {
            let public = "the provider sent neither a code nor an error: begin again";
            return Err(Refusal::new(Reason::InvalidRequest, public));
        }
    };
    let cookie = cookie.find(headers);
    let callback = bindings::Callback { state: secret(state), answer, cookie, issuer: iss };
    // Nobody is known to call: the setup carries the rights of whoever began it.
    let context = Context { scopes: Scopes::default(), ..Context::service(Principal::GATEWAY) };
    Ok(shared.services.bindings.callback(&context, callback).await?)
}

/// To where the setup's caller wanted its browser.
fn returned(landed: bindings::Landed) -> Result<Response> {
    let bindings::Landed { return_to, binding } = landed;
    let to = format!("{return_to}#aileron_oauth=ok&binding={}", binding.name);
    let to = HeaderValue::from_str(&to).map_err(Error::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

/// The setup is over, and so is its cookie.
fn spent(mut response: Response, cookie: &SetupCookie) -> Response {
    match cookie.end(&mut response) {
        Ok(()) => response,
        Err(error) => manual::refusal(&error.into()),
    }
}

/// A port of this machine that nobody has: as published, the daemon picks it and the command line
/// takes it. Whoever finds it taken meanwhile begins again.
async fn free_port() -> Result<u16> {
    let listener =
        tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::internal)?;
    Ok(listener.local_addr().map_err(Error::internal)?.port())
}

/// How the browser that begins reaches us: the cookie it gets comes back to no other name.
fn own_address(shared: &Shared, headers: &HeaderMap) -> Result<String> {
    if let Some(url) = &shared.options.gateway_url {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let host = single(headers, &header::HOST)?
        .ok_or_else(|| Refusal::new(Reason::HostNotAllowed, "the request names no host"))?;
    Ok(format!("http://{host}"))
}
