//! A credential that was opened for one request serves the next, and not a moment longer than the
//! vault says the same of it.

use std::{
    sync::{Mutex, mpsc::channel},
    time::Duration,
};

use aileron_contract::{
    bindings::Consent,
    egress::{Outcome, Response},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};

use crate::{
    egress::{
        house::{request, text},
        upstream::{Upstream, plain, redirect, whole},
    },
    house::{House, consent, daemon, secret, service},
};

const NAME: &str = "api_key/notes/me";

async fn bound(upstream: &Upstream) -> House {
    let house = House::with_vault().await;
    house
        .service
        .bindings()
        .bind(&service(), consented(upstream), secret("first-key"))
        .await
        .unwrap();
    house
}

fn consented(upstream: &Upstream) -> Consent {
    consent("github://acme/notes", "me", &[&upstream.named()])
}

async fn sent(house: &House, upstream: &Upstream) -> Outcome {
    let host = upstream.named();
    let mut asked = request(&format!("http://{host}/"), &[&host]);
    asked.connector = "github://acme/notes".parse().unwrap();
    house.service.egress().send(&service(), asked).await.unwrap()
}

async fn answered(house: &House, upstream: &Upstream) -> String {
    match sent(house, upstream).await {
        Outcome::Answered(response) => text(response).await,
        Outcome::Failed(failure) => panic!("{failure:?}"),
    }
}

async fn upstream() -> Upstream {
    plain(|_| whole(200, "ok")).await
}

fn shown(upstream: &Upstream) -> Vec<String> {
    let seen = upstream.seen();
    seen.iter().map(|seen| seen.header("authorization").unwrap_or("none").to_owned()).collect()
}

#[tokio::test]
async fn the_next_request_carries_the_key_that_is_bound_now() {
    let upstream = upstream().await;
    let house = bound(&upstream).await;
    for _ in 0..3 {
        assert_eq!(answered(&house, &upstream).await, "ok");
    }
    let vault = house.service.vault();
    house
        .service
        .bindings()
        .bind(&service(), consented(&upstream), secret("second-key"))
        .await
        .unwrap();
    answered(&house, &upstream).await;
    // Another entry's change is a change of the file, and changes nothing here.
    vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
    answered(&house, &upstream).await;
    let (first, second) = ("Bearer first-key", "Bearer second-key");
    assert_eq!(shown(&upstream), [first, first, first, second, second]);
}

#[tokio::test]
async fn nothing_leaves_with_a_key_after_the_lock_or_the_end_of_its_binding() {
    let upstream = upstream().await;
    let house = bound(&upstream).await;
    answered(&house, &upstream).await;
    let vault = house.service.vault();
    vault.lock(&service()).await.unwrap();
    assert!(matches!(sent(&house, &upstream).await, Outcome::Failed(_)));
    vault.unlock(&daemon(), secret("open sesame")).await.unwrap();
    answered(&house, &upstream).await;
    house.service.bindings().revoke(&service(), NAME.parse().unwrap()).await.unwrap();
    assert!(matches!(sent(&house, &upstream).await, Outcome::Failed(_)));
    assert_eq!(shown(&upstream).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redirect_takes_the_key_no_further_than_the_person_lets_it() {
    for end in ["lock", "revoke", "rebind"] {
        let (arrived, arrival) = channel();
        let (go, gone) = channel();
        let (arrived, gone) = (Mutex::new(arrived), Mutex::new(gone));
        let upstream = plain(move |_| {
            arrived.lock().unwrap().send(()).unwrap();
            gone.lock().unwrap().recv().unwrap();
            redirect(307, "/next")
        })
        .await;
        let house = bound(&upstream).await;
        let vault = house.service.vault();
        let ends = async {
            tokio::task::spawn_blocking(move || arrival.recv().unwrap()).await.unwrap();
            match end {
                "lock" => drop(vault.lock(&service()).await.unwrap()),
                "revoke" => {
                    let bindings = house.service.bindings();
                    bindings.revoke(&service(), NAME.parse().unwrap()).await.unwrap();
                }
                _ => {
                    let second = secret("second-key");
                    house
                        .service
                        .bindings()
                        .bind(&service(), consented(&upstream), second)
                        .await
                        .unwrap();
                }
            }
            go.send(()).unwrap();
        };
        let (outcome, ()) = tokio::join!(sent(&house, &upstream), ends);
        assert!(matches!(outcome, Outcome::Failed(_)), "{end}: {outcome:?}");
        assert_eq!(shown(&upstream), ["Bearer first-key"], "{end}");
    }
}

#[tokio::test]
async fn an_edit_of_the_file_is_noticed_between_two_requests() {
    let upstream = upstream().await;
    let house = bound(&upstream).await;
    answered(&house, &upstream).await;
    let good = house.bytes();
    let edited = String::from_utf8(good.clone()).unwrap().replace("localhost", "evilhost1");
    assert_ne!(edited.as_bytes(), good);
    for bytes in [edited.as_bytes(), b"{}", b""] {
        house.plant(bytes);
        assert!(matches!(sent(&house, &upstream).await, Outcome::Failed(_)));
        house.plant(&good);
        answered(&house, &upstream).await;
    }
    std::fs::remove_file(house.file()).unwrap();
    assert!(matches!(sent(&house, &upstream).await, Outcome::Failed(_)));
    assert_eq!(shown(&upstream).len(), 4);
}

#[tokio::test]
async fn what_another_connector_or_another_account_is_given_is_its_own() {
    let upstream = upstream().await;
    let house = bound(&upstream).await;
    let host = upstream.named();
    let you = consent("github://acme/notes", "you", &[&host]);
    house.service.bindings().bind(&service(), you, secret("key-of-you")).await.unwrap();
    let asked = |connector: &str, binding: &str| {
        let mut asked = request(&format!("http://{host}/"), &[&host]);
        asked.connector = connector.parse().unwrap();
        asked.credential.as_mut().unwrap().binding = binding.parse().ok();
        asked
    };
    let egress = house.service.egress();
    for _ in 0..2 {
        for binding in [NAME, "api_key/notes/you"] {
            let outcome = egress.send(&service(), asked("github://acme/notes", binding)).await;
            let Outcome::Answered(Response { body, .. }) = outcome.unwrap() else { panic!() };
            drop(body);
        }
        let outcome = egress.send(&service(), asked("github://evil/notes", NAME)).await;
        assert!(matches!(outcome.unwrap(), Outcome::Failed(_)));
    }
    let [me, you] = ["Bearer first-key", "Bearer key-of-you"];
    assert_eq!(shown(&upstream), [me, you, me, you]);
}

/// A kept connection's buffers hold what was sent on it.
#[tokio::test]
async fn a_lock_ends_the_connections_that_are_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let mut upstream = JoinSet::new();
    upstream.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        stream.read(&mut [0; 4096]).await.unwrap()
    });
    let house = House::with_vault().await;
    let consented = consent("github://acme/notes", "me", &[&host]);
    house.service.bindings().bind(&service(), consented, secret("first-key")).await.unwrap();
    let mut asked = request(&format!("http://{host}/"), &[&host]);
    asked.connector = "github://acme/notes".parse().unwrap();
    let outcome = house.service.egress().send(&service(), asked).await.unwrap();
    let Outcome::Answered(response) = outcome else { panic!("it was not answered") };
    assert_eq!(text(response).await, "ok");
    assert!(upstream.try_join_next().is_none());
    house.service.vault().lock(&service()).await.unwrap();
    let more = tokio::time::timeout(Duration::from_secs(20), upstream.join_next()).await;
    assert_eq!(more.unwrap().unwrap().unwrap(), 0);
}
