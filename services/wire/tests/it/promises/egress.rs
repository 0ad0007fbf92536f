use aileron_contract::{
    Error, Reason, Result,
    egress::{Handle, Outcome, Request},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::on_every_transport;
use crate::{
    fakes::{FakeEgress, seen},
    samples::{context, egress as samples},
};

on_every_transport!(egress);

async fn keeps_its_promises(egress: Handle, fake: &FakeEgress) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        requests_and_answers_survive(&egress, fake, full).await;
        failures_survive(&egress, fake, full).await;
        fetches_survive(&egress, fake, full).await;
        a_body_that_fails_ends_with_the_error(&egress, full).await;
        fake.stage.take();
    }
    large_bodies_cross_both_ways(&egress, fake).await;
    a_refusal_is_the_boundarys_error(&egress, fake).await;
}

async fn requests_and_answers_survive(egress: &Handle, fake: &FakeEgress, full: bool) {
    let context = context(full);
    for body in [Bytes::new(), Bytes::from_static(b"\0body\xff")] {
        let bound = samples::request(full, "ECHO", Bytes::new()).credential;
        let unbound = crate::samples::forms().into_iter().map(samples::unbound).map(Some);
        for credential in [bound].into_iter().chain(unbound) {
            let request = Request { credential, ..samples::request(full, "ECHO", body.clone()) };
            let expected = Request { body: Bytes::new(), ..request.clone() };
            let outcome = egress.send(&context, request).await.unwrap();
            assert_eq!(fake.stage.take(), [seen("send", &(&context, expected, body.len()))]);
            assert_eq!(answer(outcome).await, (samples::head(full), body.to_vec()));
        }
    }
}

async fn failures_survive(egress: &Handle, fake: &FakeEgress, full: bool) {
    let request = samples::request(full, "POST", Bytes::new());
    let outcome = egress.send(&context(full), request).await.unwrap();
    fake.stage.take();
    let Outcome::Failed(failure) = outcome else { panic!("it should have failed") };
    assert_eq!(failure, samples::send_failure(full));
}

async fn fetches_survive(egress: &Handle, fake: &FakeEgress, full: bool) {
    let (context, request) = (context(full), samples::fetch(full));
    let token = samples::token(&request);
    let expected = seen("fetch", &(&context, &request, token));
    let outcome = egress.fetch(&context, request).await.unwrap();
    assert_eq!(fake.stage.take(), [expected]);
    assert_eq!(answer(outcome).await, (samples::head(full), b"onetwo".to_vec()));
}

async fn a_body_that_fails_ends_with_the_error(egress: &Handle, full: bool) {
    let request = samples::request(full, "CUT", Bytes::from_static(b"some"));
    let Outcome::Answered(answer) = egress.send(&context(full), request).await.unwrap() else {
        panic!("it should have been answered")
    };
    let mut pieces: Vec<Result<Bytes>> = answer.body.collect().await;
    let error = pieces.pop().unwrap().unwrap_err();
    assert_eq!((error.reason(), error.public()), (Reason::FetchFailed, samples::cut().public()));
    let begun: Vec<Bytes> = pieces.into_iter().map(Result::unwrap).collect();
    assert_eq!(begun.concat(), b"some");
}

/// Far larger than one message may be.
async fn large_bodies_cross_both_ways(egress: &Handle, fake: &FakeEgress) {
    let body: Bytes = (0..=250_u8).cycle().take(20 * 1024 * 1024).collect();
    let request = samples::request(false, "ECHO", body.clone());
    let outcome = egress.send(&context(false), request).await.unwrap();
    let (_, back) = answer(outcome).await;
    assert!(back == body, "the body changed on its way");
    fake.stage.take();
}

async fn a_refusal_is_the_boundarys_error(egress: &Handle, fake: &FakeEgress) {
    fake.stage.refuse_with(Some(Error::new(Reason::VaultLocked, "unlock the vault first")));
    let request = samples::request(false, "ECHO", vec![7; 3 * 1024 * 1024].into());
    let error = egress.send(&context(false), request).await.unwrap_err();
    assert_eq!((error.reason(), error.public()), (Reason::VaultLocked, "unlock the vault first"));
    let error = egress.fetch(&context(false), samples::fetch(false)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::VaultLocked);
    fake.stage.refuse_with(None);
}

type Head = (u16, Vec<(String, String)>, Option<aileron_contract::names::BindingName>);

async fn answer(outcome: Outcome) -> (Head, Vec<u8>) {
    let Outcome::Answered(response) = outcome else { panic!("it should have been answered") };
    let head = (response.status, response.headers, response.binding);
    let body: Vec<Bytes> = response.body.try_collect().await.unwrap();
    (head, body.concat())
}
