//! How far a download is, told to whoever waits for it.

use std::sync::Mutex;

use aileron_contract::{
    Context, Egress, Error, Principal, Reason, Result, Stream, Timestamp,
    egress::{Fetch, Outcome, Request, Response},
    packages::{Progress, Step},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::channel::mpsc;

use super::world::{World, connector_request, person, program};
use crate::packages::{fetch::Fetcher, underway::Underway};

/// Sends one body, as it is handed in.
struct Slow(Mutex<Option<Stream<Bytes>>>);

#[async_trait]
impl Egress for Slow {
    async fn send(&self, _: &Context, _: Request) -> Result<Outcome> {
        Err(Error::new(Reason::InternalError, "not part of this world"))
    }
    async fn fetch(&self, _: &Context, _: Fetch) -> Result<Outcome> {
        let body = self.0.lock().unwrap().take().unwrap();
        let headers = vec![("content-length".to_owned(), "10".to_owned())];
        Ok(Outcome::Answered(Response { status: 200, headers, body, binding: None }))
    }
}

#[tokio::test]
async fn bytes_are_counted_as_they_come() {
    let (send, body) = mpsc::unbounded();
    let egress = std::sync::Arc::new(Slow(Mutex::new(Some(Box::pin(body)))));
    let fetcher = Fetcher::new(egress, None, Vec::new(), || Timestamp::UNIX_EPOCH);
    let caller = person().principal;
    let underway = Underway::default().of(&caller);
    let package = "github://acme/notes@1.0.0".parse().unwrap();
    let watched = underway.fetching(&package);
    let url = "https://github.com/x".parse().unwrap();
    let archive = fetcher.archive(url, &watched);
    let looks = async {
        for (piece, received) in [("", 0), ("abc", 3), ("defg", 7)] {
            send.unbounded_send(Ok(Bytes::from_static(piece.as_bytes()))).unwrap();
            let step = Step::Fetching { received, total: Some(10) };
            let expected = vec![Progress { package: package.clone(), step }];
            while underway.seen_by(&caller) != expected {
                tokio::task::yield_now().await;
            }
        }
        send.unbounded_send(Ok(Bytes::from_static(b"hij"))).unwrap();
        drop(send);
    };
    let (archive, ()) = tokio::join!(archive, looks);
    assert_eq!(archive.unwrap(), "abcdefghij");
    drop(watched);
    assert!(underway.seen_by(&caller).is_empty());
}

#[tokio::test]
async fn progress_is_for_those_who_may_install_and_nothing_is_left_of_it() {
    let world = World::trusting().await;
    world.notes();
    let handle = world.handle();
    let agent = Context {
        principal: Principal::Agent("a1".into()),
        scopes: std::iter::empty().collect(),
        ..person()
    };
    assert_eq!(handle.progress(&agent).await.unwrap_err().reason(), Reason::ScopeMissing);
    for caller in [person(), program()] {
        let request = connector_request("github://acme/notes@1.0.0");
        handle.preview_connector(&caller, request.clone()).await.unwrap();
        handle.install_connector(&caller, request).await.unwrap();
        assert!(handle.progress(&caller).await.unwrap().is_empty());
    }
}
