//! The way to the runtime: its REST API.

use aileron_api::{
    Sensitive,
    actions::Actions,
    approvals::ApprovalResult,
    client::{Client, Endpoint, Error, RunOutcome},
    mcp::{Door, Ran, Trouble},
};
use rmcp::model::Extensions;
use serde_json::value::RawValue;

use crate::environment::Environment;

/// The API, or nothing when the host named none.
#[derive(Debug)]
pub(crate) struct Rest(Option<Client>);

impl Rest {
    /// Checks the address and connects with the first call.
    pub(crate) fn new(environment: Environment) -> Result<Self, String> {
        let Environment { base_url, token, session, .. } = environment;
        let Some(base_url) = base_url else { return Ok(Self(None)) };
        let token = token.map(Sensitive::into_inner);
        let client = Client::new(Endpoint { base_url, token, extra_root: None });
        let client = client.and_then(|client| match session {
            Some(session) => client.with_session(&session),
            None => Ok(client),
        });
        client.map(|client| Self(Some(client))).map_err(|error| error.to_string())
    }

    fn client(&self) -> Result<&Client, Trouble> {
        self.0.as_ref().ok_or_else(|| Trouble::Unreachable {
            why: "AILERON_URL is not set for this server".to_owned(),
        })
    }
}

impl Door for Rest {
    async fn actions(&self, _: &Extensions) -> Result<Actions, Trouble> {
        let listing = self.client()?.actions().await.map_err(trouble)?;
        Ok(listing.value)
    }

    async fn run(
        &self,
        _: &Extensions,
        action: &str,
        arguments: &RawValue,
    ) -> Result<Ran, Trouble> {
        let call = self.client()?.run_action_as_written(action, (arguments, None), None);
        Ok(match call.await.map_err(trouble)?.value {
            RunOutcome::Done(done) => Ran::Done(done),
            RunOutcome::Pending(pending) => Ran::Pending(pending),
        })
    }

    async fn result(&self, _: &Extensions, approval: &str) -> Result<ApprovalResult, Trouble> {
        let result = self.client()?.approval_result(approval).await.map_err(trouble)?;
        Ok(result.value)
    }
}

fn trouble(error: Error) -> Trouble {
    match error {
        Error::Api(error) => Trouble::Refused { status: error.status, body: error.raw },
        other => Trouble::Unreachable { why: other.to_string() },
    }
}
