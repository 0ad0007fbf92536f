//! A run as callers see it, and which of them may.

use aileron_contract::{
    Context, Principal, Scope,
    executor::{Run, RunState},
    names::SessionId,
};

use super::{Phase, Record};

impl Record {
    /// May this caller know of the run? See [`confined`].
    pub(crate) fn visible_to(&self, context: &Context) -> bool {
        visible(&self.principal, self.session.as_ref(), context)
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
}

impl Phase {
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
