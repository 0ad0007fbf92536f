//! One step: a call of a connector, tried again only where that does no harm.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    failure::{Boundary, Class, Failure},
    names::BindingName,
};
use aileron_wasmhost::{Call, Limits, Module};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{
    connector::unusable,
    door::{Door, Seen},
    engine::Engine,
    lifecycle::Journal,
    plan::PlannedStep,
    trace,
};
use crate::{formats::manifest::Idempotency, packages::store::Loaded};

/// How a step ended.
pub(super) enum StepEnd {
    Done {
        output: Option<Map<String, Value>>,
        binding: Option<BindingName>,
    },
    Failed(Failure),
    /// Its effect may have happened.
    Ambiguous(Failure),
}

/// One step with what it runs on.
pub(super) struct Attempts<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) journal: &'a Arc<Journal>,
    pub(super) step: &'a PlannedStep,
    /// The binding that was approved or asked for.
    pub(super) binding: Option<BindingName>,
}

impl Attempts<'_> {
    /// Calls the connector, and again after retriable failures where the step says it is
    /// idempotent, else where the manifest says so explicitly, else where it only read.
    pub(super) async fn carry_out(&self) -> StepEnd {
        let loaded = match self.engine.parts.library.connector(self.step.hash).await {
            Ok(loaded) => loaded,
            Err(error) => return StepEnd::Failed(unusable(&error)),
        };
        if loaded.package != self.step.package {
            return StepEnd::Failed(misnamed(self.step, &loaded));
        }
        let declared = self.step.idempotent.or(loaded
            .manifest
            .idempotency
            .map(|declared| matches!(declared, Idempotency::Idempotent)));
        // Compiling is bounded by itself, and not the call's to pay for.
        if let Err(failure) = self.engine.parts.guest.prepare(module(&loaded)).await {
            return StepEnd::Failed(failure);
        }
        let deadline = Instant::now() + loaded.manifest.limits.wall;
        let mut waits = self.engine.parts.pace.0.iter();
        let mut retried = 0_u32;
        loop {
            let (outcome, seen) = self.attempt(&loaded, declared, deadline).await;
            let failure = match outcome {
                Ok(output) if !seen.doubt => {
                    return StepEnd::Done { output, binding: seen.binding };
                }
                Ok(_) => return StepEnd::Ambiguous(doubtful(None)),
                Err(failure) if seen.doubt => return StepEnd::Ambiguous(doubtful(Some(failure))),
                Err(failure) => sharpened(failure, &seen),
            };
            let repeatable = declared.unwrap_or(!seen.changing);
            let again = repeatable && failure.retriable && transient(&failure);
            let wait = waits.next().map(|wait| lengthened(*wait));
            let wait = wait.filter(|wait| again && Instant::now() + *wait < deadline);
            let stopped = match wait {
                Some(wait) => {
                    let stop = &self.engine.stop;
                    stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none()
                }
                None => true,
            };
            if stopped {
                return StepEnd::Failed(match retried {
                    0 => failure,
                    times => failure.detail("retried", times),
                });
            }
            retried = retried.saturating_add(1);
        }
    }

    async fn attempt(
        &self,
        loaded: &Arc<Loaded>,
        declared: Option<bool>,
        deadline: Instant,
    ) -> (Result<Option<Map<String, Value>>, Failure>, Seen) {
        let step = self.step;
        let door = Arc::new(Door {
            egress: Arc::clone(&self.engine.parts.egress),
            journal: Some(Arc::clone(self.journal)),
            connector: Arc::clone(loaded),
            binding: self.binding.clone(),
            session: self.journal.record().await.session,
            repeatable: declared == Some(true),
            deadline,
            seen: std::sync::Mutex::default(),
        });
        let span = tracing::info_span!(
            "aileron.connector.call",
            aileron.connector.fqn = %step.package.fqn,
            aileron.connector.op = step.op,
            aileron.connector.hash = %step.hash,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            otel.status_description = tracing::field::Empty,
            error.type = tracing::field::Empty,
        );
        let call = Call {
            op: step.op.clone(),
            args: step.args.clone(),
            limits: Limits {
                memory: loaded.manifest.limits.memory,
                wall: deadline.saturating_duration_since(Instant::now()),
            },
        };
        let network = Arc::clone(&door);
        let guest = &self.engine.parts.guest;
        let report = guest.call(module(loaded), call, network).instrument(span.clone()).await;
        if let Err(failure) = &report.outcome {
            trace::failed(&span, failure);
        }
        (report.outcome, door.seen())
    }
}

pub(super) fn module(loaded: &Loaded) -> Module {
    Module { hash: loaded.hash, wasm: loaded.wasm.clone() }
}

/// The same hash under another name: the action asks for a connector that is not the stored one.
pub(super) fn misnamed(step: &PlannedStep, loaded: &Loaded) -> Failure {
    Failure::new(
        Class::HashMismatch,
        Boundary::Runtime,
        format!(
            "the action names the connector {}, but the bytes with its hash are {}",
            step.package, loaded.package
        ),
    )
    .detail("expected", step.package.to_string())
    .detail("computed", loaded.package.to_string())
}

/// What the host saw says more than what the guest may claim.
fn sharpened(failure: Failure, seen: &Seen) -> Failure {
    let reported =
        failure.details.as_ref().and_then(|details| details.get("reported_class")?.as_str());
    let refused = matches!(seen.status, Some(401 | 403)) && seen.binding.is_some();
    let (class, boundary, retriable) = match reported {
        Some("unauthorized") if refused => (Class::BindingFailed, Boundary::Runtime, false),
        Some("external_service_error" | "graphql_error" | "unauthorized") => {
            let passing = seen.status.is_some_and(|status| status == 429 || status >= 500);
            (Class::ExternalApiError, Boundary::External, passing)
        }
        Some("bridge_unreachable") if seen.unreached => {
            (Class::NetworkError, Boundary::External, true)
        }
        Some("bad_input") => (Class::ValidationError, Boundary::Sandbox, false),
        _ => return failure,
    };
    let sharpened = Failure { class, boundary, ..failure }.retriable(retriable);
    match seen.status {
        Some(status) => sharpened.detail("status", status),
        None => sharpened,
    }
}

fn transient(failure: &Failure) -> bool {
    matches!(failure.class, Class::NetworkError | Class::ExternalApiError)
}

/// Nobody knows whether the request was carried out.
fn doubtful(cause: Option<Failure>) -> Failure {
    let cause = cause.unwrap_or_else(|| {
        Failure::new(Class::NetworkError, Boundary::External, "the answer to a request was lost")
    });
    let message = format!(
        "the request was sent, and nobody knows whether it was carried out: look at the service \
         before asking again ({})",
        cause.message
    );
    Failure { message, ..cause }.retriable(false).detail("ambiguous", true)
}

/// The wait with up to a fifth more, at random.
fn lengthened(wait: Duration) -> Duration {
    let mut random = [0_u8; 2];
    // Without randomness the plain wait is as good.
    if getrandom::fill(&mut random).is_err() {
        return wait;
    }
    let share = f64::from(u16::from_ne_bytes(random)) / f64::from(u16::MAX);
    wait.mul_f64(1.0 + share / 5.0)
}
