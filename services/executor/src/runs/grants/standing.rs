//! Is a grant still what a person gave? What it is bound to is looked at when it is used, when
//! grants are listed, and every now and then; a grant that drifted is void for good.

use aileron_contract::{
    Kind, Result, access,
    bindings::BindingStatus,
    executor::{GrantCaller, GrantState, GrantVoid, Requirement},
    limits,
    names::{GrantId, PackageRef},
    sessions,
    vault::State,
};
use serde_json::{Map, Value};

use super::{
    announce,
    record::{GrantEnd, GrantRecord, Standing, TermsBinding, TermsConnector},
};
use crate::{
    approval::Credential,
    ledger::GrantQuery,
    packages::catalog::Installed,
    runs::{engine::Engine, pins::Trust, plan::Plan},
    seals::closed,
};

/// A grant that may be used now.
pub(super) struct Usable {
    pub(super) grant: GrantRecord,
    pub(super) number: u32,
    pub(super) plan: Plan,
    pub(super) credentials: Vec<Credential>,
}

impl Engine {
    /// The grant with what a call of these arguments needs, or none when it cannot be used now. A
    /// grant that is over gets its end here. To be called in turn.
    pub(super) async fn usable(
        &self,
        grant: GrantRecord,
        arguments: &Map<String, Value>,
    ) -> Result<Option<Usable>> {
        let told = self.told(&grant.id).await?;
        let now = self.now();
        let number = match grant.standing(told, now) {
            Standing::Use(number) => number,
            Standing::Early | Standing::Ended => return Ok(None),
            Standing::UsedUp => {
                if let Ok(next) = grant.exhaust(now) {
                    self.settle_grant(next).await;
                }
                return Ok(None);
            }
            Standing::Over(end, at) => {
                if let Ok(next) = grant.end(end, at) {
                    self.settle_grant(next).await;
                }
                return Ok(None);
            }
            Standing::Expired => {
                self.end_grant(grant, GrantEnd::Expired).await?;
                return Ok(None);
            }
        };
        match self.as_granted(&grant, arguments).await? {
            Ok((plan, credentials)) => Ok(Some(Usable { grant, number, plan, credentials })),
            Err(why) => {
                tracing::warn!(grant = %grant.id, %why, "a grant is void");
                self.end_grant(grant, GrantEnd::Void(why)).await?;
                Ok(None)
            }
        }
    }

    /// Ends a grant on the runtime's own behalf, logged first.
    async fn end_grant(&self, grant: GrantRecord, end: GrantEnd) -> Result<()> {
        let told = self.tell_end(&grant, end, &announce::runtime()).await?;
        let (end, at) = told.ended.unwrap_or((end, self.now()));
        if let Ok(next) = grant.end(end, at) {
            self.settle_grant(next).await;
        }
        Ok(())
    }

    /// Writes what the log knows already. When it cannot be written now, the next look does it.
    pub(super) async fn settle_grant(&self, next: GrantRecord) {
        let id = next.id.clone();
        let written = match self.pins.seal_grant(next).await {
            Ok(pinned) => self.ledger.move_grant(pinned).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!(grant = %id, "a grant's row was changed by something else");
            }
            Err(error) => tracing::warn!(grant = %id, ?error, "a grant's end is written later"),
        }
    }

    /// Looks after all live grants. What cannot be looked at now is looked at again later.
    pub(in crate::runs) async fn settle_grants(&self) {
        // What was found sound before the vault was locked is still remembered as sound; bindings
        // can be told apart only by its keys.
        if !matches!(self.vault_state().await, Ok(State::Unlocked)) {
            return;
        }
        let live = GrantQuery { states: vec![GrantState::Live], limit: limits::GRANTS_LIVE };
        let rows = match self.ledger.grants(&live).await {
            Ok(rows) => rows,
            Err(error) => return tracing::warn!(?error, "grants cannot be looked at"),
        };
        for row in rows {
            let Ok(id) = row.id.parse::<GrantId>() else { continue };
            if let Err(error) = self.look_at(&id).await
                && !closed(&error)
            {
                tracing::warn!(grant = %id, ?error, "a grant cannot be looked at");
            }
        }
    }

    pub(super) async fn look_at(&self, id: &GrantId) -> Result<()> {
        let _turn = self.grants.turn.lock().await;
        let Some(row) = self.ledger.grant(id).await? else { return Ok(()) };
        if let Trust::Sound(grant) = self.pins.check_grant(&row).await? {
            self.usable(grant, &Map::new()).await?;
        }
        Ok(())
    }

    /// What a granted call needs, or what is no longer as it was granted. An error when that
    /// cannot be told now.
    async fn as_granted(
        &self,
        grant: &GrantRecord,
        arguments: &Map<String, Value>,
    ) -> Result<Result<(Plan, Vec<Credential>), GrantVoid>> {
        let terms = &grant.terms;
        if let Some(why) = self.caller_gone(&terms.caller).await? {
            return Ok(Err(why));
        }
        let Some(installed) = self.parts.library.action(&terms.action).await? else {
            return Ok(Err(GrantVoid::ActionGone));
        };
        if installed.hash != terms.action_hash || installed.pinned == Some(false) {
            return Ok(Err(GrantVoid::ActionChanged));
        }
        if !installed.enabled {
            return Ok(Err(GrantVoid::ActionDisabled));
        }
        if connectors(&installed) != terms.connectors {
            return Ok(Err(GrantVoid::ConnectorChanged));
        }
        let Ok(plan) = Plan::of(installed, arguments) else {
            return Ok(Err(GrantVoid::ActionChanged));
        };
        for step in plan.steps() {
            if let Err(error) = self.parts.library.connector(step.hash).await {
                if closed(&error) || error.kind() == Kind::Unavailable {
                    return Err(error);
                }
                return Ok(Err(GrantVoid::ConnectorChanged));
            }
        }
        let Ok(credentials) = self.credentials(&plan, terms.identity.as_ref()).await? else {
            return Ok(Err(GrantVoid::BindingChanged));
        };
        let same = bindings(&credentials).is_ok_and(|now| now == terms.bindings);
        Ok(if same { Ok((plan, credentials)) } else { Err(GrantVoid::BindingChanged) })
    }

    /// Has the session ended, or was the token revoked? The log knows, whoever else does not.
    pub(super) async fn caller_gone(&self, caller: &GrantCaller) -> Result<Option<GrantVoid>> {
        match caller {
            GrantCaller::Session(id) => {
                for state in [sessions::State::Ended, sessions::State::Orphaned] {
                    if self.in_log(sessions::end_event(id, state)?).await?.is_some() {
                        return Ok(Some(GrantVoid::SessionEnded));
                    }
                }
                Ok(None)
            }
            GrantCaller::Token(id) => {
                let revoked = self.in_log(access::revocation_event(id.as_str())?).await?;
                Ok(revoked.map(|_| GrantVoid::TokenRevoked))
            }
        }
    }
}

/// What the action needs of its connectors.
pub(super) fn connectors(installed: &Installed) -> Vec<TermsConnector> {
    let called = |package: &PackageRef| {
        let mut operations: Vec<String> = Vec::new();
        for step in installed.file.steps.iter().filter(|step| step.connector == package.fqn) {
            if !operations.contains(&step.op) {
                operations.push(step.op.clone());
            }
        }
        operations
    };
    let of = |needed: &Requirement| TermsConnector {
        package: needed.package.clone(),
        hash: needed.hash,
        operations: called(&needed.package),
    };
    installed.file.requires.iter().map(of).collect()
}

/// The bindings that would be used, all of them known and in order; otherwise the connector that
/// has none such.
pub(super) fn bindings(credentials: &[Credential]) -> Result<Vec<TermsBinding>, &Credential> {
    credentials
        .iter()
        .map(|credential| {
            let known = credential.binding.clone().zip(credential.agreed_at);
            let known = known.filter(|_| credential.status == Some(BindingStatus::Active));
            let (binding, agreed_at) = known.ok_or(credential)?;
            let (connector, hosts) = (credential.connector.clone(), credential.hosts.clone());
            Ok(TermsBinding { connector, binding, hosts, agreed_at })
        })
        .collect()
}
