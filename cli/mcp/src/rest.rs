//! The way to the runtime: its REST API.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use aileron_api::{
    Sensitive,
    actions::Actions,
    approvals::ApprovalResult,
    client::{Client, Endpoint, Error, RunOutcome, discovered},
    mcp::{Door, Ran, Trouble},
};
use rmcp::model::Extensions;
use serde_json::value::RawValue;

use crate::environment::Environment;

/// Where the API is.
#[derive(Debug)]
pub(crate) enum Rest {
    /// Where the host says.
    At(Client),
    /// Wherever the daemon of this machine is: one that is started again listens elsewhere.
    Here(Here),
}

/// The daemon of a state folder.
#[derive(Debug)]
pub(crate) struct Here {
    home: PathBuf,
    token: Option<Sensitive>,
    session: Option<String>,
    found: Mutex<Option<Found>>,
}

#[derive(Debug)]
struct Found {
    url: String,
    token: Option<Sensitive>,
    client: Client,
}

impl Rest {
    /// Checks the address, if there is one, and connects with the first call.
    pub(crate) fn new(environment: Environment) -> Result<Self, String> {
        let Environment { base_url, home, token, session, .. } = environment;
        let Some(base_url) = base_url else {
            return Ok(Self::Here(Here { home, token, session, found: Mutex::default() }));
        };
        let client = client(base_url, token, session.as_deref());
        client.map(Self::At).map_err(|error| error.to_string())
    }

    fn client(&self) -> Result<Client, Trouble> {
        match self {
            Self::At(client) => Ok(client.clone()),
            Self::Here(here) => here.client(),
        }
    }
}

impl Here {
    /// To the daemon that left its file there last.
    fn client(&self) -> Result<Client, Trouble> {
        let unreachable = |why: String| Trouble::Unreachable { why };
        let found = discovered(&self.home).map_err(|error| unreachable(error.to_string()))?;
        let found = found.ok_or_else(|| unreachable(nowhere(&self.home)))?;
        let token = self.token.clone().or_else(|| found.token.map(Sensitive::new));
        let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known
            && known.url == found.url
            && known.token.as_ref().map(Sensitive::expose) == token.as_ref().map(Sensitive::expose)
        {
            return Ok(known.client.clone());
        }
        let client = client(format!("{}/v1", found.url), token.clone(), self.session.as_deref())
            .map_err(|error| unreachable(error.to_string()))?;
        *known = Some(Found { url: found.url, token, client: client.clone() });
        Ok(client)
    }
}

/// Neither the host nor the machine says where the runtime is.
fn nowhere(home: &Path) -> String {
    format!(
        "no daemon runs for {}: start it with `aileron daemon start`, or set AILERON_URL for this \
         server",
        home.display()
    )
}

fn client(
    base_url: String,
    token: Option<Sensitive>,
    session: Option<&str>,
) -> Result<Client, Error> {
    let token = token.map(Sensitive::into_inner);
    let client = Client::new(Endpoint { base_url, token, extra_root: None })?;
    session.map_or_else(|| Ok(client.clone()), |session| client.with_session(session))
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
        let client = self.client()?;
        let call = client.run_action_as_written(action, (arguments, None), None);
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
