//! Who answers a connector on trial: a recording, or a server that stands in for the real hosts.
//!
//! Requests to a server take the runtime's own way out: a vault of their own, made for the trial
//! and thrown away after it, whose one credential is none.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use aileron_contract::{
    Context, Error, Reason, Result, Secret,
    bindings::Consent,
    credential::{Form, HeaderTemplate, Reach},
    egress::{CredentialUse, Outcome, Request},
    failure::{Boundary, Class, Failure},
    limits,
    names::{Fqn, HostPort, Identity},
};
use aileron_executor::formats::manifest::Manifest;
use aileron_store::{Database, Location};
use aileron_wasmhost::{GuestRequest, GuestResponse, Network};
use async_trait::async_trait;
use futures::StreamExt as _;
use url::Url;

use super::recording::Exchange;

/// What stands where a credential would.
const CREDENTIAL: &str = "aileron-test-credential";

/// Answers from a recording; each of its exchanges once.
pub(super) struct Replayed {
    manifest: Manifest,
    left: Mutex<Vec<Exchange>>,
    asked: Mutex<Vec<Exchange>>,
}

/// Sends requests to a server.
pub(super) struct Door {
    manifest: Manifest,
    server: Url,
    host: HostPort,
    form: Option<Form>,
    vault: aileron_vault::Service,
    audit: aileron_audit::Service,
    asked: Mutex<Vec<Exchange>>,
}

impl Replayed {
    pub(super) fn new(manifest: Manifest, exchanges: Vec<Exchange>) -> Self {
        Self { manifest, left: Mutex::new(exchanges), asked: Mutex::default() }
    }

    pub(super) fn asked(&self) -> Vec<Exchange> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn answer(&self, request: &GuestRequest) -> Result<GuestResponse, Failure> {
        allowed(&self.manifest, request)?;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = left.iter().position(|it| it.answers(request)).map(|at| left.remove(at));
        let answer = recorded.and_then(|it| it.answer).and_then(|it| it.response());
        answer.ok_or_else(|| {
            network(format!(
                "nothing answers {} {}: give a server with --server, or a recording that has it \
                 with --replay",
                request.method, request.url
            ))
        })
    }
}

#[async_trait]
impl Network for Replayed {
    async fn http(&self, request: GuestRequest) -> Result<GuestResponse, Failure> {
        let answer = self.answer(&request);
        let exchange = Exchange::new(&request, answer.as_ref().ok());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        answer
    }
}

impl Door {
    /// Prepares the way out in the folder `scratch`.
    pub(super) async fn open(manifest: Manifest, server: &str, scratch: &Path) -> Result<Self> {
        let (server, host) = origin(server)?;
        let audit = aileron_audit::Service::open(aileron_audit::Options {
            home: scratch.to_owned(),
            origin: crate::config::AUDIT_ORIGIN.to_owned(),
            database: None,
            clock: crate::services::now,
        })
        .await?;
        let database = Database::open(Location::File(scratch.join("state.db")), &[]).await?;
        let vault = aileron_vault::Service::open(aileron_vault::Options {
            home: scratch.to_owned(),
            database,
            audit: audit.audit(),
            daemon_token: None,
            // Nothing in it is worth guessing.
            kdf: aileron_vault::Kdf { memory_kib: 8, passes: 1, lanes: 1 },
            egress: aileron_vault::egress::Options {
                extra_roots: Vec::new(),
                private_hosts: Vec::new(),
                stored: Vec::new(),
            },
            idle_lock: None,
            clock: crate::services::now,
        })
        .await?;
        let context = Context::service("author");
        let passphrase = hex::encode(crate::services::random::<16>()?);
        vault.vault().create(&context, Secret::from(passphrase)).await?;
        let form = manifest.need().map(|need| standing_in(&need.form)).transpose()?;
        if let Some(form) = &form {
            let reach = Reach { hosts: vec![host.clone()], form: form.clone() };
            let consent = given(manifest.package.fqn.clone(), reach)?;
            let value = if matches!(form, Form::Basic) { "trial:" } else { "" };
            let value = Secret::from(format!("{value}{CREDENTIAL}"));
            vault.bindings().bind(&context, consent, value).await?;
        }
        Ok(Self { manifest, server, host, form, vault, audit, asked: Mutex::default() })
    }

    pub(super) fn asked(&self) -> Vec<Exchange> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn close(&self) {
        self.vault.shutdown().await;
        self.audit.shutdown().await;
    }

    async fn answer(&self, request: &GuestRequest) -> Result<GuestResponse, Failure> {
        let mut url = allowed(&self.manifest, request)?;
        let moved = url.set_scheme(self.server.scheme()).is_ok()
            && url.set_host(self.server.host_str()).is_ok()
            && url.set_port(self.server.port()).is_ok();
        if !moved {
            return Err(network(format!("{url} cannot be asked of {}", self.server)));
        }
        let asked = request.credential.as_ref().and(self.form.clone());
        let sent = Request {
            connector: self.manifest.package.fqn.clone(),
            allowed: vec![self.host.clone()],
            credential: asked.map(|form| CredentialUse { form, binding: None }),
            method: request.method.clone(),
            url: url.into(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            max_response: limits::GUEST_RESPONSE,
            timeout: self.manifest.limits.wall,
            idempotent: false,
        };
        let sent = self.vault.egress().send(&Context::service("author"), sent).await;
        match sent.map_err(|error| network(error.public().to_owned()))? {
            Outcome::Failed(failed) => Err(failed.failure),
            Outcome::Answered(mut response) => {
                let mut body = Vec::new();
                while let Some(part) = response.body.next().await {
                    body.extend(part.map_err(|error| network(error.public().to_owned()))?);
                }
                Ok(GuestResponse { status: response.status, body: body.into() })
            }
        }
    }
}

/// What the author of a connector agrees to, for the time of a trial.
fn given(connector: Fqn, reach: Reach) -> Result<Consent> {
    let signs = matches!(reach.form, Form::AwsSigv4(_));
    Ok(Consent {
        connector,
        service: "trial".to_owned(),
        identity: "default".parse::<Identity>()?,
        account: None,
        scope: None,
        reach,
        access_key_id: signs.then(|| "AKIATEST".parse()).transpose()?,
        region: None,
        refuse_existing: false,
    })
}

#[async_trait]
impl Network for Door {
    async fn http(&self, request: GuestRequest) -> Result<GuestResponse, Failure> {
        let answer = self.answer(&request).await;
        let exchange = Exchange::new(&request, answer.as_ref().ok());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        answer
    }
}

/// What the runtime checks before a request: the declared hosts, and the declared credential.
fn allowed(manifest: &Manifest, request: &GuestRequest) -> Result<Url, Failure> {
    let denied =
        |message: String| Failure::new(Class::CapabilityDenied, Boundary::Sandbox, message);
    let url = Url::parse(&request.url)
        .map_err(|_| denied(format!("{:?} is no absolute URL", request.url)))?;
    let host = url
        .host_str()
        .zip(url.port_or_known_default())
        .filter(|_| matches!(url.scheme(), "http" | "https"))
        .and_then(|(host, port)| {
            HostPort::new(host.trim_matches(|c| c == '[' || c == ']'), port).ok()
        })
        .ok_or_else(|| denied(format!("{:?} is no http or https URL", request.url)))?;
    if !manifest.hosts.contains(&host) {
        return Err(denied(format!(
            "the manifest does not declare {host}: add it to capabilities.network.hosts"
        )));
    }
    if let Some(asked) = &request.credential {
        let declared = manifest.need().map(|need| need.kind().text());
        if declared != Some(asked.as_str()) {
            return Err(denied(format!(
                "the connector asks for a credential of kind {asked:?}, and the manifest \
                 declares {}",
                declared.unwrap_or("none")
            )));
        }
    }
    Ok(url)
}

/// The form in which the credential of a trial is joined. A token is obtained by signing in, and
/// nobody does here: it is joined as a key, in the header where it would stand.
fn standing_in(form: &Form) -> Result<Form> {
    match form {
        Form::Oauth2 => Ok(Form::ApiKey(HeaderTemplate::new("Authorization", "Bearer {key}")?)),
        other => Ok(other.clone()),
    }
}

/// A server on this machine, by its address alone.
fn origin(text: &str) -> Result<(Url, HostPort)> {
    let wrong = || {
        let text = format!(
            "{text:?} is no local server: give it as http://127.0.0.1:PORT or \
             http://localhost:PORT, without a path"
        );
        Error::new(Reason::InvalidRequest, text)
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let host = url.host_str().zip(url.port_or_known_default()).ok_or_else(wrong)?;
    let host = HostPort::new(host.0.trim_matches(|c| c == '[' || c == ']'), host.1)?;
    let plain = url.scheme() == "http" && url.path() == "/" && url.query().is_none();
    if plain && host.is_loopback() && url.username().is_empty() {
        return Ok((url, host));
    }
    Err(wrong())
}

/// A request that did not get through.
fn network(message: String) -> Failure {
    Failure::new(Class::NetworkError, Boundary::External, message)
}
