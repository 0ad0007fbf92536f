//! Runs and approvals as callers see them.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use aileron_contract::{
    Context, Error, Principal, Reason, Result, Scope, Stream,
    executor::{
        Approval, ApprovalChange, ApprovalEvent, ApprovalKind, AskedBefore, Position, Run,
        RunFilter, RunState,
    },
    limits,
    names::{ActionName, RunId},
    vault::State,
};

use futures::{StreamExt as _, stream};

use super::{
    Record,
    engine::Engine,
    feed::for_eyes,
    pins::Trust,
    record::{Phase, confined},
    text::principal_text,
};
use crate::{
    approval,
    ledger::{Query, Row},
    packages::catalog::Installed,
};

/// The actions as one listing found them: each is looked for once, however many cards name it.
#[derive(Default)]
struct Looked(HashMap<ActionName, Option<Arc<Installed>>>);

impl Engine {
    /// See [`Executor::runs`](aileron_contract::Executor::runs).
    pub(crate) async fn runs(&self, context: &Context, filter: RunFilter) -> Result<Vec<Run>> {
        context.require(Scope::RunsRead)?;
        let query = Query {
            action: filter.action,
            states: filter.state.map(rows_that_may_show).unwrap_or_default(),
            session: filter.session,
            principal: own_only(context),
            limit: filter.limit.unwrap_or(limits::RUN_PAGE).clamp(1, limits::RUN_PAGE),
            ..Query::default()
        };
        let open = self.vault_state().await? == State::Unlocked;
        let mut runs = Vec::new();
        for row in self.ledger.list(&query).await? {
            if let Some(run) = self.shown(context, &row, open).await?
                && filter.state.is_none_or(|state| state == run.state)
            {
                runs.push(run);
            }
        }
        Ok(runs)
    }

    /// See [`Executor::run_by_id`](aileron_contract::Executor::run_by_id).
    pub(crate) async fn run_by_id(&self, context: &Context, id: &RunId) -> Result<Run> {
        if context.require(Scope::RunsRead).is_err() {
            context.require(Scope::ApprovalsPoll)?;
        }
        let row = self.ledger.get(id).await?.ok_or_else(|| unknown(id))?;
        let open = self.vault_state().await? == State::Unlocked;
        self.shown(context, &row, open).await?.ok_or_else(|| unknown(id))
    }

    /// See [`Executor::approvals`](aileron_contract::Executor::approvals).
    pub(crate) async fn approvals(&self, context: &Context) -> Result<Vec<Approval>> {
        context.require(Scope::ApprovalsPoll)?;
        let query = Query {
            states: vec![RunState::Parked],
            principal: own_only(context),
            oldest_first: true,
            limit: limits::APPROVALS_PENDING,
            ..Query::default()
        };
        let (mut approvals, mut looked) = (Vec::new(), Looked::default());
        for row in self.ledger.list(&query).await? {
            // A forged card is not shown to anybody who could approve it.
            let (Trust::Sound(record) | Trust::Unknown(record)) = self.pins.check(&row).await?
            else {
                continue;
            };
            if record.visible_to(context) && !record.expired(self.now()) {
                let card = self.card(record, &mut looked).await?;
                approvals.extend(card.map(|card| for_eyes(context, card)));
            }
        }
        Ok(approvals)
    }

    /// See [`Executor::watch_approvals`](aileron_contract::Executor::watch_approvals).
    pub(crate) async fn watch_approvals(
        &self,
        context: &Context,
        after: Option<Position>,
    ) -> Result<Stream<ApprovalEvent>> {
        context.require(Scope::ApprovalsPoll)?;
        self.accepting()?;
        if let Some(after) = after.filter(|after| self.feed.keeps(*after)) {
            return Ok(self.feed.follow(context, after, self.stop.clone()));
        }
        // Taken before the list: what happens in between is told twice rather than never.
        let position = self.feed.position();
        let all = ApprovalChange::Snapshot(self.approvals(context).await?);
        let snapshot = stream::iter([Ok(ApprovalEvent { position, change: all })]);
        Ok(snapshot.chain(self.feed.follow(context, position, self.stop.clone())).boxed())
    }

    /// Tells those who watch that an approval waits; they find it in the list if this fails.
    pub(super) async fn tell_pending(&self, record: &Record) {
        match self.card(record.clone(), &mut Looked::default()).await {
            Ok(Some(card)) => self.feed.pending(record, card),
            Ok(None) => {}
            Err(error) => tracing::warn!(run = %record.id, ?error, "watchers were not told"),
        }
    }

    /// How many approvals wait for a person. One whose time is up does not, closed or not.
    pub(crate) async fn pending(&self) -> Result<u64> {
        let parked = Query { states: vec![RunState::Parked], ..Query::default() };
        let due = Query { expired_at: Some(self.now()), ..parked.clone() };
        let parked = self.ledger.count(&parked).await?;
        Ok(parked.saturating_sub(self.ledger.count(&due).await?))
    }

    /// The newest record of a run, for telling its outcome.
    pub(super) async fn read(&self, id: &RunId) -> Result<Option<Record>> {
        let Some(row) = self.ledger.get(id).await? else { return Ok(None) };
        match self.pins.check(&row).await? {
            Trust::Sound(record) | Trust::Unknown(record) => Ok(Some(record)),
            Trust::Forged(_) => Ok(None),
        }
    }

    async fn card(&self, record: Record, looked: &mut Looked) -> Result<Option<Approval>> {
        let Some(gate) = record.gate else { return Ok(None) };
        // Without the action's file the arguments are shown under their own names.
        let installed = match looked.0.entry(record.action.clone()) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(new) => new.insert(self.parts.library.action(&record.action).await?),
        };
        let input_fields = match installed {
            Some(installed) => approval::fields(&installed.file.inputs, &record.arguments),
            None => approval::bare_fields(&record.arguments),
        };
        let asked_before = gate.before.map(|before| AskedBefore {
            times: gate.round,
            digest: before.digest,
            changes: gate
                .preview
                .as_ref()
                .map(|now| approval::changes::between(&before.preview, &now.preview))
                .unwrap_or_default(),
        });
        Ok(Some(Approval {
            id: record.id,
            kind: ApprovalKind::Action,
            action: record.action,
            connector: record.connector,
            arguments: record.arguments,
            identity: record.identity,
            session_named: record.session.is_some()
                && !matches!(record.principal, Principal::Agent(_)),
            session: record.session,
            requested_at: record.requested_at,
            expires_at: gate.expires_at,
            preview: gate.preview.map(|shown| shown.preview),
            input_fields,
            digest: gate.digest,
            asked_before,
        }))
    }

    async fn shown(&self, context: &Context, row: &Row, open: bool) -> Result<Option<Run>> {
        let (record, forged) = match self.pins.check(row).await? {
            Trust::Sound(record) | Trust::Unknown(record) => (record, false),
            Trust::Forged(Some(record)) => (record, true),
            Trust::Forged(None) => return Ok(None),
        };
        if !record.visible_to(context) {
            return Ok(None);
        }
        let record = match self.unwritten(&record.id) {
            Some(newer) if !forged => newer,
            _ => record,
        };
        let state = self.shown_state(&record, open);
        Ok(Some(record.to_run(state, forged)))
    }

    /// What the row says, and what time and the vault make of it.
    fn shown_state(&self, record: &Record, open: bool) -> RunState {
        match record.phase {
            Phase::Parked if record.expired(self.now()) => RunState::Expired,
            Phase::Approved if !self.is_live(&record.id) && record.expired(self.now()) => {
                RunState::Expired
            }
            Phase::Approved if !open && !self.is_live(&record.id) => RunState::AwaitingVault,
            _ => record.state(),
        }
    }
}

/// The same answer for what does not exist and what is not the caller's.
pub(super) fn unknown(id: &RunId) -> Error {
    Error::new(Reason::NotFound, format!("there is no run {id}"))
}

/// Whose rows are looked at, where the caller knows of nobody else's.
fn own_only(context: &Context) -> Option<String> {
    confined(context).then(|| principal_text(&context.principal))
}

/// Rows in one of these states may be shown in the wanted one.
fn rows_that_may_show(wanted: RunState) -> Vec<RunState> {
    match wanted {
        RunState::AwaitingVault => vec![RunState::Approved],
        RunState::Expired => {
            vec![RunState::Expired, RunState::Parked, RunState::Approved]
        }
        RunState::Done | RunState::Failed | RunState::Ambiguous => {
            vec![wanted, RunState::Running]
        }
        RunState::Parked | RunState::Approved | RunState::Running | RunState::Denied => {
            vec![wanted]
        }
    }
}
