//! A trace goes on across a call.

use std::sync::{Arc, Mutex};

use aileron_contract::{
    Audit, Context, Result, Stream,
    audit::{Checkpoint, Event, Filter, Record},
    names::AuditId,
};
use aileron_wire::{Server, audit::Remote};
use async_trait::async_trait;
use opentelemetry::{
    TraceId,
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{fakes::FakeAudit, samples, served::token};

/// Notes in which trace it was called.
#[derive(Default)]
struct Traced {
    inner: FakeAudit,
    seen: Mutex<Vec<TraceId>>,
}

#[async_trait]
impl Audit for Traced {
    async fn append(&self, context: &Context, event: Event) -> Result<Record> {
        self.inner.append(context, event).await
    }

    async fn query(&self, context: &Context, filter: Filter) -> Result<Vec<Record>> {
        self.inner.query(context, filter).await
    }

    async fn get(&self, context: &Context, id: AuditId) -> Result<Record> {
        self.inner.get(context, id).await
    }

    async fn watch(&self, context: &Context, from: u64) -> Result<Stream<Record>> {
        self.inner.watch(context, from).await
    }

    async fn checkpoint(&self, context: &Context) -> Result<Checkpoint> {
        self.seen.lock().unwrap().push(current_trace());
        self.inner.checkpoint(context).await
    }

    async fn receipt(&self, context: &Context, id: AuditId) -> Result<String> {
        self.inner.receipt(context, id).await
    }
}

fn current_trace() -> TraceId {
    let context = tracing::Span::current().context();
    context.span().span_context().trace_id()
}

// One thread: the subscriber is set for it alone, and the server's tasks run on it.
#[tokio::test(flavor = "current_thread")]
async fn the_service_works_in_the_callers_trace() {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("run/audit.sock");
    let listener = aileron_wire::listen(&socket).await.unwrap();
    let traced = Arc::new(Traced::default());
    let audit = Arc::clone(&traced);
    let server = Server::new(token()).audit(audit);
    let remote = Remote::new(aileron_wire::connect(&socket, token()).unwrap());
    let context = samples::context(false);
    let call = async {
        remote.checkpoint(&context).await.unwrap();
        current_trace()
    };
    let ours = tokio::select! {
        result = server.serve(listener, std::future::pending()) => panic!("{result:?}"),
        ours = call.instrument(tracing::info_span!("caller")) => ours,
    };
    assert_ne!(ours, TraceId::INVALID);
    assert_eq!(*traced.seen.lock().unwrap(), [ours]);
}
