//! The house around egress: a vault with one credential, a log, a resolver.
#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aileron_contract::{
    Context, Error, Reason, Result, Secret, Stream, Timestamp,
    audit::{Audit, Checkpoint, Event, Filter, Record},
    credential::{Form, HeaderTemplate, Reach, SigningWord},
    egress::{CredentialUse, Fetch, Handle, Outcome, Request, Response, SendFailure},
    failure::{Boundary, Class, Failure},
    names::{AuditId, BindingName, Fqn, HostPort, SecretName},
};
use aileron_vault::egress::{Credentials, Options, Resolved, Resolver, Service};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;

use super::upstream::Authority;

/// What the vault holds for a package source.
pub(crate) const STORED: &str = "ghp_storedInTheVault7Qx";

pub(crate) const KEY: &str = "lin_api_9fK2mQxw7Lr0TzVb";

/// Egress and what it stands on.
pub(crate) struct House {
    pub(crate) service: Service,
    pub(crate) vault: Arc<Bindings>,
    pub(crate) log: Arc<Log>,
    pub(crate) names: Arc<Names>,
}

/// What the person has bound.
pub(crate) struct Bindings {
    pub(crate) hosts: Mutex<Vec<String>>,
    pub(crate) form: Form,
    pub(crate) value: String,
    pub(crate) access_key_id: Option<SigningWord>,
    pub(crate) used: Mutex<Vec<BindingName>>,
    /// Secrets that egress asked for.
    pub(crate) asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Credentials for Bindings {
    async fn resolve(
        &self,
        _: &Fqn,
        wanted: &CredentialUse,
        _: &HostPort,
    ) -> std::result::Result<Arc<Resolved>, Failure> {
        let hosts = self.hosts.lock().unwrap().clone();
        if hosts.is_empty() {
            let text = "bind a credential first";
            return Err(Failure::new(Class::BindingRequired, Boundary::Runtime, text));
        }
        let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
        Ok(Arc::new(Resolved {
            binding: wanted.binding.clone().unwrap_or_else(|| "api_key/notes/me".parse().unwrap()),
            reach: Reach { hosts, form: self.form.clone() },
            value: Secret::from(self.value.clone()).into(),
            access_key_id: self.access_key_id.clone(),
            region: None,
        }))
    }

    async fn stored(&self, name: &SecretName) -> std::result::Result<Secret, Failure> {
        self.asked.lock().unwrap().push(name.to_string());
        Ok(Secret::from(STORED.to_owned()))
    }

    fn used(&self, binding: &BindingName) {
        self.used.lock().unwrap().push(binding.clone());
    }
}

/// A log in memory.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) events: Mutex<Vec<Event>>,
    pub(crate) full: AtomicBool,
}

#[async_trait]
impl Audit for Log {
    async fn append(&self, _: &Context, event: Event) -> Result<Record> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the log cannot be written"));
        }
        let mut events = self.events.lock().unwrap();
        events.push(event.clone());
        Ok(Record {
            index: 0,
            id: "audit-1".parse().unwrap(),
            kind: event.kind.text().to_owned(),
            timestamp: Timestamp::UNIX_EPOCH,
            actor: event.actor,
            payload: event.payload,
            trace_id: None,
        })
    }

    async fn query(&self, _: &Context, _: Filter) -> Result<Vec<Record>> {
        Ok(Vec::new())
    }

    async fn get(&self, _: &Context, _: AuditId) -> Result<Record> {
        Err(Error::new(Reason::NotFound, "no such event"))
    }

    async fn watch(&self, _: &Context, _: u64) -> Result<Stream<Record>> {
        Ok(futures::stream::empty().boxed())
    }

    async fn checkpoint(&self, _: &Context) -> Result<Checkpoint> {
        Err(Error::new(Reason::NotFound, "no checkpoint"))
    }

    async fn receipt(&self, _: &Context, _: AuditId) -> Result<String> {
        Err(Error::new(Reason::NotFound, "no such event"))
    }
}

/// Names lead where the test says; the last answer stays.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    /// `answers`, one after another.
    pub(crate) fn lead(&self, name: &str, answers: &[&[&str]]) {
        let mut answers: Vec<Vec<IpAddr>> = answers
            .iter()
            .map(|answer| answer.iter().map(|address| address.parse().unwrap()).collect())
            .collect();
        answers.reverse();
        self.answers.lock().unwrap().insert(name.to_owned(), answers);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolver for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let Some(answers) = answers.get_mut(name) else {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        };
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        Ok(answer.unwrap_or_default())
    }
}

/// What the person bound, and what the house takes for now.
pub(crate) struct Bound {
    pub(crate) form: Form,
    pub(crate) value: String,
    pub(crate) access_key_id: Option<SigningWord>,
    pub(crate) clock: fn() -> Timestamp,
}

impl Bound {
    /// A key in its published form.
    pub(crate) fn key() -> Self {
        Self::of(Form::ApiKey(HeaderTemplate::default()), KEY)
    }

    pub(crate) fn of(form: Form, value: &str) -> Self {
        let value = value.to_owned();
        Self { form, value, access_key_id: None, clock: || Timestamp::UNIX_EPOCH }
    }
}

impl House {
    /// A house whose person consented to the key going to `hosts`.
    pub(crate) fn consenting_to(hosts: &[&str]) -> Self {
        Self::built(hosts, Bound::key(), Options::default())
    }

    pub(crate) fn trusting(authority: &Authority, hosts: &[&str]) -> Self {
        let extra_roots = vec![authority.file()];
        let options = Options { extra_roots, ..Options::default() };
        Self::built(hosts, Bound::key(), options)
    }

    /// A house whose person bound a credential of another kind.
    pub(crate) fn holding(hosts: &[&str], bound: Bound) -> Self {
        Self::built(hosts, bound, Options::default())
    }

    pub(crate) fn built(hosts: &[&str], bound: Bound, options: Options) -> Self {
        let Bound { form, value, access_key_id, clock } = bound;
        let vault = Arc::new(Bindings {
            hosts: Mutex::new(hosts.iter().map(|&host| host.to_owned()).collect()),
            form,
            value,
            access_key_id,
            used: Mutex::default(),
            asked: Mutex::default(),
        });
        let log = Arc::new(Log::default());
        let names = Arc::new(Names::default());
        names.lead("localhost", &[&["127.0.0.1"]]);
        let service = Service::with_resolver(
            options,
            Arc::<Log>::clone(&log),
            clock,
            Arc::<Bindings>::clone(&vault),
            Arc::<Names>::clone(&names),
        );
        Self { service: service.unwrap(), vault, log, names }
    }

    pub(crate) fn egress(&self) -> Handle {
        self.service.handle()
    }

    pub(crate) async fn send(&self, request: Request) -> Outcome {
        self.egress().send(&context(), request).await.unwrap()
    }

    pub(crate) async fn answered(&self, request: Request) -> Response {
        match self.send(request).await {
            Outcome::Answered(response) => response,
            Outcome::Failed(failure) => panicked(&failure),
        }
    }

    pub(crate) async fn failed(&self, request: Request) -> SendFailure {
        failure(self.send(request).await)
    }

    pub(crate) async fn fetch(&self, fetch: Fetch) -> Outcome {
        self.egress().fetch(&context(), fetch).await.unwrap()
    }
}

#[expect(clippy::panic, reason = "the test expected an answer")]
fn panicked(failure: &SendFailure) -> ! {
    panic!("no answer: {failure:?}")
}

pub(crate) fn context() -> Context {
    Context::service("tests")
}

pub(crate) fn failure(outcome: Outcome) -> SendFailure {
    match outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Answered(response) => answered_anyway(&response),
    }
}

#[expect(clippy::panic, reason = "the test expected a refusal")]
fn answered_anyway(response: &Response) -> ! {
    panic!("answered with {}", response.status)
}

/// A guest's request for `url`; the manifest declares `declared`. With the key.
pub(crate) fn request(url: &str, declared: &[&str]) -> Request {
    Request {
        connector: "github://acme/notes".parse().unwrap(),
        allowed: declared.iter().map(|host| host.parse().unwrap()).collect(),
        credential: Some(CredentialUse {
            form: Form::ApiKey(HeaderTemplate::default()),
            binding: None,
        }),
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
        idempotent: false,
        max_response: 1024 * 1024,
        timeout: Duration::from_secs(20),
    }
}

/// The same with a credential of another form.
pub(crate) fn asking(url: &str, declared: &[&str], form: &Form) -> Request {
    let credential = Some(CredentialUse { form: form.clone(), binding: None });
    Request { credential, ..request(url, declared) }
}

/// The same without a credential.
pub(crate) fn bare(url: &str, declared: &[&str]) -> Request {
    Request { credential: None, ..request(url, declared) }
}

pub(crate) fn with_headers(mut request: Request, headers: &[(&str, &str)]) -> Request {
    request.headers =
        headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    request
}

/// The body, or the error it ended with.
pub(crate) async fn read(response: Response) -> Result<Vec<u8>> {
    let mut body = response.body;
    let mut all = Vec::new();
    while let Some(part) = body.next().await {
        all.extend_from_slice(&part?);
    }
    Ok(all)
}

pub(crate) async fn text(response: Response) -> String {
    String::from_utf8(read(response).await.unwrap()).unwrap()
}
