use std::sync::atomic::Ordering;

use aileron_contract::{
    Error, Reason, Result,
    audit::{Event, EventKind, Handle, Record},
    names::AuditId,
};
use futures::StreamExt;
use serde_json::json;

use super::{on_every_transport, promise};
use crate::{
    fakes::{
        FakeAudit,
        audit::{SLOW, STUCK},
    },
    samples::{audit as samples, context, name},
};

on_every_transport!(audit);

async fn keeps_its_promises(audit: Handle, fake: &FakeAudit) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        values_survive(&audit, fake, full).await;
        watches_end_as_they_should(&audit, fake, full).await;
    }
    every_reason_survives(&audit, fake).await;
    a_mutation_outlives_its_caller(&audit, fake).await;
    a_read_ends_with_its_caller(&audit, fake).await;
}

async fn values_survive(audit: &Handle, fake: &FakeAudit, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let event = samples::event(full);
    promise!(stage, "append", (&context, &event),
        audit.append(&context, event.clone()) => samples::record(full));
    for kind in EventKind::ALL.iter().copied() {
        let event = Event { kind, ..samples::event(full) };
        promise!(stage, "append", (&context, &event),
            audit.append(&context, event.clone()) => samples::record(full));
    }
    let filter = samples::filter(full);
    promise!(stage, "query", (&context, &filter),
        audit.query(&context, filter.clone()) => samples::records(full));
    let id = name::<AuditId>("audit-x");
    promise!(stage, "get", (&context, &id), audit.get(&context, id.clone()) => samples::record(full));
    promise!(stage, "checkpoint", &context,
        audit.checkpoint(&context) => samples::checkpoint(full));
    promise!(stage, "receipt", (&context, &id),
        audit.receipt(&context, id.clone()) => "proof\n".repeat(full.into()));
}

async fn watches_end_as_they_should(audit: &Handle, fake: &FakeAudit, full: bool) {
    let context = context(full);
    let whole: Vec<Result<Record>> = audit.watch(&context, 0).await.unwrap().collect().await;
    let whole: Result<Vec<Record>> = whole.into_iter().collect();
    assert_eq!(whole.unwrap(), samples::records(full));
    let mut failed: Vec<Result<Record>> = audit.watch(&context, 1).await.unwrap().collect().await;
    let error = failed.pop().unwrap().unwrap_err();
    assert_eq!(failed.len(), samples::records(full).len());
    assert_eq!(facts(&error), facts(&samples::too_slow()));
    let mut endless = audit.watch(&context, 2).await.unwrap();
    assert_eq!(endless.next().await.unwrap().unwrap(), samples::record(full));
    fake.stage.take();
}

async fn every_reason_survives(audit: &Handle, fake: &FakeAudit) {
    let context = context(false);
    for reason in Reason::ALL {
        let error = Error::new(*reason, format!("what {reason} means, «how» 100 %"))
            .with_details(json!({ "expected": "a", "computed": ["b", 1.5] }));
        fake.stage.refuse_with(Some(error.clone()));
        let back = audit.checkpoint(&context).await.unwrap_err();
        assert_eq!(facts(&back), facts(&error));
        let back = audit.watch(&context, 0).await.err().unwrap();
        assert_eq!(facts(&back), facts(&error));
    }
    fake.stage.refuse_with(None);
    fake.stage.take();
}

async fn a_mutation_outlives_its_caller(audit: &Handle, fake: &FakeAudit) {
    let context = context(false);
    let event = Event { id: Some(name(SLOW)), ..samples::event(false) };
    tokio::select! {
        _ = audit.append(&context, event) => panic!("nobody released it"),
        () = fake.slow.entered.notified() => {}
    }
    // The caller is gone; the work is not.
    assert!(!fake.slow.done.load(Ordering::SeqCst));
    fake.slow.release.notify_one();
    fake.slow.tasks.close();
    fake.slow.tasks.wait().await;
    assert!(fake.slow.done.load(Ordering::SeqCst));
}

async fn a_read_ends_with_its_caller(audit: &Handle, fake: &FakeAudit) {
    let context = context(false);
    tokio::select! {
        _ = audit.get(&context, name(STUCK)) => panic!("it never returns"),
        () = fake.slow.entered.notified() => {}
    }
    fake.slow.dropped.notified().await;
}

fn facts(error: &Error) -> (Reason, String, Option<serde_json::Value>) {
    (error.reason(), error.public().to_owned(), error.details().cloned())
}
