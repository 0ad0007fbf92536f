//! Which rows of the table are the runtime's own.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aileron_contract::{
    Context, Error, Reason, Result,
    names::Sha256Hash,
    vault::{self, PinDomain},
};

use super::Record;
use crate::ledger::{Pinned, Row};

/// Rows remembered as sound: listing pages again need not ask the vault again.
const REMEMBERED: usize = 4_096;

/// Pins records, and checks rows against their pins.
pub(super) struct Pins {
    vault: vault::Handle,
    sound: Mutex<HashMap<String, Sha256Hash>>,
}

/// What a row turned out to be.
#[derive(Debug)]
pub(super) enum Trust {
    /// Exactly what the runtime wrote.
    Sound(Record),
    /// Somebody else wrote it. It is shown, when it can be read at all, and never acted upon.
    Forged(Option<Record>),
    /// The vault is locked: shown, not acted upon.
    Unknown(Record),
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
    pub(super) fn new(vault: vault::Handle) -> Self {
        Self { vault, sound: Mutex::default() }
    }

    /// Pins a record. `vault_locked` while it is.
    pub(super) async fn seal(&self, record: Record) -> Result<Pinned> {
        let text = record.to_text().map_err(Error::internal)?;
        let fingerprint = Sha256Hash::of(&[text.as_bytes()]);
        let pin = self
            .vault
            .pin(&Context::service("executor"), PinDomain::Run, fingerprint.bytes().to_vec())
            .await?;
        Ok(Pinned { record, text, pin })
    }

    /// Is the row what the runtime wrote under this id?
    pub(super) async fn check(&self, row: &Row) -> Result<Trust> {
        let Ok(record) = Record::from_text(&row.text) else {
            tracing::error!(run = row.id, "a row of the runs cannot be read");
            return Ok(Trust::Forged(None));
        };
        if record.id.as_str() != row.id {
            return Ok(Trust::Forged(Some(record)));
        }
        let fingerprint = Sha256Hash::of(&[row.text.as_bytes(), &row.pin.0]);
        if self.lock().get(&row.id) == Some(&fingerprint) {
            return Ok(Trust::Sound(record));
        }
        let text = Sha256Hash::of(&[row.text.as_bytes()]);
        let checked = self
            .vault
            .check_pin(
                &Context::service("executor"),
                PinDomain::Run,
                text.bytes().to_vec(),
                row.pin,
            )
            .await;
        match checked {
            Ok(true) => {
                self.remember(&row.id, fingerprint);
                Ok(Trust::Sound(record))
            }
            Ok(false) => {
                tracing::error!(run = row.id, "a run's record does not carry its pin");
                Ok(Trust::Forged(Some(record)))
            }
            Err(error) if closed(&error) => Ok(Trust::Unknown(record)),
            Err(error) => Err(error),
        }
    }

    fn remember(&self, id: &str, fingerprint: Sha256Hash) {
        let mut sound = self.lock();
        if sound.len() >= REMEMBERED {
            sound.clear();
        }
        sound.insert(id.to_owned(), fingerprint);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Sha256Hash>> {
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The vault cannot be used until a person does something about it.
pub(crate) fn closed(error: &Error) -> bool {
    matches!(error.reason(), Reason::VaultLocked | Reason::VaultMissing)
}
