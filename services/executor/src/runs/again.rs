//! What a person was shown is looked at again before the call runs: when it changed, the person is
//! asked again.

use aileron_contract::{Error, Reason, Result, vault::State};

use super::{Record, announce, engine::Engine, lifecycle::out_of_turn, plan::Plan, record::Shown};
use crate::approval::{self, Covered, Credential};

impl Engine {
    /// What the person would be shown now, if that is not what was approved; also when the log
    /// says that this approval was taken back for that reason before.
    pub(super) async fn shown_otherwise(
        &self,
        record: &Record,
        plan: &Plan,
        credentials: &[Credential],
    ) -> Result<Option<Shown>> {
        let Some(before) = record.gate.as_ref().and_then(|gate| gate.preview.as_deref()) else {
            return Ok(None);
        };
        let now = self.preview(record, plan, credentials, before.salt.clone()).await;
        if self.vault_state().await? != State::Unlocked {
            // Why there is no preview now says nothing about what it shows: wait for the vault.
            return Err(Error::new(Reason::VaultLocked, "the vault is locked: unlock it first"));
        }
        let taken_back = self.in_log(announce::reopened_id(record)?).await?.is_some();
        Ok(now.filter(|now| taken_back || !approval::same_preview(before, now)))
    }

    /// Approved → Parked with what is shown now, logged first. The decision does not count.
    pub(super) async fn ask_again(
        &self,
        record: Record,
        shown: Shown,
        (plan, credentials): (&Plan, &[Credential]),
    ) -> Result<()> {
        let Some(gate) = &record.gate else { return Err(Error::internal("no approval")) };
        let covered = Covered {
            arguments: &record.arguments,
            identity: record.identity.as_ref(),
            credentials,
            preview: Some(&shown),
            session: record.session.as_ref(),
            expires_at: gate.expires_at,
        };
        let digest = approval::digest(&plan.installed, covered)?;
        self.announce(announce::reopened(&record)?).await?;
        let _in_order = self.deciding.lock().await;
        let next = self.advance(record.reopen(digest, shown).map_err(out_of_turn)?).await?;
        self.tell_pending(&next).await;
        Ok(())
    }
}
