//! The person sessions a command has open. Each is worth all that a person may do, so none of them
//! outlives its command: not when it fails, nor when a signal ends it in the middle.

use std::{pin::pin, time::Duration};

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
}

impl Held {
    /// Opens one. Whoever ends them all waits until it is known.
    pub(super) async fn open(
        &self,
        client: &Client,
        passphrase: &Sensitive,
    ) -> ApiResult<Answer<OpenedPersonSession>> {
        self.begun.notify_one();
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
        let mut command = pin!(command);
        let stopped = async {
            self.begun.notified().await;
            let asked = Signals::take()?.next().await;
            Err(Failure::Stopped(asked))
        };
        let asked = tokio::select! {
            biased;
            // Also one that was stopped at a question: it is over, and must not go on.
            done = &mut command => return done,
            asked = stopped => asked,
        };
        // A session may be on its way: the command goes on until its id is there.
        tokio::select! {
            biased;
            told = &mut command => return told,
            _open = self.open.lock() => {}
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
    use super::*;
    use crate::signals::Asked;

    #[tokio::test]
    async fn a_command_that_was_stopped_at_a_question_is_over() {
        let held = Held::default();
        let stopped = async { Err::<(), _>(Failure::Stopped(Asked::Interrupt)) };
        let done = held.ended_with(stopped).await;
        assert!(matches!(done, Err(Failure::Stopped(Asked::Interrupt))));
    }
}
