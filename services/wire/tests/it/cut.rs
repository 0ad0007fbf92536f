//! A service that dies in the middle: a runtime of its own, dropped with everything in it.

use std::{path::Path, thread, time::Duration};

use aileron_contract::{
    Audit, Context, Egress, Reason,
    egress::{Outcome, Response},
};
use aileron_wire::{audit, egress};
use bytes::Bytes;
use futures::StreamExt;
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::oneshot};

use crate::{
    fakes::Fakes,
    samples::egress::request,
    served::{server, token},
};

/// Serves until killed; nothing is drained, nothing is said.
struct Mortal {
    home: TempDir,
    runtime: Option<Runtime>,
}

impl Mortal {
    async fn start(fakes: &Fakes) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (socket, fakes) = (Self::socket(home.path()), fakes.clone());
        let (ready, listening) = oneshot::channel();
        // A runtime may not be made inside another one's task.
        let runtime = thread::spawn(|| Runtime::new().unwrap()).join().unwrap();
        runtime.spawn(async move {
            let listener = aileron_wire::listen(&socket).await.unwrap();
            ready.send(()).unwrap();
            server(&fakes).serve(listener, std::future::pending()).await.unwrap();
        });
        listening.await.unwrap();
        Self { home, runtime: Some(runtime) }
    }

    fn socket(home: &Path) -> std::path::PathBuf {
        home.join("run/service.sock")
    }

    fn channel(&self) -> aileron_wire::Channel {
        aileron_wire::connect(&Self::socket(self.home.path()), token()).unwrap()
    }

    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.kill();
    }
}

fn context() -> Context {
    Context::service("test")
}

#[tokio::test]
async fn an_answer_lost_before_it_began_is_the_boundarys_error() {
    let fakes = Fakes::default();
    let mut mortal = Mortal::start(&fakes).await;
    let remote = egress::Remote::new(mortal.channel());
    let (context, stuck) = (context(), request(false, "STUCK", Bytes::new()));
    let kill = async {
        fakes.egress.entered.notified().await;
        mortal.kill();
    };
    let (outcome, ()) = tokio::join!(remote.send(&context, stuck), kill);
    let error = outcome.unwrap_err();
    assert_eq!(error.reason(), Reason::ServiceUnavailable, "{error}");
}

#[tokio::test]
async fn a_body_lost_in_the_middle_ends_with_an_error() {
    let mut mortal = Mortal::start(&Fakes::default()).await;
    let remote = egress::Remote::new(mortal.channel());
    let half = request(false, "HALF", Bytes::from_static(b"half"));
    let outcome = remote.send(&context(), half).await.unwrap();
    let Outcome::Answered(Response { mut body, .. }) = outcome else { panic!("not answered") };
    assert_eq!(body.next().await.unwrap().unwrap(), "half");
    mortal.kill();
    let error = body.next().await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Reason::ServiceUnavailable, "{error}");
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_watch_whose_service_dies_ends_with_an_error() {
    let mut mortal = Mortal::start(&Fakes::default()).await;
    let remote = audit::Remote::new(mortal.channel());
    let mut watch = remote.watch(&context(), 2).await.unwrap();
    watch.next().await.unwrap().unwrap();
    mortal.kill();
    assert_eq!(watch.next().await.unwrap().unwrap_err().reason(), Reason::ServiceUnavailable);
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_body_that_never_goes_on_ends_with_the_requests_time() {
    let mortal = Mortal::start(&Fakes::default()).await;
    let remote = egress::Remote::new(mortal.channel());
    let mut half = request(false, "HALF", Bytes::from_static(b"half"));
    half.timeout = Duration::from_secs(2);
    let outcome = remote.send(&context(), half).await.unwrap();
    let Outcome::Answered(Response { mut body, .. }) = outcome else { panic!("not answered") };
    body.next().await.unwrap().unwrap();
    assert_eq!(body.next().await.unwrap().unwrap_err().reason(), Reason::DeadlineExceeded);
}
