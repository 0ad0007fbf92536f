//! Over TCP, both sides show a certificate of the private authority, and its role decides.

use std::{net::SocketAddr, sync::Arc};

use aileron_contract::{Audit, Context, Error, Reason, Result, Secret, audit::Checkpoint};
use aileron_wire::{Server, audit::Remote, tls};

use crate::{authority::Authority, fakes::Fakes, served::token};

/// What a peer of this role shows.
fn of(authority: &Authority, role: &str) -> tls::Material {
    let (certificate, key) = authority.certify(&[role]);
    tls::Material {
        certificate: certificate.pem(),
        key: Secret::from(key.serialize_pem()),
        authority: authority.pem.clone(),
    }
}

/// A server that is `role` and answers executors, asked once.
async fn ask(
    server: &tls::Material,
    client: impl FnOnce(SocketAddr) -> Result<aileron_wire::Channel>,
) -> Result<Checkpoint> {
    let listener = tls::listen("127.0.0.1:0".parse().unwrap(), server, &["executor"]).unwrap();
    let remote = Remote::new(client(listener.address().unwrap())?);
    let fakes = Fakes::default();
    let audit = Arc::clone(&fakes.audit);
    let serving = Server::new(token()).audit(audit);
    let context = Context::service("test");
    tokio::select! {
        result = serving.serve_tls(listener, std::future::pending()) => panic!("{result:?}"),
        result = remote.checkpoint(&context) => {
            assert_eq!(fakes.audit.stage.take().len(), usize::from(result.is_ok()));
            result
        }
    }
}

fn refused(result: Result<Checkpoint>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.reason(), Reason::ServiceUnavailable, "{error}");
    error
}

#[tokio::test]
async fn an_expected_role_of_the_authority_is_answered() {
    let authority = Authority::new();
    let (server, client) = (of(&authority, "audit"), of(&authority, "executor"));
    ask(&server, |at| tls::connect(&at.to_string(), "audit", &client, token())).await.unwrap();
}

#[tokio::test]
async fn another_role_of_the_authority_is_refused() {
    let authority = Authority::new();
    let server = of(&authority, "audit");
    for role in ["gateway", "audit", "xexecutor", "executor.example"] {
        let client = of(&authority, role);
        let answer = ask(&server, |at| tls::connect(&at.to_string(), "audit", &client, token()));
        refused(answer.await);
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_by_both_sides() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = of(&ours, "audit");
    // A stranger who knows our authority's certificate, which is no secret.
    let stranger = tls::Material { authority: ours.pem.clone(), ..of(&theirs, "executor") };
    refused(ask(&server, |at| tls::connect(&at.to_string(), "audit", &stranger, token())).await);
    let fooled = tls::Material { authority: theirs.pem.clone(), ..of(&ours, "executor") };
    refused(ask(&server, |at| tls::connect(&at.to_string(), "audit", &fooled, token())).await);
}

#[tokio::test]
async fn a_server_of_another_role_is_not_believed() {
    let authority = Authority::new();
    let (server, client) = (of(&authority, "gateway"), of(&authority, "executor"));
    refused(ask(&server, |at| tls::connect(&at.to_string(), "audit", &client, token())).await);
}

#[tokio::test]
async fn the_token_is_needed_here_as_well() {
    let authority = Authority::new();
    let (server, client) = (of(&authority, "audit"), of(&authority, "executor"));
    let wrong = || Secret::new(b"another-token-entirely".to_vec());
    let answer = ask(&server, |at| tls::connect(&at.to_string(), "audit", &client, wrong())).await;
    assert!(refused(answer).public().contains("service token"));
}
