//! What persons installed and trusted, recorded so that editing a file or a table forges nothing,
//! and putting back an older row revives nothing: a row counts when its pin is the vault's *and*
//! it is the one the log named last.
//!
//! Order of a change: the new row is written beside the one that counts, with the content of its
//! file; then the log is told, and from that moment on the new row counts; then the file is put in
//! its place and the older row is dropped. A crash before the event leaves everything as it was;
//! a crash after it is finished at the next start. Of connectors that come with an action the
//! action's event is the one that counts: its record names theirs. A row that is missing although the log named
//! one is a row somebody took away: nothing takes its place.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Result, audit, limits,
    names::Sha256Hash,
    vault::{self, Pin, PinDomain},
};
use aileron_store::{Database, failed};
use sqlx::Row as _;

use super::history::{History, Newest};
use crate::seals::Seals;

mod change;
mod kept;
mod row;
mod tables;

use row::read;

pub(super) use change::Move;
pub(super) use kept::Part;
pub(super) use row::Row;
pub(super) use tables::MIGRATIONS;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// By action name.
    Action,
    /// By hash.
    Connector,
    /// One record, without a name.
    Keyring,
}

impl Kind {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Connector => "connector",
            Self::Keyring => "keyring",
        }
    }

    const fn domain(self) -> PinDomain {
        match self {
            Self::Action | Self::Connector => PinDomain::Action,
            Self::Keyring => PinDomain::Keyring,
        }
    }
}

/// What there is of a record.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The row the log named, whatever its pin is worth.
    pub(super) row: Option<Row>,
    /// Did the log ever name one?
    pub(super) named: bool,
    /// Of an action: false when it was switched off, whatever a file says.
    pub(super) enabled: bool,
}

/// The records and their checks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pins {
    database: Database,
    seals: Arc<Seals>,
    history: History,
    sound: Arc<Mutex<Sound>>,
}

/// Rows that were found sound, each with what the log said then.
type Sound = HashMap<(Kind, String), (Newest, Row)>;

/// What a record comes to.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// The row the log named. Its file may have been put in its place since.
    pub(super) row: Option<Row>,
    /// Did the runtime write it? None while the vault cannot tell.
    pub(super) verdict: Option<bool>,
    /// Did the log ever name one?
    pub(super) named: bool,
    /// As in [`Found`].
    pub(super) enabled: bool,
}

impl Pins {
    pub(super) fn new(database: Database, vault: vault::Handle, audit: audit::Handle) -> Self {
        let (seals, history) = (Arc::new(Seals::new(vault)), History::new(audit));
        Self { database, seals, history, sound: Arc::default() }
    }

    /// The record that counts, judged. One that was found sound is not read again while the log
    /// names no other: it says what the log says, and carries the vault's pin.
    pub(super) async fn judge(&self, kind: Kind, name: &str) -> Result<Judged> {
        let newest = self.history.newest(kind, name).await?;
        let known = self.sound().get(&(kind, name.to_owned())).cloned();
        if let Some((then, row)) = known
            && then == newest
        {
            let (named, enabled) = (newest.digest.is_some(), newest.enabled);
            return Ok(Judged { row: Some(row), verdict: Some(true), named, enabled });
        }
        let Found { row, named, enabled } = self.find(kind, name).await?;
        let verdict = match &row {
            Some(row) => self.verdict(row).await?,
            None => Some(false),
        };
        if let Some(row) = &row
            && verdict == Some(true)
            && is_named(row, &newest)
        {
            let mut sound = self.sound();
            if sound.len() >= limits::RECORDS {
                sound.clear();
            }
            sound.insert((kind, name.to_owned()), (newest, row.clone()));
        }
        Ok(Judged { row, verdict, named, enabled })
    }

    /// What there is of a record.
    pub(super) async fn find(&self, kind: Kind, name: &str) -> Result<Found> {
        loop {
            let newest = self.history.newest(kind, name).await?;
            let rows = sqlx::query(
                "SELECT name, digest, record, pin, staged FROM package_pins \
                 WHERE kind = $1 AND name = $2",
            )
            .bind(kind.text())
            .bind(name)
            .fetch_all(self.database.pool())
            .await
            .map_err(failed)?;
            if self.history.newest(kind, name).await? != newest {
                // A change came between: its rows belong to what the log says now.
                continue;
            }
            let rows = rows.iter().map(|row| read(kind, row)).collect::<Result<Vec<Row>>>()?;
            let row = rows.into_iter().find(|row| is_named(row, &newest));
            return Ok(Found { row, named: newest.digest.is_some(), enabled: newest.enabled });
        }
    }

    /// The names of all records of a kind, whatever they are worth, sorted.
    pub(super) async fn names(&self, kind: Kind) -> Result<Vec<String>> {
        self.names_of(NAMES, kind).await
    }

    /// All rows of a kind that the log named, sorted by name.
    pub(super) async fn all(&self, kind: Kind) -> Result<Vec<Row>> {
        self.rows_of(NAMES, kind).await
    }

    /// Those among them whose file still has to be put in its place.
    pub(super) async fn staged(&self, kind: Kind) -> Result<Vec<Row>> {
        let names = "SELECT DISTINCT name FROM package_pins WHERE kind = $1 AND staged IS NOT NULL";
        let mut rows = self.rows_of(names, kind).await?;
        rows.retain(|row| row.staged.is_some());
        Ok(rows)
    }

    /// The row with this digest, of a name that the log never named a record of.
    pub(super) async fn unheard_of(
        &self,
        kind: Kind,
        name: &str,
        digest: Sha256Hash,
    ) -> Result<Option<Row>> {
        if self.history.newest(kind, name).await?.digest.is_some() {
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT name, digest, record, pin, staged FROM package_pins \
             WHERE kind = $1 AND name = $2 AND digest = $3",
        )
        .bind(kind.text())
        .bind(name)
        .bind(digest.hex())
        .fetch_optional(self.database.pool())
        .await
        .map_err(failed)?;
        let row = row.map(|row| read(kind, &row)).transpose()?;
        // The column is a claim; the text is what was agreed to.
        Ok(row.filter(|row| row.digest() == digest))
    }

    /// Did the runtime write this row? None while the vault cannot tell.
    pub(super) async fn verdict(&self, row: &Row) -> Result<Option<bool>> {
        self.seals.check(row.kind.domain(), row.message(), row.pin).await
    }

    /// A row for a record, sealed by the vault; `vault_locked`.
    pub(super) async fn seal(&self, kind: Kind, name: String, record: String) -> Result<Row> {
        let mut row = Row {
            kind,
            name,
            record,
            pin: Pin([0; 32]),
            staged: None,
            unnamed: false,
            texts: Vec::new(),
        };
        row.pin = self.seals.seal(kind.domain(), row.message()).await?;
        Ok(row)
    }
}

const NAMES: &str = "SELECT DISTINCT name FROM package_pins WHERE kind = $1";

impl Pins {
    fn sound(&self) -> MutexGuard<'_, Sound> {
        // Entries are written whole: a panic elsewhere leaves nothing half done here.
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn rows_of(&self, names: &'static str, kind: Kind) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for name in self.names_of(names, kind).await? {
            rows.extend(self.find(kind, &name).await?.row);
        }
        Ok(rows)
    }

    async fn names_of(&self, names: &'static str, kind: Kind) -> Result<Vec<String>> {
        let rows = sqlx::query(names)
            .bind(kind.text())
            .fetch_all(self.database.pool())
            .await
            .map_err(failed)?;
        let names = rows.iter().map(|row| row.try_get("name").map_err(failed));
        let mut names = names.collect::<Result<Vec<String>>>()?;
        // Here, because each database sorts in a language of its own.
        names.sort_unstable();
        Ok(names)
    }
}

impl std::fmt::Debug for Pins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pins")
    }
}

/// Is this the row that counts, if its pin is the vault's?
fn is_named(row: &Row, newest: &Newest) -> bool {
    match newest.digest {
        Some(digest) => !row.unnamed && row.digest() == digest,
        None => row.unnamed,
    }
}
