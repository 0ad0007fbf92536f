//! The questions we ask a provider, in the words of RFC 6749, 7009, 7636 and 8628.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use aileron_contract::{
    bindings::Purpose,
    credential::{Endpoint, Oauth2Client},
    names::{BindingName, HostPort},
};
use http::{HeaderValue, Request, Response, header};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    DeviceAuthorizationUrl, EmptyExtraTokenFields, EndpointNotSet, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, RevocableToken, Scope,
    StandardDeviceAuthorizationResponse, StandardTokenIntrospectionResponse, TokenUrl,
    basic::BasicTokenType,
};
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use super::{
    answer::{Answer, Refusal},
    grant::Grant,
    trouble::Trouble,
};
use crate::egress::{Network, provider::Line};

/// Asks providers.
pub(crate) struct Provider {
    pub(crate) network: Arc<Network>,
    /// How long one question may take.
    pub(crate) wall: Duration,
}

/// In whose name a provider is asked, and which private hosts were consented to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct For<'a> {
    pub(crate) binding: &'a BindingName,
    pub(crate) hosts: &'a [HostPort],
}

/// What came back from the browser, and what proves that it was ours.
#[derive(Clone, Copy)]
pub(crate) struct Returned<'a> {
    pub(crate) code: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect_uri: &'a RedirectUrl,
}

/// The library's client over our reading of answers. Revocation asks for itself: the library
/// revokes over https only, and a test's provider is on loopback.
type Library = Client<
    Refusal,
    Answer,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    Nothing,
    Refusal,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    oauth2::EndpointSet,
>;

/// Where the person is sent, with everything the provider needs to know.
pub(crate) fn authorize_url(
    client: &Oauth2Client,
    redirect_uri: &RedirectUrl,
    state: &str,
    verifier: &str,
    purpose: Purpose,
) -> String {
    let verifier = PkceCodeVerifier::new(verifier.to_owned());
    let library = library(client.client_id(), client.client_secret(), &client.token_url)
        .set_auth_uri(AuthUrl::from_url(client.authorize_url.url().clone()));
    let mut request = library
        .authorize_url(|| CsrfToken::new(state.to_owned()))
        .set_redirect_uri(std::borrow::Cow::Borrowed(redirect_uri))
        .add_scopes(client.scopes().iter().cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_extra_param("access_type", "offline");
    if purpose == Purpose::Reauthorize {
        request = request.add_extra_param("prompt", "consent");
    }
    request.url().0.into()
}

impl Provider {
    /// Trades a code for tokens.
    pub(crate) async fn exchange(
        &self,
        asker: For<'_>,
        client: &Oauth2Client,
        back: Returned<'_>,
    ) -> Result<Answer, Trouble> {
        let line = self.line(asker);
        let library = library(client.client_id(), client.client_secret(), &client.token_url)
            .set_redirect_uri(back.redirect_uri.clone());
        let answer = library
            .exchange_code(AuthorizationCode::new(back.code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(back.verifier.to_owned()))
            .request_async(&line)
            .await;
        answer.map_err(|error| trouble(&line, error))
    }

    /// Trades a refresh token for new tokens.
    pub(crate) async fn refresh(
        &self,
        asker: For<'_>,
        grant: &Grant,
        refresh_token: &str,
    ) -> Result<Answer, Trouble> {
        let line = self.line(asker);
        let url: Endpoint =
            grant.token_url().parse().map_err(|_| Trouble::Misplaced("its token URL"))?;
        let library = library(grant.client_id(), grant.client_secret(), &url);
        let token = RefreshToken::new(refresh_token.to_owned());
        let answer = library.exchange_refresh_token(&token).request_async(&line).await;
        answer.map_err(|error| trouble(&line, error))
    }

    /// Asks for a code that a person enters elsewhere.
    pub(crate) async fn device(
        &self,
        asker: For<'_>,
        client: &Oauth2Client,
        url: &Endpoint,
    ) -> Result<StandardDeviceAuthorizationResponse, Trouble> {
        let line = self.line(asker);
        let library = library(client.client_id(), client.client_secret(), &client.token_url)
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(url.url().clone()));
        let answer = library
            .exchange_device_code()
            .add_scopes(client.scopes().iter().cloned().map(Scope::new))
            .request_async(&line)
            .await;
        answer.map_err(|error| trouble(&line, error))
    }

    /// Asks once whether that person has answered: the caller paces itself, where the library
    /// would sleep in here.
    pub(crate) async fn poll(
        &self,
        asker: For<'_>,
        client: &Oauth2Client,
        device_code: &str,
    ) -> Result<Answer, Trouble> {
        let line = self.line(asker);
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let form = [("grant_type", grant), ("device_code", device_code)];
        let credentials = (client.client_id(), client.client_secret());
        let answer = form_to(&line, client.token_url.url(), credentials, &form).await?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(Trouble::refused(status, answer.body()));
        }
        serde_json::from_slice(answer.body()).map_err(|_| Trouble::refused(status, answer.body()))
    }

    /// Gives the grant back: the refresh token, with which all access tokens end, or else the
    /// access token.
    pub(crate) async fn revoke(&self, asker: For<'_>, grant: &Grant) -> Result<(), Trouble> {
        let line = self.line(asker);
        let url: Endpoint = grant
            .revocation_url()
            .and_then(|url| url.parse().ok())
            .ok_or(Trouble::Misplaced("its revocation URL"))?;
        let (token, hint) = match grant.refresh_token() {
            Some(token) => (token, "refresh_token"),
            None => (grant.access_token(), "access_token"),
        };
        let form = [("token", token), ("token_type_hint", hint)];
        let credentials = (grant.client_id(), grant.client_secret());
        let answer = form_to(&line, url.url(), credentials, &form).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status => Err(Trouble::refused(status, answer.body())),
        }
    }

    fn line<'a>(&'a self, asker: For<'a>) -> Line<'a> {
        Line {
            network: &self.network,
            binding: asker.binding,
            hosts: asker.hosts,
            deadline: Instant::now() + self.wall,
            status: AtomicU16::new(0),
        }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("wall", &self.wall).finish_non_exhaustive()
    }
}

/// No token is revoked through the library.
#[derive(Debug)]
pub(crate) struct Nothing;

impl RevocableToken for Nothing {
    fn secret(&self) -> &'static str {
        ""
    }

    fn type_hint(&self) -> Option<&str> {
        None
    }
}

/// As published, the client names itself in the form, not in a header.
fn library(id: &str, secret: Option<&str>, token_url: &Endpoint) -> Library {
    let client = Client::new(ClientId::new(id.to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::from_url(token_url.url().clone()));
    match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_owned())),
        None => client,
    }
}

async fn form_to(
    line: &Line<'_>,
    url: &Url,
    (id, secret): (&str, Option<&str>),
    fields: &[(&str, &str)],
) -> Result<Response<Vec<u8>>, Trouble> {
    let fields = fields.iter().copied().chain([("client_id", id)]);
    let fields = fields.chain(secret.map(|secret| ("client_secret", secret)));
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = Request::post(url.as_str())
        .body(form.into_bytes())
        .map_err(|_| Trouble::Misplaced("its URL"))?;
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(header::CONTENT_TYPE, form);
    line.ask(request).await.map_err(Trouble::from)
}

/// Status and code; nothing else of what a provider wrote goes further.
fn trouble(
    line: &Line<'_>,
    error: RequestTokenError<crate::egress::provider::Lost, Refusal>,
) -> Trouble {
    let status = line.status.load(Ordering::Relaxed);
    match error {
        RequestTokenError::Request(lost) => lost.into(),
        RequestTokenError::ServerResponse(refusal) => {
            Trouble::Refused { status, code: refusal.code() }
        }
        RequestTokenError::Parse(_, body) => Trouble::refused(status, &body),
        RequestTokenError::Other(_) => Trouble::Refused { status, code: None },
    }
}
