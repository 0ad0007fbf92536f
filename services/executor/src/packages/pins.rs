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
    Context, Result,
    audit::{self, Event},
    limits,
    names::Sha256Hash,
    vault::{self, Pin, PinDomain},
};
use aileron_store::{Database, Migration, failed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::{Row as _, any::AnyRow};

use super::history::{Change, History, Newest};
use crate::seals::Seals;

mod kept;
pub(super) use kept::Part;

/// The tables of this half of the service.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        id: "packages/1",
        statements: &["CREATE TABLE package_pins (kind TEXT NOT NULL, name TEXT NOT NULL, \
                       record TEXT NOT NULL, pin TEXT NOT NULL, staged TEXT, \
                       PRIMARY KEY (kind, name))"],
    },
    // A change is written beside what it replaces; rows of before have no digest.
    Migration {
        id: "packages/2",
        statements: &[
            "CREATE TABLE package_records (kind TEXT NOT NULL, name TEXT NOT NULL, \
             digest TEXT NOT NULL DEFAULT '', record TEXT NOT NULL, pin TEXT NOT NULL, \
             staged TEXT, PRIMARY KEY (kind, name, digest))",
            "INSERT INTO package_records (kind, name, record, pin, staged) \
             SELECT kind, name, record, pin, staged FROM package_pins",
            "DROP TABLE package_pins",
            "ALTER TABLE package_records RENAME TO package_pins",
        ],
    },
    // Everything installed before there was a lockfile is to be told to it.
    Migration {
        id: "packages/3",
        statements: &[
            "CREATE TABLE package_texts (kind TEXT NOT NULL, name TEXT NOT NULL, \
             digest TEXT NOT NULL, part TEXT NOT NULL, content TEXT NOT NULL, \
             PRIMARY KEY (kind, name, digest, part))",
            "CREATE TABLE package_lock_due (kind TEXT NOT NULL, name TEXT NOT NULL, \
             PRIMARY KEY (kind, name))",
            "INSERT INTO package_lock_due (kind, name) SELECT DISTINCT kind, name \
             FROM package_pins WHERE kind <> 'keyring'",
        ],
    },
];

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

/// A record as the database holds it; not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) record: String,
    pin: Pin,
    /// A file's content that still has to be put in its place, in base64.
    staged: Option<String>,
    /// Written before the log named records.
    unnamed: bool,
    /// Texts to be kept with it; only in a row that is to be staged.
    texts: Vec<(Part, Vec<u8>)>,
}

impl Row {
    /// The same row, with a file's content to be put in its place after the commit.
    pub(super) fn staging(mut self, content: &[u8]) -> Self {
        self.staged = Some(STANDARD.encode(content));
        self
    }

    /// The same row, with a text to be kept beside it.
    pub(super) fn keeping(mut self, part: Part, text: Vec<u8>) -> Self {
        self.texts.push((part, text));
        self
    }

    /// The content that still has to be put in its place.
    pub(super) fn content(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.staged.as_deref()?).ok()
    }

    pub(super) fn digest(&self) -> Sha256Hash {
        Sha256Hash::of(&[self.record.as_bytes()])
    }

    /// What the vault authenticates: a record of one kind is none of another.
    fn message(&self) -> Vec<u8> {
        let Self { kind, name, record, unnamed, .. } = self;
        if *unnamed {
            return format!("{}\n{record}", kind.text()).into_bytes();
        }
        format!("{}/2\n{name}\n{record}", kind.text()).into_bytes()
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

/// A row and the event that makes it count.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) row: Row,
    pub(super) event: Event,
    pub(super) enabled: Option<bool>,
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

    /// All rows of a kind that the log named, sorted by name.
    pub(super) async fn all(&self, kind: Kind) -> Result<Vec<Row>> {
        self.rows_of("SELECT DISTINCT name FROM package_pins WHERE kind = $1", kind).await
    }

    /// Those among them whose file still has to be put in its place.
    pub(super) async fn staged(&self, kind: Kind) -> Result<Vec<Row>> {
        let names = "SELECT DISTINCT name FROM package_pins WHERE kind = $1 AND staged IS NOT NULL";
        let mut rows = self.rows_of(names, kind).await?;
        rows.retain(|row| row.staged.is_some());
        Ok(rows)
    }

    /// Rows of changes that were cut off before the log named them, what they stand for begun.
    pub(super) async fn abandoned(&self, kind: Kind) -> Result<Vec<Row>> {
        let rows = sqlx::query(
            "SELECT name, digest, record, pin, staged FROM package_pins \
             WHERE kind = $1 AND staged IS NOT NULL",
        )
        .bind(kind.text())
        .fetch_all(self.database.pool())
        .await
        .map_err(failed)?;
        let mut abandoned = Vec::new();
        for row in &rows {
            let row = read(kind, row)?;
            let newest = self.history.newest(kind, &row.name).await?;
            if !is_named(&row, &newest) {
                abandoned.push(row);
            }
        }
        Ok(abandoned)
    }

    /// Lets go of a row that was abandoned.
    pub(super) async fn forget(&self, row: &Row) -> Result<()> {
        sqlx::query(
            "DELETE FROM package_pins \
             WHERE kind = $1 AND name = $2 AND digest = $3 AND staged IS NOT NULL",
        )
        .bind(row.kind.text())
        .bind(&row.name)
        .bind(column(row))
        .execute(self.database.pool())
        .await
        .map_err(failed)?;
        Ok(())
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

    /// Writes rows beside those that count, all or none. What earlier changes left that never
    /// came about goes. Nothing counts that did not before.
    pub(super) async fn stage(&self, rows: &[Row]) -> Result<()> {
        let mut counting = Vec::with_capacity(rows.len());
        for row in rows {
            counting.push(self.find(row.kind, &row.name).await?.row);
        }
        let mut transaction = self.database.begin().await?;
        for (row, counts) in rows.iter().zip(counting) {
            let (digest, kept) = (row.digest().hex(), counts.as_ref().map(column));
            sqlx::query("DELETE FROM package_pins WHERE kind = $1 AND name = $2 AND digest <> $3")
                .bind(row.kind.text())
                .bind(&row.name)
                .bind(kept.unwrap_or_else(|| digest.clone()))
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            sqlx::query(
                "INSERT INTO package_pins (kind, name, digest, record, pin, staged) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind, name, digest) DO UPDATE SET \
                 record = excluded.record, pin = excluded.pin, staged = excluded.staged",
            )
            .bind(row.kind.text())
            .bind(&row.name)
            .bind(digest)
            .bind(&row.record)
            .bind(hex::encode(row.pin.0))
            .bind(row.staged.as_deref())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
            kept::stage(&mut transaction, row, counts.as_ref()).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Tells the log. From here on the staged row counts, and no other of its name.
    pub(super) async fn name(&self, context: &Context, change: &Move) -> Result<()> {
        let Move { row, event, enabled } = change;
        let change = Change { digest: Some(row.digest()), enabled: *enabled };
        self.history.append(context, (row.kind, &row.name), event.clone(), change).await
    }

    /// Tells the log that an action was switched on or off.
    pub(super) async fn switch(
        &self,
        context: &Context,
        name: &str,
        event: Event,
        enabled: bool,
    ) -> Result<()> {
        let change = Change { digest: None, enabled: Some(enabled) };
        self.history.append(context, (Kind::Action, name), event, change).await
    }

    /// The rows' files are in their places: nothing is staged any more, and older rows go.
    pub(super) async fn settle(&self, rows: &[Row]) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        for row in rows {
            for statement in [
                "DELETE FROM package_pins WHERE kind = $1 AND name = $2 AND digest <> $3",
                "UPDATE package_pins SET staged = NULL \
                 WHERE kind = $1 AND name = $2 AND digest = $3",
            ] {
                sqlx::query(statement)
                    .bind(row.kind.text())
                    .bind(&row.name)
                    .bind(column(row))
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed)?;
            }
            kept::settle(&mut transaction, row).await?;
        }
        transaction.commit().await.map_err(failed)
    }
}

impl Pins {
    fn sound(&self) -> MutexGuard<'_, Sound> {
        // Entries are written whole: a panic elsewhere leaves nothing half done here.
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn rows_of(&self, names: &'static str, kind: Kind) -> Result<Vec<Row>> {
        let names = sqlx::query(names)
            .bind(kind.text())
            .fetch_all(self.database.pool())
            .await
            .map_err(failed)?;
        let mut rows = Vec::with_capacity(names.len());
        for name in names {
            let name: String = name.try_get("name").map_err(failed)?;
            rows.extend(self.find(kind, &name).await?.row);
        }
        // Here, because each database sorts in a language of its own.
        rows.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(rows)
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

/// The digest as the table's key holds it.
fn column(row: &Row) -> String {
    if row.unnamed { String::new() } else { row.digest().hex() }
}

fn read(kind: Kind, row: &AnyRow) -> Result<Row> {
    let pin: String = row.try_get("pin").map_err(failed)?;
    let digest: String = row.try_get("digest").map_err(failed)?;
    let mut bytes = [0; 32];
    // A pin that cannot be read is a pin that does not fit: it stays zero and is refused.
    let fits = hex::decode_to_slice(&pin, &mut bytes).is_ok();
    Ok(Row {
        kind,
        name: row.try_get("name").map_err(failed)?,
        record: row.try_get("record").map_err(failed)?,
        pin: Pin(if fits { bytes } else { [0; 32] }),
        staged: row.try_get("staged").map_err(failed)?,
        unnamed: digest.is_empty(),
        texts: Vec::new(),
    })
}
