//! A gated call that a grant covers goes on without waiting. Its use is in the log first, under
//! an id that follows from the grant and the number of the use; then the run and the grant's count
//! are written as one change. A crash in between loses the use, and nothing gives one back.

use std::sync::Arc;

use aileron_contract::{
    Context, Principal, Result,
    executor::{GrantCaller, GrantState, Started},
    names::{ActionName, GrantId, SessionId},
    vault::State,
};
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use super::{announce, record::GrantRecord, rules, standing::Usable, told::ATTEMPTS};
use crate::{
    approval::Credential,
    ledger::UseWritten,
    runs::{
        Record,
        drive::Drive,
        engine::{Engine, Live},
        pins::Trust,
        plan::Plan,
        record::GrantUse,
    },
};

/// What a grant did for a call.
enum Took {
    /// No grant covers it.
    Nothing,
    /// It is recorded and runs now.
    Use(Box<Granted>),
    /// Its idempotency key was taken by a call at the same time.
    Taken,
}

/// A granted run whose intent is on the disk.
struct Granted {
    record: Record,
    plan: Plan,
    credentials: Vec<Credential>,
    live: Live,
    slot: OwnedSemaphorePermit,
}

impl Engine {
    /// A call that needs approval: carried out at once where a grant covers it, and parked for a
    /// person otherwise. `record` is the run as it would begin.
    pub(in crate::runs) async fn gated(
        self: Arc<Self>,
        record: Record,
        plan: Plan,
        credentials: Vec<Credential>,
    ) -> Result<Started> {
        match Box::pin(self.take_use(&record)).await? {
            Took::Nothing => Box::pin(self.park(record, plan, credentials)).await,
            Took::Taken => self.taken(&record).await,
            Took::Use(granted) => {
                let Granted { record, plan, credentials, live, slot } = *granted;
                let drive = Drive { engine: self, record, plan, credentials, live };
                let started = Box::pin(drive.carry_out()).await;
                drop(slot);
                Ok(started)
            }
        }
    }

    /// A call was refused before it came to its grants. What refused it may be what they are bound
    /// to: that ends them, also when it is put back before somebody looks.
    pub(in crate::runs) async fn look_after_grants(
        self: &Arc<Self>,
        context: &Context,
        action: &ActionName,
    ) -> Result<()> {
        let caller = caller_of(&context.principal, context.session.as_ref());
        let Some(caller) = caller else { return Ok(()) };
        let rows = self.ledger.grants_for(&caller, action).await?;
        if rows.is_empty() || !matches!(self.vault_state().await, Ok(State::Unlocked)) {
            return Ok(());
        }
        let engine = Arc::clone(self);
        self.owned(Box::pin(async move {
            for row in rows {
                let Ok(id) = row.id.parse::<GrantId>() else { continue };
                if let Err(error) = engine.look_at(&id).await {
                    tracing::warn!(grant = %id, ?error, "a grant cannot be looked at");
                }
            }
            Ok(())
        }))
        .await
    }

    async fn take_use(self: &Arc<Self>, record: &Record) -> Result<Took> {
        let caller = caller_of(&record.principal, record.session.as_ref());
        let Some(caller) = caller else { return Ok(Took::Nothing) };
        if self.ledger.grants_for(&caller, &record.action).await?.is_empty() {
            return Ok(Took::Nothing);
        }
        let _turn = self.grants.turn.lock().await;
        for row in self.ledger.grants_for(&caller, &record.action).await? {
            let Trust::Sound(grant) = self.pins.check_grant(&row).await? else { continue };
            let Some(arguments) = covered(&grant, &caller, record)? else { continue };
            match Box::pin(self.take_use_of(grant, &arguments, record)).await? {
                Took::Nothing => {}
                took => return Ok(took),
            }
        }
        Ok(Took::Nothing)
    }

    /// The next use of this grant, if it has one and is still what was granted.
    async fn take_use_of(
        self: &Arc<Self>,
        grant: GrantRecord,
        arguments: &Map<String, Value>,
        record: &Record,
    ) -> Result<Took> {
        let mut usable = self.usable(grant, arguments).await?;
        for _ in 0..ATTEMPTS {
            let Some(ready) = usable else { break };
            let Usable { grant, number, plan, credentials } = ready;
            let run = Record {
                arguments: arguments.clone(),
                grant: Some(GrantUse { id: grant.id.clone(), number }),
                ..record.clone()
            };
            let slot = self.slot()?;
            let Ok(next) = grant.clone().take(number, self.now()) else { break };
            let pinned = (self.pins.seal(run.clone()).await?, self.pins.seal_grant(next).await?);
            let event = announce::used(&grant, number, &run.id, &run.principal)?;
            if !self.tell_use(&grant.id, number, event).await? {
                usable = self.usable(grant, arguments).await?;
                continue;
            }
            let live = self.begin(&run.id);
            match self.ledger.use_grant(pinned.0, pinned.1).await? {
                UseWritten::Yes => {
                    let granted = Granted { record: run, plan, credentials, live, slot };
                    return Ok(Took::Use(Box::new(granted)));
                }
                UseWritten::RunTaken => return Ok(Took::Taken),
                UseWritten::GrantMoved => {
                    tracing::error!(grant = %grant.id, "a grant's row was changed by something else");
                    break;
                }
            }
        }
        Ok(Took::Nothing)
    }
}

/// The arguments as they were granted, when the grant is this caller's and covers the call. The
/// columns of its row are nobody's word: what counts is the record.
fn covered(
    grant: &GrantRecord,
    caller: &GrantCaller,
    record: &Record,
) -> Result<Option<Map<String, Value>>> {
    let terms = &grant.terms;
    let same = terms.caller == *caller
        && terms.action == record.action
        && terms.identity == record.identity
        && grant.state() == GrantState::Live;
    if !same {
        return Ok(None);
    }
    rules::fit(&terms.arguments, &record.arguments)
}

/// Whose grants a call may use. A program may name any session: only the session's own token
/// speaks for it. The token in `daemon.json` is nobody's in particular.
fn caller_of(principal: &Principal, session: Option<&SessionId>) -> Option<GrantCaller> {
    match principal {
        Principal::Agent(own) => {
            session.filter(|id| id.as_str() == &**own).cloned().map(GrantCaller::Session)
        }
        Principal::Program(id) if **id != *Principal::DAEMON => {
            id.parse().ok().map(GrantCaller::Token)
        }
        Principal::Program(_) | Principal::Person(_) | Principal::Service(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sessions_own_token_and_a_minted_one_speak_for_somebody() {
        let of = |principal: Principal, session: Option<&str>| {
            let session: Option<SessionId> = session.map(|id| id.parse().unwrap());
            caller_of(&principal, session.as_ref())
        };
        let agent = || Principal::Agent("s1".into());
        assert_eq!(of(agent(), Some("s1")), Some(GrantCaller::Session("s1".parse().unwrap())));
        assert_eq!(of(agent(), Some("s2")), None);
        assert_eq!(of(agent(), None), None);
        let token = || Principal::Program("tok-0123456789abcdef".into());
        let granted = Some(GrantCaller::Token("tok-0123456789abcdef".parse().unwrap()));
        assert_eq!(of(token(), None), granted);
        assert_eq!(of(token(), Some("s1")), granted);
        for other in [
            Principal::Program("daemon".into()),
            Principal::Program("".into()),
            Principal::Person("p1".into()),
            Principal::Service("gateway".into()),
        ] {
            assert_eq!(of(other, Some("s1")), None);
        }
    }
}
