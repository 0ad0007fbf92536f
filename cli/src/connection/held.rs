//! The person sessions a command has open. Each is worth all that a person may do, so none of them
//! outlives its command: not when it fails, nor when a signal ends it in the middle.

use std::{
    future::pending,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use aileron_api::{
    Sensitive,
    access::{OpenPersonSession, OpenedPersonSession},
    client::{Answer, Client, Result as ApiResult},
};
use tokio::sync::{Mutex, Notify};

use crate::{
    failure::{Failure, Result},
    signals::Signals,
};

/// What ending them may take, and what one may take that is being opened.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(crate) struct Held {
    /// With the client that acts in it.
    open: Mutex<Vec<(String, Client)>>,
    /// There are some from here on.
    begun: Notify,
    /// Whoever opens one from here on does not go on with it.
    stopped: AtomicBool,
}

impl Held {
    /// Opens one. Whoever ends them all waits until it is known.
    pub(super) async fn open(
        &self,
        client: &Client,
        passphrase: &Sensitive,
    ) -> ApiResult<Answer<OpenedPersonSession>> {
        self.begun.notify_one();
        let answer = self.opened(client, passphrase).await;
        if self.stopped.load(Ordering::SeqCst) {
            // The person said stop meanwhile: nothing is done any more, and nothing asked.
            pending::<()>().await;
        }
        answer
    }

    async fn opened(
        &self,
        client: &Client,
        passphrase: &Sensitive,
    ) -> ApiResult<Answer<OpenedPersonSession>> {
        let mut open = self.open.lock().await;
        let body = OpenPersonSession { passphrase: passphrase.clone() };
        let answer = client.open_person_session(&body).await?;
        let own = client.with_token(answer.value.token.expose())?;
        open.push((answer.value.id.clone(), own));
        Ok(answer)
    }

    /// Ends one; it ends by itself within minutes: a failure here is not worth a word.
    pub(crate) async fn close(&self, id: &str) {
        let known = async || {
            let open = self.open.lock().await;
            open.iter().find(|(known, _)| known == id).map(|(_, client)| client.clone())
        };
        if let Some(client) = known().await {
            drop(client.close_person_session(id).await);
            // Only now: a signal may end the command before the runtime has heard of it.
            drop(self.take(id).await);
        }
    }

    /// Leaves one open: it is somebody else's from here on.
    pub(crate) async fn hand_over(&self, id: &str) {
        drop(self.take(id).await);
    }

    async fn take(&self, id: &str) -> Option<Client> {
        let mut open = self.open.lock().await;
        let place = open.iter().position(|(known, _)| known == id)?;
        Some(open.swap_remove(place).1)
    }

    /// Runs a command, and ends what it leaves open. Until it opens a session, signals end it as
    /// they end every program.
    pub(crate) async fn ended_with<T>(
        &self,
        command: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let stopped = async {
            self.begun.notified().await;
            let asked = Signals::take()?.next().await;
            Err(Failure::Stopped(asked))
        };
        self.ended_by(command, stopped).await
    }

    async fn ended_by<T>(
        &self,
        command: impl Future<Output = Result<T>>,
        stopped: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut command = pin!(command);
        let asked = tokio::select! {
            biased;
            // Also one that was stopped at a question: it is over, and must not go on.
            done = &mut command => return done,
            asked = stopped => asked,
        };
        self.stopped.store(true, Ordering::SeqCst);
        // A session may be on its way: the command goes on until its id is there, and no further.
        tokio::select! {
            biased;
            _open = self.open.lock() => {}
            told = &mut command => return told,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        asked
    }

    /// Ends all that are open.
    pub(crate) async fn close_all(&self) {
        let closing = async {
            let open = std::mem::take(&mut *self.open.lock().await);
            for (id, client) in open {
                drop(client.close_person_session(&id).await);
            }
        };
        drop(tokio::time::timeout(PATIENCE, closing).await);
    }
}

#[cfg(test)]
mod tests {
    use aileron_api::client::Endpoint;
    use serde_json::json;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::signals::Asked;

    #[tokio::test]
    async fn a_command_that_was_stopped_at_a_question_is_over() {
        let held = Held::default();
        let stopped = async { Err::<(), _>(Failure::Stopped(Asked::Interrupt)) };
        let done = held.ended_with(stopped).await;
        assert!(matches!(done, Err(Failure::Stopped(Asked::Interrupt))));
    }

    /// Answers one request with a session, when it is told to.
    async fn serve(listener: TcpListener, asked: &Notify, answer: &Notify) {
        let mut caller = listener.accept().await.unwrap().0;
        let mut request = [0; 4096];
        assert!(caller.read(&mut request).await.unwrap() > 0);
        asked.notify_one();
        answer.notified().await;
        let body = json!({
            "id": "session-1",
            "token": "t",
            "opened_at": "2026-01-01T00:00:00Z",
            "expires_at": "2026-01-01T00:00:00Z",
        });
        let body = body.to_string();
        let head = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: ";
        let text = format!("{head}{}\r\n\r\n{body}", body.len());
        caller.write_all(text.as_bytes()).await.unwrap();
        pending::<()>().await;
    }

    #[tokio::test]
    async fn a_stop_while_the_passphrase_is_checked_ends_the_command_there() {
        let (asked, answer) = (Notify::new(), Notify::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let client = Client::new(Endpoint { base_url, token: None, extra_root: None }).unwrap();
        let (held, went_on) = (Held::default(), AtomicBool::new(false));
        let command = async {
            held.open(&client, &Sensitive::new("right".to_owned())).await.unwrap();
            went_on.store(true, Ordering::SeqCst);
            Ok(())
        };
        let stop = async {
            asked.notified().await;
            answer.notify_one();
            Err(Failure::Stopped(Asked::Interrupt))
        };
        let done = tokio::select! {
            done = held.ended_by(command, stop) => done,
            () = serve(listener, &asked, &answer) => panic!("it serves until it is dropped"),
        };
        assert!(matches!(done, Err(Failure::Stopped(Asked::Interrupt))));
        assert!(!went_on.load(Ordering::SeqCst), "it did what only comes after the passphrase");
        assert_eq!(held.open.lock().await[0].0, "session-1", "nobody would end it");
    }
}
