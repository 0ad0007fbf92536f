//! How the tools reach the runtime.

use std::future::Future;

use rmcp::model::Extensions;
use serde_json::value::RawValue;

use crate::{
    actions::{Actions, RunPending, RunResult},
    approvals::ApprovalResult,
};

/// The runtime, as the tools use it. `caller` is what the transport knows of the request.
pub trait Door: Send + Sync + 'static {
    /// Installed actions.
    fn actions(&self, caller: &Extensions)
    -> impl Future<Output = Result<Actions, Trouble>> + Send;

    /// Runs an action, or parks it. A caller that stops waiting does not stop the run.
    fn run(
        &self,
        caller: &Extensions,
        action: &str,
        arguments: &RawValue,
    ) -> impl Future<Output = Result<Ran, Trouble>> + Send;

    /// What became of a gated run.
    fn result(
        &self,
        caller: &Extensions,
        approval: &str,
    ) -> impl Future<Output = Result<ApprovalResult, Trouble>> + Send;
}

/// What a run came to, when it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    Done(RunResult),
    /// It waits for a person.
    Pending(RunPending),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers, or not in time, or not to the end.
    Unreachable { why: String },
    /// The runtime answered and refused: the published envelope as JSON.
    Refused { status: u16, body: String },
}
