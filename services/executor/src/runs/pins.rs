//! Which rows of the table are the runtime's own.

use aileron_contract::{
    Error, Reason, Result,
    audit::{self, Event, EventKind},
    names::Sha256Hash,
    vault::{self, PinDomain},
};

use super::{GrantRecord, Record};
use crate::{
    ledger::{Pinned, PinnedGrant, Row},
    quarantine::Quarantine,
    seals::Seals,
};

/// Of an id that may be anybody's.
const ID_SHOWN: usize = 128;

/// Pins records, and checks rows against their pins. The log is told of runs that somebody else
/// wrote.
pub(super) struct Pins(Seals, Quarantine);

/// What a row turned out to be.
#[derive(Debug)]
pub(super) enum Trust<R = Record> {
    /// Exactly what the runtime wrote.
    Sound(R),
    /// Somebody else wrote it. It is shown, when it can be read at all, and never acted upon.
    Forged(Option<R>),
    /// The vault is locked: shown, not acted upon.
    Unknown(R),
}

impl Trust {
    /// The record, for acting: an error says why there is none.
    pub(super) fn sound(self) -> Result<Record> {
        match self {
            Self::Sound(record) => Ok(record),
            Self::Forged(_) => Err(Error::new(
                Reason::Quarantined,
                "the record of this run is not what the runtime wrote; it will not run. Look at \
                 who can write the state database, then ask for the action again",
            )),
            Self::Unknown(_) => Err(Error::new(
                Reason::VaultLocked,
                "the vault is locked, so the record of this run cannot be checked: unlock it first",
            )),
        }
    }
}

impl Pins {
    pub(super) fn new(vault: vault::Handle, audit: audit::Handle) -> Self {
        Self(Seals::new(vault), Quarantine::new(audit))
    }

    /// Pins a record. `vault_locked` while it is.
    pub(super) async fn seal(&self, record: Record) -> Result<Pinned> {
        let text = record.to_text().map_err(Error::internal)?;
        let pin = self.0.seal(PinDomain::Run, message(&text)).await?;
        Ok(Pinned { record, text, pin })
    }

    /// Is the row what the runtime wrote under this id?
    pub(super) async fn check(&self, row: &Row) -> Result<Trust> {
        let trust = self.judge_run(row).await?;
        if matches!(trust, Trust::Forged(_)) {
            let state = Sha256Hash::of(&[row.id.as_bytes(), b"\0", row.text.as_bytes()]);
            let id: String = row.id.chars().take(ID_SHOWN).collect();
            let tell = |event: Event| event.with("aileron.run.id", id);
            self.1.tell(EventKind::RunQuarantined, state, tell).await;
        }
        Ok(trust)
    }

    async fn judge_run(&self, row: &Row) -> Result<Trust> {
        let Ok(record) = Record::from_text(&row.text) else {
            tracing::error!(run = row.id, "a row of the runs cannot be read");
            return Ok(Trust::Forged(None));
        };
        let own = record.id.as_str() == row.id;
        self.judge(PinDomain::Run, row, own, record).await
    }

    /// Pins a grant. `vault_locked` while it is.
    pub(super) async fn seal_grant(&self, record: GrantRecord) -> Result<PinnedGrant> {
        let text = record.to_text().map_err(Error::internal)?;
        let pin = self.0.seal(PinDomain::Grant, message(&text)).await?;
        Ok(PinnedGrant { record, text, pin })
    }

    /// Is the row the grant that the runtime wrote under this id?
    pub(super) async fn check_grant(&self, row: &Row) -> Result<Trust<GrantRecord>> {
        let Ok(record) = GrantRecord::from_text(&row.text) else {
            tracing::error!(grant = row.id, "a row of the grants cannot be read");
            return Ok(Trust::Forged(None));
        };
        let own = record.id.as_str() == row.id;
        self.judge(PinDomain::Grant, row, own, record).await
    }

    async fn judge<R>(
        &self,
        domain: PinDomain,
        row: &Row,
        own: bool,
        record: R,
    ) -> Result<Trust<R>> {
        if !own {
            return Ok(Trust::Forged(Some(record)));
        }
        match self.0.check(domain, message(&row.text), row.pin).await? {
            Some(true) => Ok(Trust::Sound(record)),
            Some(false) => {
                tracing::error!(id = row.id, %domain, "a record does not carry its pin");
                Ok(Trust::Forged(Some(record)))
            }
            None => Ok(Trust::Unknown(record)),
        }
    }
}

/// What the vault authenticates: records can be long, their hash is not.
fn message(text: &str) -> Vec<u8> {
    Sha256Hash::of(&[text.as_bytes()]).bytes().to_vec()
}
