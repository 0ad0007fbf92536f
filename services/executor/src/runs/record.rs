//! One run as a value: what is known about it and, below, which moves are left and what callers
//! see. No clock, no table, no log in here.

use aileron_contract::{
    Principal, Timestamp, TraceParent,
    executor::{ConsentDecision, Preview, RunResult, RunState},
    failure::Failure,
    names::{ActionName, Fqn, GrantId, Identity, RunId, SessionId, Sha256Hash},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::text::{
    self, FailureForm, PreviewForm, ResultForm, is_zero, optional, optional_principal, plain,
    principal,
};

mod moves;
mod sight;

pub(crate) use moves::Refusal;
pub(crate) use sight::{confined, visible};

/// A run. Its text is what the table holds and the vault pins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    #[serde(with = "plain")]
    pub(crate) id: RunId,
    /// Counts the moves: a row is only ever replaced by the one after it.
    pub(crate) version: u32,
    #[serde(with = "plain")]
    pub(crate) action: ActionName,
    #[serde(with = "plain")]
    pub(crate) action_hash: Sha256Hash,
    /// Of the first step.
    #[serde(with = "optional")]
    pub(crate) connector: Option<Fqn>,
    pub(crate) arguments: Map<String, Value>,
    /// The account that was asked for. Records of calls without one do not mention it, as those
    /// from before there was any.
    #[serde(default, with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<Identity>,
    #[serde(with = "principal")]
    pub(crate) principal: Principal,
    /// Who began the agent's session.
    #[serde(default, with = "optional_principal", skip_serializing_if = "Option::is_none")]
    pub(crate) begun_by: Option<Principal>,
    #[serde(with = "optional")]
    pub(crate) session: Option<SessionId>,
    #[serde(with = "plain")]
    pub(crate) requested_at: Timestamp,
    pub(crate) gate: Option<Gate>,
    pub(crate) repetition: Option<Repetition>,
    /// The span that asked for it, if somebody records that: the run may go on much later.
    #[serde(default, with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<TraceParent>,
    /// The grant that let it run without waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grant: Option<GrantUse>,
    pub(crate) phase: Phase,
}

/// A use of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantUse {
    #[serde(with = "plain")]
    pub(crate) id: GrantId,
    pub(crate) number: u32,
}

/// What makes a run wait for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gate {
    /// What the approval covers.
    #[serde(with = "plain")]
    pub(crate) digest: Sha256Hash,
    /// The part of it that tells a changed binding from a changed file.
    #[serde(with = "plain")]
    pub(crate) credentials: Sha256Hash,
    #[serde(with = "plain")]
    pub(crate) expires_at: Timestamp,
    pub(crate) decision: Option<Verdict>,
    /// What the card shows of what the call would act upon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preview: Option<Box<Shown>>,
    /// How often a person was asked already and what was shown then changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) round: u32,
    /// What the person agreed to the last time, when it changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Box<Before>>,
}

/// What an approval covered before it was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Before {
    #[serde(with = "plain")]
    pub(crate) digest: Sha256Hash,
    #[serde(with = "PreviewForm")]
    pub(crate) preview: Preview,
}

/// A preview as it was shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    /// Keeps the digest from telling what the preview holds.
    pub(crate) salt: String,
    #[serde(with = "PreviewForm")]
    pub(crate) preview: Preview,
}

/// A person's decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    pub(crate) approved: bool,
    #[serde(with = "principal")]
    pub(crate) by: Principal,
    #[serde(with = "plain")]
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
}

/// How a repeated call is recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repetition {
    /// Of the caller and its idempotency key: one run per value.
    #[serde(with = "plain")]
    pub(crate) key: Sha256Hash,
    /// Of the caller, the action, the arguments and the identity: a repetition has the same.
    #[serde(with = "plain")]
    pub(crate) request: Sha256Hash,
}

/// Where the run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Phase {
    Parked,
    Approved,
    Running {
        step: String,
        /// Steps already carried out.
        finished: Vec<String>,
        /// A request of this step that may change something was about to be sent.
        sending: bool,
    },
    Done {
        step: String,
        #[serde(with = "plain")]
        at: Timestamp,
        #[serde(with = "ResultForm")]
        result: RunResult,
    },
    Failed {
        step: Option<String>,
        #[serde(with = "plain")]
        at: Timestamp,
        #[serde(with = "FailureForm")]
        failure: Failure,
    },
    /// Nobody knows whether the step's effect happened. Never tried again.
    Ambiguous {
        step: String,
        #[serde(with = "plain")]
        at: Timestamp,
        #[serde(with = "FailureForm")]
        failure: Failure,
    },
    Denied {
        #[serde(with = "plain")]
        at: Timestamp,
    },
    Expired {
        #[serde(with = "plain")]
        at: Timestamp,
    },
}

impl Record {
    /// The state's stable name, for the table's index.
    pub(crate) fn state(&self) -> RunState {
        match self.phase {
            Phase::Parked => RunState::Parked,
            Phase::Approved => RunState::Approved,
            Phase::Running { .. } => RunState::Running,
            Phase::Done { .. } => RunState::Done,
            Phase::Failed { .. } => RunState::Failed,
            Phase::Ambiguous { .. } => RunState::Ambiguous,
            Phase::Denied { .. } => RunState::Denied,
            Phase::Expired { .. } => RunState::Expired,
        }
    }

    /// The text the table holds and the vault pins.
    pub(crate) fn to_text(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    pub(crate) fn from_text(text: &str) -> serde_json::Result<Self> {
        text::read(text)
    }

    /// Why it may run.
    pub(crate) fn consent(&self) -> ConsentDecision {
        match (&self.gate, &self.grant) {
            (Some(_), _) => ConsentDecision::Approved,
            (None, Some(_)) => ConsentDecision::Granted,
            (None, None) => ConsentDecision::Unattended,
        }
    }
}

impl Phase {
    /// The first phase of a run that waits for nobody.
    pub(crate) fn running(step: &str) -> Self {
        running(step, Vec::new())
    }
}

fn running(step: &str, finished: Vec<String>) -> Phase {
    Phase::Running { step: step.to_owned(), finished, sending: false }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
