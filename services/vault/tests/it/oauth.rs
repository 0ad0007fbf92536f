//! OAuth bindings against npm `oidc-provider`, which nobody here wrote.

mod browser;
mod crash;
mod device;
mod hostile;
mod provider;
mod published;
mod refresh;
mod setup;

use std::time::Duration;

use aileron_contract::{
    bindings::{Begin, Begun, Binding, BindingFilter, Caller, Consent, Finish, Purpose},
    credential::{Form, Oauth2Client, Reach},
    egress::{CredentialUse, Outcome, Request},
    failure::Failure,
    vault::EntryFilter,
};
use bytes::Bytes;
use futures::StreamExt as _;

use crate::house::{House, consent, hosts_of, secret, service};
use browser::Browser;
use provider::Provider;

pub(crate) const CONNECTOR: &str = "github://acme/notes";
pub(crate) const NAME: &str = "oauth2/notes/me";

/// What a person agrees to: the token goes to the provider's own host, where its API is, too.
pub(crate) fn agreed(provider: &Provider) -> Consent {
    let mut consent = consent(CONNECTOR, "me", &[]);
    consent.reach = Reach { hosts: hosts_of(&[provider.host().as_str()]), form: Form::Oauth2 };
    consent.account = Some("me@example.com".to_owned());
    consent
}

pub(crate) fn client(provider: &Provider) -> Oauth2Client {
    client_with(provider, "public", &["openid", "offline_access", "notes:read"])
}

pub(crate) fn client_with(provider: &Provider, id: &str, scopes: &[&str]) -> Oauth2Client {
    let at = |path: &str| provider.url(path).parse().unwrap();
    let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    let mut client = Oauth2Client::new(at("/auth"), at("/token"), id, scopes).unwrap();
    client.device_authorization_url = Some(at("/device/auth"));
    client.revocation_url = Some(at("/token/revocation"));
    client
}

pub(crate) fn beginning(provider: &Provider) -> Begin {
    Begin {
        consent: agreed(provider),
        client: client(provider),
        purpose: Purpose::Setup,
        caller: Caller::Cli { port: 45_451 },
    }
}

/// What came back with the redirect.
pub(crate) fn returned(url: &str, key: &str) -> Option<String> {
    let url: url::Url = url.parse().unwrap();
    url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
}

/// The person's part, and the command line's.
pub(crate) async fn finished(house: &House, begun: Begun) -> aileron_contract::Result<Binding> {
    let back = Browser::default().consents(&begun.authorize_url, &begun.redirect_uri).await;
    let finish = Finish {
        session: begun.session,
        state: secret(&returned(&back, "state").unwrap()),
        code: secret(&returned(&back, "code").unwrap()),
        issuer: returned(&back, "iss"),
    };
    house.service.bindings().finish(&service(), finish).await.map(|finished| finished.binding)
}

/// A vault with one binding.
pub(crate) async fn bound(provider: &Provider) -> House {
    let house = House::with_vault().await;
    let begun = house.service.bindings().begin(&service(), beginning(provider)).await.unwrap();
    finished(&house, begun).await.unwrap();
    house.log.take();
    house
}

pub(crate) fn request(provider: &Provider, method: &str, path: &str) -> Request {
    request_at(&provider.host(), method, path)
}

/// The same for a provider of which only the place is known.
pub(crate) fn request_at(host: &str, method: &str, path: &str) -> Request {
    Request {
        connector: CONNECTOR.parse().unwrap(),
        allowed: hosts_of(&[host]),
        credential: Some(CredentialUse { form: Form::Oauth2, binding: None }),
        method: method.to_owned(),
        url: format!("http://{host}{path}"),
        headers: Vec::new(),
        body: Bytes::new(),
        idempotent: false,
        max_response: 1024 * 1024,
        timeout: Duration::from_secs(30),
    }
}

/// The status and body of a call, or its failure.
pub(crate) async fn called(house: &House, request: Request) -> Result<(u16, String), Failure> {
    match house.service.egress().send(&service(), request).await.unwrap() {
        Outcome::Failed(failed) => Err(failed.failure),
        Outcome::Answered(mut response) => {
            let mut body = Vec::new();
            while let Some(part) = response.body.next().await {
                body.extend_from_slice(&part.unwrap());
            }
            Ok((response.status, String::from_utf8(body).unwrap()))
        }
    }
}

pub(crate) async fn get(house: &House, provider: &Provider) -> Result<u16, Failure> {
    called(house, request(provider, "GET", "/api")).await.map(|(status, _)| status)
}

pub(crate) async fn binding(house: &House) -> Binding {
    let filter = BindingFilter::default();
    house.service.bindings().list(&service(), filter).await.unwrap().remove(0)
}

pub(crate) async fn label(house: &House, key: &str) -> Option<String> {
    let entries = house.service.vault().entries(&service(), EntryFilter::default()).await.unwrap();
    let entry = entries.into_iter().find(|entry| entry.path.as_str() == NAME)?;
    entry.labels.get(key).cloned()
}
