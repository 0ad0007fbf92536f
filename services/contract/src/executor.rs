//! Actions, runs and approvals.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    Context, Principal, Result, Stream, Timestamp,
    closed::closed,
    failure::{Class, Failure},
    names::{
        ActionName, AuditId, BindingName, Fqn, GrantId, Identity, PackageRef, RunId, SessionId,
        Sha256Hash, Version,
    },
};

mod approvals;
mod grants;

pub use approvals::{
    Approval, ApprovalChange, ApprovalEvent, ApprovalKind, AskedBefore, ChangedLine, Decision,
    Field, LineChange, Position, Preview, Resolution,
};
pub use grants::{
    Grant, GrantCaller, GrantRequest, GrantRule, GrantState, GrantTerms, GrantVoid,
    GrantedArgument, GrantedBinding, GrantedConnector,
};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Executor>;

/// Runs actions, parks those that need a person, and remembers what became of each.
#[async_trait]
pub trait Executor: Send + Sync + 'static {
    /// Installed actions and the files that could not be loaded.
    async fn actions(&self, context: &Context) -> Result<Actions>;

    /// One installed action; `not_found`.
    async fn action(&self, context: &Context, name: ActionName) -> Result<Action>;

    /// Shows or hides an action; the file stays untouched.
    async fn set_enabled(
        &self,
        context: &Context,
        name: ActionName,
        enabled: bool,
    ) -> Result<Action>;

    /// Runs an action to its end, or parks it for approval. With an idempotency key in the
    /// context a repetition returns the first call's outcome, and `idempotency_conflict` when its
    /// arguments differ. The run goes on when the caller is gone.
    async fn run(&self, context: &Context, call: Call) -> Result<Started>;

    /// Runs, newest first.
    async fn runs(&self, context: &Context, filter: RunFilter) -> Result<Vec<Run>>;

    /// One run; `not_found`, also for another session's.
    async fn run_by_id(&self, context: &Context, id: RunId) -> Result<Run>;

    /// Approvals that wait for a person, oldest first.
    async fn approvals(&self, context: &Context) -> Result<Vec<Approval>>;

    /// Approvals as they come and go: what happened after `after`, or, without it or when that is
    /// too long ago, a snapshot first. A watcher that falls behind is ended with `busy` and may
    /// take the stream up again.
    async fn watch_approvals(
        &self,
        context: &Context,
        after: Option<Position>,
    ) -> Result<Stream<ApprovalEvent>>;

    /// Decides an approval, once. Only a person may. `not_found` when unknown or already decided.
    /// The run starts in the background.
    async fn decide(&self, context: &Context, id: RunId, decision: Decision) -> Result<()>;

    /// Says no to all that waits of one session, or of what one token asked for itself, with one
    /// reason; which those were. Each is a decision of its own. Only a person may. What was decided meanwhile, or asked after this
    /// began, stays as it is.
    async fn deny_all(
        &self,
        context: &Context,
        of: GrantCaller,
        reason: Option<String>,
    ) -> Result<Vec<RunId>>;

    /// What a grant would cover, for a person to look over; makes none. Only a person may ask.
    async fn propose_grant(&self, context: &Context, request: GrantRequest) -> Result<GrantTerms>;

    /// Lets calls run in advance: a few times, for one caller, until a date. Only a person may.
    /// `seen` is the digest of the terms the person looked over; `hash_mismatch` when the grant
    /// would cover anything else.
    async fn grant(
        &self,
        context: &Context,
        request: GrantRequest,
        seen: Sha256Hash,
    ) -> Result<Grant>;

    /// Grants, newest first, those that are over included for a while.
    async fn grants(&self, context: &Context) -> Result<Vec<Grant>>;

    /// Ends a grant; one that is over stays as it is. Only a person may. `not_found`.
    async fn revoke_grant(&self, context: &Context, id: GrantId) -> Result<()>;

    /// The vault was unlocked: resume what waits for it, check what was pinned.
    async fn wake(&self, context: &Context) -> Result<()>;

    /// Sizes for status pages.
    async fn counts(&self, context: &Context) -> Result<Counts>;
}

/// How many there are of each, for status pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub actions: u64,
    pub connectors: u64,
    pub pending_approvals: u64,
    /// What is no longer as a person accepted it; none is told while the vault is locked.
    pub drift: u64,
}

/// What is installed, sorted by name, and what could not be loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Actions {
    pub items: Vec<Action>,
    pub load_errors: Vec<LoadError>,
    /// What a person should know about the actions as a whole, once, in sentences.
    pub warnings: Vec<String>,
}

/// An action file that is not offered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    pub class: Class,
    pub message: String,
    pub file: String,
    /// From 1; 0 when unknown.
    pub line: u32,
}

/// An installed action as agents and persons see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub name: ActionName,
    pub version: Version,
    pub source: PackageRef,
    pub hash: Sha256Hash,
    pub requires: Vec<Requirement>,
    pub intent: String,
    pub inputs: Vec<Input>,
    pub steps: Vec<Step>,
    pub approval: Option<ApprovalRule>,
    pub enabled: bool,
    /// The file is not the one that was installed: it will not run until a person installs it
    /// again. None while the vault is locked.
    pub pinned: Option<bool>,
    /// Markdown.
    pub body: String,
    pub path: String,
    /// How the file departs from the published grammar, in a few sentences; empty when it keeps
    /// it.
    pub lenient: Vec<String>,
}

/// A connector an action needs, at exactly these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub package: PackageRef,
    pub hash: Sha256Hash,
    /// Operations the action may call.
    pub capabilities: Vec<String>,
}

/// A declared input of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub name: String,
    pub kind: InputKind,
    pub items: Option<InputKind>,
    pub required: bool,
    pub description: String,
    pub label: Option<String>,
    pub multiline: bool,
    /// The type as its author wrote it, when it is none of the published ones: `kind` is the
    /// nearest of those, and shown but not enforced.
    pub declared: Option<String>,
}

closed! {
    InputKind {
        String = "string",
        Integer = "integer",
        Number = "number",
        Boolean = "boolean",
        Array = "array",
        Object = "object",
    }
}

/// One call of a connector within an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub id: String,
    pub connector: Fqn,
    pub op: String,
    pub idempotent: Option<bool>,
    pub inputs: Map<String, Value>,
}

/// When an action waits for a person, and what the person is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalRule {
    pub required: bool,
    pub preview: Option<PreviewRule>,
}

/// A call made before the person decides, whose answer is shown on the card.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviewRule {
    pub op: String,
    pub args: Map<String, Value>,
    /// Label and dotted path, in declaration order.
    pub render: Vec<(String, String)>,
    pub multiline: Vec<String>,
}

/// A call of an action. `arguments` was read by [`json::strict`](crate::json::strict): no
/// duplicate keys, no lone surrogates, no integer beyond 2^53.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub action: ActionName,
    pub arguments: Map<String, Value>,
    /// Whose account to use with every connector that has a binding of it; the others use what
    /// they would use without. `binding_required` when none has.
    pub identity: Option<Identity>,
}

/// What `run` returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    Done(RunResult),
    Pending(Pending),
    Failed(Failure),
}

/// A successful run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunResult {
    pub run: RunId,
    pub audit_id: AuditId,
    /// The text the model sees: `{"action":…,"output":…,"steps":…}`.
    pub output: String,
    /// Of the last step's connector.
    pub connector: PackageRef,
    pub connector_hash: Sha256Hash,
    pub binding: Option<BindingName>,
    pub consent: ConsentDecision,
}

closed! {
    /// Why the run was allowed.
    ConsentDecision {
        Unattended = "unattended",
        Approved = "approved",
        /// A person let such calls run in advance.
        Granted = "granted",
    }
}

/// A parked run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub id: RunId,
    pub action: ActionName,
    pub connector: Option<Fqn>,
    pub expires_at: Timestamp,
}

closed! {
    /// Where a run stands. `awaiting_vault`, `parked` and `approved` wait; the last five are ends.
    RunState {
        Parked = "parked",
        Approved = "approved",
        AwaitingVault = "awaiting_vault",
        Running = "running",
        Done = "done",
        Failed = "failed",
        Ambiguous = "ambiguous",
        Denied = "denied",
        Expired = "expired",
    }
}

impl RunState {
    /// What a caller has to know of an end that leaves neither a result nor anybody's reason.
    pub const fn explained(self) -> Option<&'static str> {
        match self {
            Self::Expired => Some("nobody decided before the approval expired"),
            Self::Ambiguous => Some(
                "the request may have been carried out, and its answer was lost: look at the \
                 other side before running it again",
            ),
            Self::Parked
            | Self::Approved
            | Self::AwaitingVault
            | Self::Running
            | Self::Done
            | Self::Failed
            | Self::Denied => None,
        }
    }
}

/// One run with all that is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub action: ActionName,
    pub action_hash: Sha256Hash,
    pub connector: Option<Fqn>,
    pub arguments: Map<String, Value>,
    /// The account that was asked for.
    pub identity: Option<Identity>,
    pub state: RunState,
    /// The step under way or last attempted.
    pub step: Option<String>,
    pub gated: bool,
    /// What let it run without waiting.
    pub grant: Option<GrantId>,
    pub principal: Principal,
    pub session: Option<SessionId>,
    pub requested_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub decided_at: Option<Timestamp>,
    pub decided_by: Option<Principal>,
    pub reason: Option<String>,
    pub ended_at: Option<Timestamp>,
    pub result: Option<RunResult>,
    pub failure: Option<Failure>,
    /// SHA-256 over what the approval covers.
    pub digest: Option<Sha256Hash>,
    /// The record is not what the runtime wrote; it will not run.
    pub quarantined: bool,
}

/// What `runs` leaves in: all conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    pub action: Option<ActionName>,
    pub state: Option<RunState>,
    pub session: Option<SessionId>,
    /// At most this many; the service caps it.
    pub limit: Option<u32>,
}
