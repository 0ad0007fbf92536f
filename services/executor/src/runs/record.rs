//! One run as a value: what is known about it and which moves are left. No clock, no table, no
//! log in here; a move consumes the record and gives the next one, or says why not.

use aileron_contract::{
    Context, Principal, Scope, Timestamp, TraceParent,
    executor::{ConsentDecision, Preview, Run, RunResult, RunState},
    failure::Failure,
    names::{ActionName, Fqn, GrantId, Identity, RunId, SessionId, Sha256Hash},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::text::{
    self, FailureForm, PreviewForm, ResultForm, is_zero, optional, plain, principal,
};

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

/// Why a move is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the approval has been decided")]
    Decided,
    #[error("the approval has expired")]
    Expired,
    #[error("the run is not in the right state for this")]
    OutOfTurn,
}

impl Record {
    /// Parked → Approved or Denied, once, before the approval expires.
    pub(crate) fn decide(self, verdict: Verdict) -> Result<Self, Refusal> {
        let Some(gate) = &self.gate else { return Err(Refusal::Decided) };
        if self.phase != Phase::Parked || gate.decision.is_some() {
            return Err(Refusal::Decided);
        }
        if verdict.at >= gate.expires_at {
            return Err(Refusal::Expired);
        }
        let phase =
            if verdict.approved { Phase::Approved } else { Phase::Denied { at: verdict.at } };
        let mut next = self.next(phase);
        if let Some(gate) = &mut next.gate {
            gate.decision = Some(verdict);
        }
        Ok(next)
    }

    /// Parked, or approved and not begun → Expired.
    pub(crate) fn expire(self, now: Timestamp) -> Result<Self, Refusal> {
        if matches!(self.phase, Phase::Parked | Phase::Approved) && self.expired(now) {
            return Ok(self.next(Phase::Expired { at: now }));
        }
        Err(Refusal::OutOfTurn)
    }

    /// Approved → Parked: what the person was shown has changed, so the decision does not count.
    pub(crate) fn reopen(self, digest: Sha256Hash, shown: Shown) -> Result<Self, Refusal> {
        if self.phase != Phase::Approved {
            return Err(Refusal::OutOfTurn);
        }
        let mut next = self.next(Phase::Parked);
        let Some(gate) = &mut next.gate else { return Err(Refusal::OutOfTurn) };
        gate.before = gate
            .preview
            .take()
            .map(|before| Box::new(Before { digest: gate.digest, preview: before.preview }));
        gate.digest = digest;
        gate.preview = Some(Box::new(shown));
        gate.decision = None;
        gate.round = gate.round.saturating_add(1);
        Ok(next)
    }

    /// Approved → Running.
    pub(crate) fn start(self, step: &str) -> Result<Self, Refusal> {
        match self.phase {
            Phase::Approved => Ok(self.next(running(step, Vec::new()))),
            _ => Err(Refusal::OutOfTurn),
        }
    }

    /// Running → Running at the next step.
    pub(crate) fn enter(self, next_step: &str) -> Result<Self, Refusal> {
        match &self.phase {
            Phase::Running { step, finished, .. } => {
                let finished = [finished.as_slice(), std::slice::from_ref(step)].concat();
                Ok(self.next(running(next_step, finished)))
            }
            _ => Err(Refusal::OutOfTurn),
        }
    }

    /// Running, and from now on its effect may have happened.
    pub(crate) fn about_to_send(self) -> Result<Self, Refusal> {
        match self.phase.clone() {
            Phase::Running { step, finished, sending: false } => {
                Ok(self.next(Phase::Running { step, finished, sending: true }))
            }
            _ => Err(Refusal::OutOfTurn),
        }
    }

    /// Running → Done.
    pub(crate) fn finish(self, result: RunResult, at: Timestamp) -> Result<Self, Refusal> {
        match self.phase.clone() {
            Phase::Running { step, .. } => Ok(self.next(Phase::Done { step, at, result })),
            _ => Err(Refusal::OutOfTurn),
        }
    }

    /// Approved or Running → Failed.
    pub(crate) fn fail(self, failure: Failure, at: Timestamp) -> Result<Self, Refusal> {
        let step = match &self.phase {
            Phase::Approved => None,
            Phase::Running { step, .. } => Some(step.clone()),
            _ => return Err(Refusal::OutOfTurn),
        };
        Ok(self.next(Phase::Failed { step, at, failure }))
    }

    /// Running → Ambiguous.
    pub(crate) fn doubt(self, failure: Failure, at: Timestamp) -> Result<Self, Refusal> {
        match self.phase.clone() {
            Phase::Running { step, .. } => {
                let failure = failure.detail("outcome", "ambiguous");
                Ok(self.next(Phase::Ambiguous { step, at, failure }))
            }
            _ => Err(Refusal::OutOfTurn),
        }
    }

    /// Has the time to decide run out?
    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        self.gate.as_ref().is_some_and(|gate| now >= gate.expires_at)
    }

    /// May this caller know of the run? See [`confined`].
    pub(crate) fn visible_to(&self, context: &Context) -> bool {
        visible(&self.principal, self.session.as_ref(), context)
    }

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

    /// The run as callers see it.
    pub(crate) fn to_run(&self, state: RunState, quarantined: bool) -> Run {
        let mut run = Run {
            id: self.id.clone(),
            action: self.action.clone(),
            action_hash: self.action_hash,
            connector: self.connector.clone(),
            arguments: self.arguments.clone(),
            identity: self.identity.clone(),
            state,
            step: None,
            gated: self.gate.is_some(),
            grant: self.grant.as_ref().map(|used| used.id.clone()),
            principal: self.principal.clone(),
            session: self.session.clone(),
            requested_at: self.requested_at,
            expires_at: None,
            decided_at: None,
            decided_by: None,
            reason: None,
            ended_at: None,
            result: None,
            failure: None,
            digest: None,
            quarantined,
        };
        if let Some(gate) = &self.gate {
            run.expires_at = Some(gate.expires_at);
            run.digest = Some(gate.digest);
            if let Some(verdict) = &gate.decision {
                run.decided_at = Some(verdict.at);
                run.decided_by = Some(verdict.by.clone());
                run.reason.clone_from(&verdict.reason);
            }
        }
        self.phase.show(&mut run);
        run
    }

    fn next(self, phase: Phase) -> Self {
        Self { version: self.version.saturating_add(1), phase, ..self }
    }
}

impl Phase {
    /// The first phase of a run that waits for nobody.
    pub(crate) fn running(step: &str) -> Self {
        running(step, Vec::new())
    }

    fn show(&self, run: &mut Run) {
        match self {
            Self::Parked | Self::Approved => {}
            Self::Running { step, .. } => run.step = Some(step.clone()),
            Self::Done { step, at, result } => {
                run.step = Some(step.clone());
                run.ended_at = Some(*at);
                run.result = Some(result.clone());
            }
            Self::Failed { step, at, failure } => {
                run.step.clone_from(step);
                run.ended_at = Some(*at);
                run.failure = Some(failure.clone());
            }
            Self::Ambiguous { step, at, failure } => {
                run.step = Some(step.clone());
                run.ended_at = Some(*at);
                run.failure = Some(failure.clone());
            }
            Self::Denied { at } | Self::Expired { at } => run.ended_at = Some(*at),
        }
    }
}

/// May the caller know of a run of this principal and session?
pub(crate) fn visible(
    principal: &Principal,
    session: Option<&SessionId>,
    context: &Context,
) -> bool {
    let agent = matches!(context.principal, Principal::Agent(_));
    let same = || *principal == context.principal;
    !confined(context) || same() && (!agent || session == context.session.as_ref())
}

/// Does the caller know of nobody's calls but its own? So it is for agents, and for tokens that
/// may ask what became of a call but not read the runs.
pub(crate) fn confined(context: &Context) -> bool {
    match context.principal {
        Principal::Agent(_) => true,
        Principal::Program(_) => !context.scopes.contains(Scope::RunsRead),
        Principal::Person(_) | Principal::Service(_) => false,
    }
}

fn running(step: &str, finished: Vec<String>) -> Phase {
    Phase::Running { step: step.to_owned(), finished, sending: false }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
