use aileron_contract::{
    Result,
    executor::{ApprovalEvent, Handle, Position, Started},
    names::{ActionName, GrantId, RunId, Sha256Hash},
};
use futures::StreamExt as _;

use super::{on_every_transport, promise};
use crate::{
    fakes::{FakeExecutor, seen},
    samples::{context, executor as samples, grants, name},
};

on_every_transport!(executor);

async fn keeps_its_promises(executor: Handle, fake: &FakeExecutor) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        actions(&executor, fake, full).await;
        runs(&executor, fake, full).await;
    }
}

async fn actions(executor: &Handle, fake: &FakeExecutor, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    promise!(stage, "actions", &context, executor.actions(&context) => samples::actions(full));
    let action = name::<ActionName>("notes-list");
    promise!(stage, "action", (&context, &action),
        executor.action(&context, action.clone()) => samples::action(full));
    promise!(stage, "set_enabled", (&context, &action, full),
        executor.set_enabled(&context, action.clone(), full) => samples::action(full));
    promise!(stage, "counts", &context, executor.counts(&context) => samples::counts(full));
}

async fn watches(executor: &Handle, fake: &FakeExecutor, full: bool) {
    let context = context(full);
    let after = full.then_some(Position { epoch: 1, number: u64::MAX });
    let events = executor.watch_approvals(&context, after).await.unwrap();
    let told = |event: Result<ApprovalEvent>| event.map_err(|error| error.reason());
    let events: Vec<_> = events.map(told).collect().await;
    let expected: Vec<_> = samples::approval_events(full).into_iter().map(told).collect();
    assert_eq!(events, expected);
    assert_eq!(fake.stage.take(), [seen("watch_approvals", &(&context, after))]);
}

async fn runs(executor: &Handle, fake: &FakeExecutor, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    for (action, started) in [
        ("done", Started::Done(samples::result(full))),
        ("pending", Started::Pending(samples::pending(full))),
        ("failed", Started::Failed(samples::failure(full))),
    ] {
        let call = samples::call(full, action);
        promise!(stage, "run", (&context, &call), executor.run(&context, call.clone()) => started);
    }
    let filter = samples::run_filter(full);
    promise!(stage, "runs", (&context, &filter),
        executor.runs(&context, filter.clone()) => samples::runs(full));
    let id = name::<RunId>("act-1");
    promise!(stage, "run_by_id", (&context, &id),
        executor.run_by_id(&context, id.clone()) => samples::run(full));
    promise!(stage, "approvals", &context,
        executor.approvals(&context) => samples::approvals(full));
    watches(executor, fake, full).await;
    let decision = samples::decision(full);
    promise!(stage, "decide", (&context, &id, &decision),
        executor.decide(&context, id.clone(), decision.clone()) => ());
    let (of, reason) = (grants::caller(full), full.then(|| "too many".to_owned()));
    promise!(stage, "deny_all", (&context, &of, &reason),
        executor.deny_all(&context, of.clone(), reason.clone()) => samples::denied(full));
    standing_grants(executor, fake, full).await;
    promise!(stage, "wake", &context, executor.wake(&context) => ());
}

async fn standing_grants(executor: &Handle, fake: &FakeExecutor, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let request = grants::request(full);
    promise!(stage, "propose_grant", (&context, &request),
        executor.propose_grant(&context, request.clone()) => grants::terms(full));
    let seen = Sha256Hash::new([9; 32]);
    promise!(stage, "grant", (&context, &request, seen),
        executor.grant(&context, request.clone(), seen) => grants::grant(full));
    promise!(stage, "grants", &context, executor.grants(&context) => grants::grants(full));
    let id = name::<GrantId>("grant-1");
    promise!(stage, "revoke_grant", (&context, &id),
        executor.revoke_grant(&context, id.clone()) => ());
}
