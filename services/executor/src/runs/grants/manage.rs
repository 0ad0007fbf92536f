//! A person makes grants, looks at them, and takes them back.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Principal, Reason, Result, Scope,
    executor::{Grant, GrantCaller, GrantRequest, GrantState, GrantTerms},
    limits,
    names::{ActionName, GrantId, Sha256Hash},
};

use super::{
    announce, form,
    record::{GrantEnd, GrantPhase, GrantRecord, Terms},
    terms::shown,
};
use crate::{
    ledger::GrantQuery,
    runs::{engine::Engine, pins::Trust, text::stamped},
};

impl Engine {
    /// See [`Executor::propose_grant`](aileron_contract::Executor::propose_grant).
    pub(crate) async fn propose_grant(
        &self,
        context: &Context,
        request: GrantRequest,
    ) -> Result<GrantTerms> {
        self.by_a_person(context, Some(&request.action), None).await?;
        shown(&self.terms(request).await?)
    }

    /// See [`Executor::grant`](aileron_contract::Executor::grant).
    pub(crate) async fn grant(
        self: &Arc<Self>,
        context: &Context,
        request: GrantRequest,
        seen: Sha256Hash,
    ) -> Result<Grant> {
        self.by_a_person(context, Some(&request.action), None).await?;
        self.accepting()?;
        let (engine, by) = (Arc::clone(self), context.principal.clone());
        self.owned(async move {
            let terms = engine.terms(request).await?;
            if form::digest(&terms)? != seen {
                return Err(Error::new(
                    Reason::HashMismatch,
                    "what you agreed to is not what this grant would cover now: look at it again",
                ));
            }
            engine.issue(terms, by).await
        })
        .await
    }

    /// See [`Executor::grants`](aileron_contract::Executor::grants).
    pub(crate) async fn grants(self: &Arc<Self>, context: &Context) -> Result<Vec<Grant>> {
        context.require(Scope::ApprovalsPoll)?;
        if self.accepting().is_ok() {
            let engine = Arc::clone(self);
            self.owned(async move {
                engine.settle_grants().await;
                Ok(())
            })
            .await?;
        }
        let mut grants = Vec::new();
        let all = GrantQuery { states: Vec::new(), limit: limits::GRANTS_LISTED };
        for row in self.ledger.grants(&all).await? {
            let (record, forged) = match self.pins.check_grant(&row).await? {
                Trust::Sound(record) | Trust::Unknown(record) => (record, false),
                Trust::Forged(Some(record)) => (record, true),
                Trust::Forged(None) => continue,
            };
            if visible(&record, context) {
                grants.push(self.shown_grant(record, forged).await?);
            }
        }
        Ok(grants)
    }

    /// See [`Executor::revoke_grant`](aileron_contract::Executor::revoke_grant).
    pub(crate) async fn revoke_grant(
        self: &Arc<Self>,
        context: &Context,
        id: GrantId,
    ) -> Result<()> {
        self.by_a_person(context, None, Some(&id)).await?;
        self.accepting()?;
        let (engine, by) = (Arc::clone(self), context.principal.clone());
        self.owned(async move { engine.revoke_in_turn(&id, &by).await }).await
    }

    async fn revoke_in_turn(&self, id: &GrantId, by: &Principal) -> Result<()> {
        let _turn = self.grants.turn.lock().await;
        let row = self.ledger.grant(id).await?;
        let known = match &row {
            Some(row) => match self.pins.check_grant(row).await? {
                Trust::Sound(grant) | Trust::Unknown(grant) => Some(grant),
                Trust::Forged(_) => None,
            },
            None => None,
        };
        let Some(grant) = known else {
            // Its true row may have been taken away, to be put back later.
            self.tell_end_as(id, announce::revoked_unseen(id, by)?).await?;
            self.ledger.remove_grant(id).await?;
            return row.map(|_| ()).ok_or_else(|| {
                Error::new(Reason::NotFound, format!("there is no grant {id}: list them first"))
            });
        };
        if grant.state() != GrantState::Live {
            return Ok(());
        }
        let told = self.tell_end(&grant, GrantEnd::Revoked, by).await?;
        let (end, at) = told.ended.unwrap_or((GrantEnd::Revoked, self.now()));
        if let Ok(next) = grant.end(end, at) {
            self.settle_grant(next).await;
        }
        Ok(())
    }

    /// Refuses everybody else, and tells the log of them.
    async fn by_a_person(
        &self,
        context: &Context,
        action: Option<&ActionName>,
        id: Option<&GrantId>,
    ) -> Result<()> {
        if context.principal.is_person() && context.require(Scope::ApprovalsDecide).is_ok() {
            return Ok(());
        }
        self.announce(announce::refused(context, action, id)).await?;
        Err(Error::new(
            Reason::PersonRequired,
            "only a person may grant a call in advance, or take a grant back, with the vault \
             passphrase: `aileron approval grant` or `revoke`",
        ))
    }

    /// Records a grant: the log first.
    async fn issue(&self, terms: Terms, created_by: Principal) -> Result<Grant> {
        let _turn = self.grants.turn.lock().await;
        if self.ledger.live_grants().await? >= u64::from(limits::GRANTS_LIVE) {
            return Err(Error::new(
                Reason::Busy,
                format!(
                    "there are {} grants already: revoke those no longer needed",
                    limits::GRANTS_LIVE
                ),
            ));
        }
        let created_at = self.now();
        let record = GrantRecord {
            id: stamped("grant", created_at)?.parse()?,
            version: 0,
            terms,
            created_at,
            created_by,
            used: 0,
            last_used_at: None,
            phase: GrantPhase::Live,
        };
        let pinned = self.pins.seal_grant(record.clone()).await?;
        self.announce(announce::issued(&record)?).await?;
        if !self.ledger.add_grant(pinned).await? {
            return Err(Error::internal("the id of a new grant was taken"));
        }
        self.shown_grant(record, false).await
    }

    async fn shown_grant(&self, record: GrantRecord, quarantined: bool) -> Result<Grant> {
        let terms = shown(&record.terms)?;
        // What the log says counts, also before the row says it.
        let told = self.told(&record.id).await?;
        let record = match told.ended {
            Some((end, at)) if record.state() == GrantState::Live => {
                record.clone().end(end, at).unwrap_or(record)
            }
            _ => record,
        };
        let state = match record.state() {
            GrantState::Live if record.expired(self.now()) => GrantState::Expired,
            GrantState::Live if told.used >= record.terms.max_uses => GrantState::UsedUp,
            state => state,
        };
        let (void, ended_at) = match record.phase {
            GrantPhase::Live => (None, None),
            GrantPhase::UsedUp { at } | GrantPhase::Expired { at } | GrantPhase::Revoked { at } => {
                (None, Some(at))
            }
            GrantPhase::Void { at, why } => (Some(why), Some(at)),
        };
        Ok(Grant {
            id: record.id,
            terms,
            state,
            void,
            created_at: record.created_at,
            created_by: record.created_by,
            used: record.used.max(told.used),
            last_used_at: record.last_used_at,
            ended_at,
            quarantined,
        })
    }
}

/// An agent knows its own session's grants, and a token that may not read the runs those for
/// itself.
fn visible(record: &GrantRecord, context: &Context) -> bool {
    match (&context.principal, &record.terms.caller) {
        (Principal::Person(_) | Principal::Service(_), _) => true,
        (Principal::Program(_), _) if context.scopes.contains(Scope::RunsRead) => true,
        (Principal::Agent(own), GrantCaller::Session(id)) => **own == *id.as_str(),
        (Principal::Program(own), GrantCaller::Token(id)) => **own == *id.as_str(),
        (Principal::Agent(_) | Principal::Program(_), _) => false,
    }
}
