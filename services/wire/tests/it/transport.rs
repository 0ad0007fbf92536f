//! Who may call, what is too large, what is late, and how callers live through a restart.

use std::time::{Duration, Instant};

use aileron_contract::{
    Audit, Context, Egress, Error, Packages, Reason, Secret, Timestamp, Vault, limits,
    vault::PinDomain,
};
use aileron_proto::vault::v1::{self as pb, vault_service_client::VaultServiceClient};
use aileron_wire::{Server, audit, egress, packages, vault};
use futures::StreamExt;
use serde_json::json;
use tonic::{Code, transport::Endpoint};

use crate::{
    fakes::{Fakes, audit::STUCK},
    samples::{self, name},
    served::{Served, TOKEN, token},
};

/// Whoever waits longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_wrong_token_is_refused_before_the_service_is_asked() {
    let served = Served::start(&Fakes::default()).await;
    for wrong in [format!("{TOKEN}x"), TOKEN.replace('a', "b"), "0123456789abcdef".to_owned()] {
        let channel = aileron_wire::connect(&served.socket(), Secret::from(wrong)).unwrap();
        let error =
            vault::Remote::new(channel).status(&Context::service("test")).await.unwrap_err();
        // Not `token_invalid`: the person's own token is not what is wrong.
        assert_eq!(error.reason(), Reason::ServiceUnavailable, "{error}");
        assert!(error.public().contains("service token"), "{error}");
    }
    assert!(served.fakes.vault.stage.take().is_empty());
    served.stop().await;
}

#[tokio::test]
async fn a_call_without_a_token_is_refused() {
    let served = Served::start(&Fakes::default()).await;
    let endpoint = format!("unix://{}", served.socket().display());
    let channel = Endpoint::from_shared(endpoint).unwrap().connect().await.unwrap();
    let status = VaultServiceClient::new(channel)
        .status(pb::StatusRequest { context: None })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(served.fakes.vault.stage.take().is_empty());
    served.stop().await;
}

#[tokio::test]
async fn a_server_with_an_unfit_token_does_not_serve() {
    let home = tempfile::tempdir().unwrap();
    let listener = aileron_wire::listen(&home.path().join("run/x.sock")).await.unwrap();
    let server = Server::new(Secret::new(Vec::new()));
    let error = server.serve(listener, std::future::pending()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConfigInvalid);
}

#[tokio::test]
async fn a_contract_that_is_not_offered_is_unavailable() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("run/audit.sock");
    let listener = aileron_wire::listen(&socket).await.unwrap();
    let server = Server::new(token()).audit(Fakes::default().audit);
    let channel = aileron_wire::connect(&socket, token()).unwrap();
    let remote = packages::Remote::new(channel);
    let context = Context::service("test");
    tokio::select! {
        result = server.serve(listener, std::future::pending()) => panic!("{result:?}"),
        result = remote.connectors(&context) => {
            let error = result.unwrap_err();
            assert_eq!(error.reason(), Reason::ServiceUnavailable);
            assert!(error.public().contains("no packages service"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_message_without_a_context_is_invalid() {
    let served = Served::start(&Fakes::default()).await;
    let endpoint = format!("unix://{}", served.socket().display());
    let channel = Endpoint::from_shared(endpoint).unwrap().connect().await.unwrap();
    let mut request = tonic::Request::new(pb::StatusRequest { context: None });
    let header = format!("Bearer {TOKEN}").parse().unwrap();
    request.metadata_mut().insert("authorization", header);
    let status = VaultServiceClient::new(channel).status(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert!(served.fakes.vault.stage.take().is_empty());
    served.stop().await;
}

#[tokio::test]
async fn an_oversize_message_is_refused_on_both_sides() {
    let served = Served::start(&Fakes::default()).await;
    let record = vec![0; limits::MESSAGE + 1];
    let remote = vault::Remote::new(served.channel());
    let context = Context::service("test");
    let error = remote.pin(&context, PinDomain::Run, record.clone()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::BodyTooLarge, "{error:?}");
    let mut request = samples::egress::request(false, "ECHO", bytes::Bytes::new());
    request.url = "x".repeat(limits::MESSAGE);
    let error = egress::Remote::new(served.channel()).send(&context, request).await.unwrap_err();
    assert_eq!(error.reason(), Reason::BodyTooLarge, "{error:?}");
    assert!(served.fakes.egress.stage.take().is_empty());

    // A caller that keeps no limit of its own.
    let endpoint = format!("unix://{}", served.socket().display());
    let channel = Endpoint::from_shared(endpoint).unwrap().connect().await.unwrap();
    let message = pb::PinRequest { context: None, domain: "run".to_owned(), record };
    let mut request = tonic::Request::new(message);
    let header = format!("Bearer {TOKEN}").parse().unwrap();
    request.metadata_mut().insert("authorization", header);
    let status = VaultServiceClient::new(channel).pin(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(served.fakes.vault.stage.take().is_empty());
    served.stop().await;
}

#[tokio::test]
async fn the_largest_error_arrives() {
    let served = Served::start(&Fakes::default()).await;
    let error = Error::new(Reason::HashMismatch, "%".repeat(limits::ERROR_TEXT))
        .with_details(json!("x".repeat(limits::ERROR_DETAILS - 2)));
    served.fakes.audit.stage.refuse_with(Some(error.clone()));
    let remote = audit::Remote::new(served.channel());
    let back = remote.checkpoint(&Context::service("test")).await.unwrap_err();
    assert_eq!(
        (back.reason(), back.public(), back.details()),
        (error.reason(), error.public(), error.details())
    );
    served.stop().await;
}

#[tokio::test]
async fn callers_of_a_stopped_service_fail_at_once_and_recover_when_it_is_back() {
    let served = Served::start(&Fakes::default()).await;
    let remote = audit::Remote::new(served.channel());
    let context = Context::service("test");
    for _ in 0..3 {
        remote.checkpoint(&context).await.unwrap();
    }
    let stopped = served.stop().await;
    for _ in 0..3 {
        let begun = Instant::now();
        let error = remote.checkpoint(&context).await.unwrap_err();
        assert_eq!(error.reason(), Reason::ServiceUnavailable, "{error}");
        assert!(error.public().contains("audit service"), "{error}");
        assert!(begun.elapsed() < PATIENCE);
    }
    let served = stopped.start_again().await;
    remote.checkpoint(&context).await.unwrap();
    served.stop().await;
}

#[tokio::test]
async fn a_remote_may_be_made_before_its_service() {
    let home = tempfile::tempdir().unwrap();
    let channel = aileron_wire::connect(&home.path().join("nobody.sock"), token()).unwrap();
    let error = audit::Remote::new(channel).checkpoint(&samples::context(true)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ServiceUnavailable);
}

#[tokio::test]
async fn a_passed_deadline_is_not_even_asked() {
    let served = Served::start(&Fakes::default()).await;
    let remote = audit::Remote::new(served.channel());
    let past = Context { deadline: Some(Timestamp::UNIX_EPOCH), ..Context::service("test") };
    assert_eq!(remote.checkpoint(&past).await.unwrap_err().reason(), Reason::DeadlineExceeded);
    assert!(served.fakes.audit.stage.take().is_empty());
    served.stop().await;
}

#[tokio::test]
async fn a_caller_waits_for_its_deadline_and_no_longer() {
    let served = Served::start(&Fakes::default()).await;
    let remote = audit::Remote::new(served.channel());
    let deadline = Timestamp::now() + Duration::from_millis(50);
    let context = Context { deadline: Some(deadline), ..Context::service("test") };
    let late = tokio::time::timeout(PATIENCE, remote.get(&context, name(STUCK))).await.unwrap();
    assert_eq!(late.unwrap_err().reason(), Reason::DeadlineExceeded);
    // And the service is not left working for nobody.
    served.fakes.audit.slow.dropped.notified().await;
    served.stop().await;
}

#[tokio::test]
async fn a_watch_is_told_when_the_service_stops() {
    let served = Served::start(&Fakes::default()).await;
    let remote = audit::Remote::new(served.channel());
    let mut watch = remote.watch(&Context::service("test"), 2).await.unwrap();
    watch.next().await.unwrap().unwrap();
    served.begin_stop();
    let error = watch.next().await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Reason::ShuttingDown, "{error}");
    assert!(watch.next().await.is_none());
    served.stop().await;
}

#[tokio::test]
async fn a_call_under_way_may_finish_while_the_service_stops() {
    let served = Served::start(&Fakes::default()).await;
    let remote = audit::Remote::new(served.channel());
    let context = Context::service("test");
    let event = aileron_contract::audit::Event {
        id: Some(name(crate::fakes::audit::SLOW)),
        ..samples::audit::event(false)
    };
    let fakes = served.fakes.clone();
    let append = remote.append(&context, event);
    let stop = async {
        fakes.audit.slow.entered.notified().await;
        served.begin_stop();
        fakes.audit.slow.release.notify_one();
    };
    let (answer, ()) = tokio::join!(append, stop);
    assert_eq!(answer.unwrap(), samples::audit::record(false));
    served.stop().await;
}
