//! Which moves a run has left. Each consumes the record and gives the next one, or says why not.

use aileron_contract::{Timestamp, executor::RunResult, failure::Failure, names::Sha256Hash};

use super::{Before, Phase, Record, Shown, Verdict, running};

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

    fn next(self, phase: Phase) -> Self {
        Self { version: self.version.saturating_add(1), phase, ..self }
    }
}
