//! Actions and runs.

use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Answer, Call, Client, Result, call::RUNNING};
use crate::{
    actions::{Action, Actions, PatchAction, RunAction, RunPending, RunResult},
    runs::{Run, RunFilter, Runs},
};

/// What a run came to, when it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    Done(RunResult),
    /// It waits for a person.
    Pending(RunPending),
}

impl Client {
    pub async fn actions(&self) -> Result<Answer<Actions>> {
        self.get(&["actions"]).await
    }

    pub async fn action(&self, name: &str) -> Result<Answer<Action>> {
        self.get(&["actions", name]).await
    }

    pub async fn patch_action(&self, name: &str, body: &PatchAction) -> Result<Answer<Action>> {
        self.send(Call::new(Method::PATCH, &["actions", name]).json(body)).await?.json()
    }

    /// Runs an action. A failure of the run is an [`Error::Api`](super::Error::Api) with
    /// `failure`. A repetition under the same idempotency key returns the first call's outcome.
    pub async fn run_action(
        &self,
        name: &str,
        body: &RunAction,
        idempotency_key: Option<&str>,
    ) -> Result<Answer<RunOutcome>> {
        self.run_with(name, body, idempotency_key).await
    }

    /// The same with arguments exactly as somebody wrote them. Read into values here, a key that
    /// appears twice would be one in silence; the API refuses it.
    pub async fn run_action_as_written(
        &self,
        name: &str,
        (args, identity): (&RawValue, Option<&str>),
        idempotency_key: Option<&str>,
    ) -> Result<Answer<RunOutcome>> {
        #[derive(Serialize)]
        struct Body<'a> {
            args: &'a RawValue,
            #[serde(skip_serializing_if = "Option::is_none")]
            identity: Option<&'a str>,
        }
        self.run_with(name, &Body { args, identity }, idempotency_key).await
    }

    async fn run_with(
        &self,
        name: &str,
        body: &impl Serialize,
        idempotency_key: Option<&str>,
    ) -> Result<Answer<RunOutcome>> {
        let call = Call::new(Method::POST, &["actions", name, "run"])
            .json(body)
            .idempotency_key(idempotency_key)
            .timeout(RUNNING);
        let received = self.send(call).await?;
        if received.status() == 202 {
            return Ok(received.json()?.map(RunOutcome::Pending));
        }
        Ok(received.json()?.map(RunOutcome::Done))
    }

    pub async fn runs(&self, filter: &RunFilter) -> Result<Answer<Runs>> {
        self.send(Call::new(Method::GET, &["action-runs"]).filter(filter)).await?.json()
    }

    pub async fn run(&self, id: &str) -> Result<Answer<Run>> {
        self.get(&["action-runs", id]).await
    }
}

impl<T> Answer<T> {
    fn map<U>(self, with: impl FnOnce(T) -> U) -> Answer<U> {
        let Self { status, value, raw, request_id } = self;
        Answer { status, value: with(value), raw, request_id }
    }
}
