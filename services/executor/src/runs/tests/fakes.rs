//! Stand-ins that keep the contracts as far as runs need them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use aileron_contract::{
    Context, Error, Reason, Result, Stream, Timestamp,
    audit::{self, Audit, Checkpoint, Event, Filter},
    egress::{Egress, Fetch, Outcome, Request, Response, SendFailure, Sent},
    executor::Actions,
    failure::{Boundary, Class, Failure},
    names::{ActionName, AuditId, Sha256Hash},
};
use aileron_wasmhost::{Call, GuestRequest, Module, Network, Report};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::{
    fakes::Fuse,
    packages::{catalog::Installed, store::Loaded},
    runs::{Guest, Library, Tokens},
};

fn unused<T>() -> Result<T> {
    Err(Error::internal("not part of this test"))
}

/// Every token is good for long, unless it is said when it ends, or that there is none.
#[derive(Default)]
pub(super) struct FakeTokens {
    pub(super) ends: Mutex<HashMap<String, Option<Timestamp>>>,
}

#[async_trait]
impl Tokens for FakeTokens {
    async fn end(&self, id: &str) -> Result<Option<Timestamp>> {
        let known = self.ends.lock().unwrap().get(id).copied();
        Ok(known.unwrap_or(Some(Timestamp::MAX)))
    }
}

pub(super) struct FakeAudit {
    pub(super) fuse: Arc<Fuse>,
    pub(super) broken: AtomicBool,
    pub(super) records: Mutex<Vec<audit::Record>>,
}

impl FakeAudit {
    pub(super) fn kinds(&self) -> Vec<String> {
        self.records.lock().unwrap().iter().map(|record| record.kind.clone()).collect()
    }
}

#[async_trait]
impl Audit for FakeAudit {
    async fn append(&self, _: &Context, event: Event) -> Result<audit::Record> {
        self.fuse.point().await;
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the log cannot be written"));
        }
        let record = {
            let mut records = self.records.lock().unwrap();
            let known = records.iter().find(|record| Some(&record.id) == event.id.as_ref());
            if let Some(known) = known {
                if known.payload != event.payload {
                    let another = "the id has another event";
                    return Err(Error::new(Reason::IdempotencyConflict, another));
                }
                return Ok(known.clone());
            }
            let index = u64::try_from(records.len()).unwrap();
            let id = event.id.unwrap_or_else(|| format!("audit-{index}").parse().unwrap());
            let record = audit::Record {
                index,
                id,
                kind: event.kind.text().to_owned(),
                timestamp: Timestamp::UNIX_EPOCH,
                actor: event.actor,
                payload: event.payload,
                trace_id: None,
            };
            records.push(record.clone());
            record
        };
        self.fuse.point().await;
        Ok(record)
    }

    /// By type alone.
    async fn query(&self, _: &Context, filter: Filter) -> Result<Vec<audit::Record>> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the log cannot be read"));
        }
        let (kind, limit) = (filter.kind.unwrap(), usize::try_from(filter.limit.unwrap()).unwrap());
        let records = self.records.lock().unwrap();
        let newest = records.iter().rev().filter(|record| record.kind == kind);
        Ok(newest.take(limit).cloned().collect())
    }

    async fn get(&self, _: &Context, id: AuditId) -> Result<audit::Record> {
        let records = self.records.lock().unwrap();
        let found = records.iter().find(|record| record.id == id).cloned();
        found.ok_or_else(|| Error::new(Reason::NotFound, "no such event"))
    }

    async fn watch(&self, _: &Context, _: u64) -> Result<Stream<audit::Record>> {
        unused()
    }

    async fn checkpoint(&self, _: &Context) -> Result<Checkpoint> {
        unused()
    }

    async fn receipt(&self, _: &Context, _: AuditId) -> Result<String> {
        unused()
    }
}

/// What the upstream does with a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Upstream {
    Answers(u16),
    NotReached,
    /// It acts, and the answer is lost.
    Lost,
    /// It acts, and the service that sent the request is gone.
    SenderGone,
}

pub(super) struct FakeEgress {
    pub(super) fuse: Arc<Fuse>,
    pub(super) upstream: Mutex<Vec<Upstream>>,
    /// Requests the upstream acted upon.
    pub(super) acted: Mutex<Vec<Request>>,
    /// When set, requests wait here.
    pub(super) gate: Mutex<Option<Arc<Notify>>>,
    pub(super) reached: Notify,
    pub(super) waiting: AtomicU32,
}

impl FakeEgress {
    pub(super) fn writes(&self) -> usize {
        self.acted.lock().unwrap().iter().filter(|request| request.method == "POST").count()
    }

    pub(super) fn will(&self, script: &[Upstream]) {
        *self.upstream.lock().unwrap() = script.iter().rev().copied().collect();
    }
}

#[async_trait]
impl Egress for FakeEgress {
    async fn send(&self, _: &Context, request: Request) -> Result<Outcome> {
        self.fuse.point().await;
        let gate = self.gate.lock().unwrap().clone();
        self.reached.notify_one();
        if let Some(gate) = gate {
            let opened = gate.notified();
            tokio::pin!(opened);
            opened.as_mut().enable();
            self.waiting.fetch_add(1, Ordering::SeqCst);
            opened.await;
        }
        let reply = self.upstream.lock().unwrap().pop().unwrap_or(Upstream::Answers(200));
        if !matches!(reply, Upstream::NotReached) {
            self.acted.lock().unwrap().push(request.clone());
        }
        self.fuse.point().await;
        let failed = |sent| {
            let failure = Failure::new(Class::NetworkError, Boundary::External, "no answer");
            Ok(Outcome::Failed(SendFailure { sent, failure: failure.retriable(true) }))
        };
        match reply {
            Upstream::NotReached => failed(Sent::NotSent),
            Upstream::Lost => failed(Sent::MaybeSent),
            Upstream::SenderGone => {
                Err(Error::new(Reason::ServiceUnavailable, "the vault service is gone"))
            }
            Upstream::Answers(status) => {
                let body = futures::stream::iter([Ok(Bytes::from_static(b"{\"ok\":true}"))]);
                Ok(Outcome::Answered(Response {
                    status,
                    headers: Vec::new(),
                    body: body.boxed(),
                    binding: request.credential.and_then(|credential| {
                        credential.binding.or_else(|| "api_key/notes/me".parse().ok())
                    }),
                }))
            }
        }
    }

    async fn fetch(&self, _: &Context, _: Fetch) -> Result<Outcome> {
        unused()
    }
}

#[derive(Default)]
pub(super) struct FakeLibrary {
    pub(super) actions: Mutex<HashMap<String, Arc<Installed>>>,
    pub(super) connectors: Mutex<HashMap<Sha256Hash, Arc<Loaded>>>,
    /// Of the actions, one by one.
    pub(super) looks: AtomicU32,
}

#[async_trait]
impl Library for FakeLibrary {
    async fn actions(&self) -> Result<Actions> {
        unused()
    }

    async fn action(&self, name: &ActionName) -> Result<Option<Arc<Installed>>> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Ok(self.actions.lock().unwrap().get(name.as_str()).cloned())
    }

    async fn set_enabled(&self, _: &Context, _: &ActionName, _: bool) -> Result<Arc<Installed>> {
        unused()
    }

    async fn connector(&self, hash: Sha256Hash) -> Result<Arc<Loaded>> {
        self.connectors.lock().unwrap().get(&hash).cloned().ok_or_else(|| {
            Error::new(Reason::HashMismatch, "the connector's bytes are not what was installed")
        })
    }
}

/// A guest that reads (`list`), writes (`create`), or does something worse.
pub(super) struct FakeGuest;

#[async_trait]
impl Guest for FakeGuest {
    async fn prepare(&self, _: Module) -> Result<(), Failure> {
        Ok(())
    }

    async fn call(&self, _: Module, call: Call, network: Arc<dyn Network>) -> Report {
        let limits = call.limits;
        let outcome = match tokio::time::timeout(limits.wall, act(call, network)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::new(
                Class::ResourceLimitExceeded,
                Boundary::Sandbox,
                "the connector passed its limit for wall time",
            )
            .detail("limit", "wall_time")),
        };
        Report {
            outcome,
            logs: Vec::new(),
            logs_dropped: 0,
            stderr: String::new(),
            elapsed: std::time::Duration::ZERO,
        }
    }
}

async fn act(call: Call, network: Arc<dyn Network>) -> Result<Option<Map<String, Value>>, Failure> {
    let request = |method: &str, credential: &str| GuestRequest {
        method: method.to_owned(),
        url: "https://notes.example:443/notes".to_owned(),
        headers: Vec::new(),
        body: Bytes::from(Value::Object(call.args.clone()).to_string()),
        credential: Some(credential.to_owned()),
    };
    let answer = match call.op.as_str() {
        "list" => network.http(request("GET", "api_key")).await?,
        "create" => network.http(request("POST", "api_key")).await?,
        "wrong_kind" => network.http(request("GET", "oauth2")).await?,
        // Ignores the first answer and sends again.
        "stubborn" => {
            drop(network.http(request("POST", "api_key")).await);
            drop(network.http(request("POST", "api_key")).await);
            return Ok(None);
        }
        "panics" => panic!("a guest's host must not take the run down silently"),
        _ => return Ok(None),
    };
    if answer.status >= 400 {
        let failure = match answer.status {
            401 => Failure::new(Class::ConnectorRuntimeError, Boundary::Sandbox, "no entry")
                .detail("reported_class", "unauthorized"),
            status => Failure::new(Class::ExternalApiError, Boundary::External, "upstream said no")
                .retriable(status == 429 || status >= 500)
                .detail("status", status),
        };
        return Err(failure);
    }
    let output = json!({ "status": answer.status, "args": call.args });
    Ok(output.as_object().cloned())
}
