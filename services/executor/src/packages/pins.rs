//! What persons installed and trusted, recorded so that editing a file or a table forges nothing:
//! each record stands in the state database beside an authenticator only the vault can make.
//! An older record with its older authenticator can be put back by whoever may write the
//! database; it was true once, and only the vault's own generation would tell its age.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aileron_contract::{
    Context, Error, Reason, Result,
    vault::{self, Pin, PinDomain},
};
use aileron_store::{Database, Migration, failed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::{Row as _, any::AnyRow};

/// The tables of this half of the service.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    id: "packages/1",
    statements: &["CREATE TABLE package_pins (kind TEXT NOT NULL, name TEXT NOT NULL, \
                   record TEXT NOT NULL, pin TEXT NOT NULL, staged TEXT, \
                   PRIMARY KEY (kind, name))"],
}];

/// What the vault said about each record and pin.
type Checked = HashMap<(Kind, String, Pin), bool>;

/// Checks remembered; past it all are forgotten and made again.
const REMEMBERED: usize = 8_192;

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
    const fn text(self) -> &'static str {
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

    /// What the vault authenticates: a record of one kind is none of another.
    fn message(self, record: &str) -> Vec<u8> {
        format!("{}\n{record}", self.text()).into_bytes()
    }
}

/// A record as the database holds it; not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) record: String,
    pub(super) pin: Pin,
    /// A file's content that still has to be put in its place, in base64.
    pub(super) staged: Option<String>,
}

impl Row {
    /// The same row, with a file's content to be put in its place after the commit.
    pub(super) fn staging(mut self, content: &[u8]) -> Self {
        self.staged = Some(STANDARD.encode(content));
        self
    }

    /// The content that still has to be put in its place.
    pub(super) fn content(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.staged.as_deref()?).ok()
    }
}

/// The records and their checks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pins {
    database: Database,
    vault: vault::Handle,
    checked: Arc<Mutex<Checked>>,
}

impl Pins {
    pub(super) fn new(database: Database, vault: vault::Handle) -> Self {
        Self { database, vault, checked: Arc::default() }
    }

    pub(super) async fn get(&self, kind: Kind, name: &str) -> Result<Option<Row>> {
        let row = sqlx::query(
            "SELECT name, record, pin, staged FROM package_pins WHERE kind = $1 AND name = $2",
        )
        .bind(kind.text())
        .bind(name)
        .fetch_optional(self.database.pool())
        .await
        .map_err(failed)?;
        row.map(|row| read(kind, &row)).transpose()
    }

    /// All records of a kind, sorted by name.
    pub(super) async fn all(&self, kind: Kind) -> Result<Vec<Row>> {
        let rows =
            sqlx::query("SELECT name, record, pin, staged FROM package_pins WHERE kind = $1")
                .bind(kind.text())
                .fetch_all(self.database.pool())
                .await
                .map_err(failed)?;
        let mut rows = rows.iter().map(|row| read(kind, row)).collect::<Result<Vec<Row>>>()?;
        // Here, because each database sorts in a language of its own.
        rows.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(rows)
    }

    /// Did the runtime write this record? None while the vault cannot tell.
    pub(super) async fn verdict(&self, kind: Kind, record: &str, pin: Pin) -> Result<Option<bool>> {
        let key = (kind, record.to_owned(), pin);
        if let Some(known) = self.remembered().get(&key) {
            return Ok(Some(*known));
        }
        let context = Context::service("executor");
        let asked = self.vault.check_pin(&context, kind.domain(), kind.message(record), pin).await;
        match asked {
            Ok(genuine) => {
                let mut remembered = self.remembered();
                if remembered.len() >= REMEMBERED {
                    remembered.clear();
                }
                remembered.insert(key, genuine);
                Ok(Some(genuine))
            }
            Err(error) if locked(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A row for a record, sealed by the vault; `vault_locked`.
    pub(super) async fn seal(&self, kind: Kind, name: String, record: String) -> Result<Row> {
        let context = Context::service("executor");
        let pin = self.vault.pin(&context, kind.domain(), kind.message(&record)).await?;
        Ok(Row { kind, name, record, pin, staged: None })
    }

    /// Writes rows, all or none. From here on they count.
    pub(super) async fn commit(&self, rows: &[Row]) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        for row in rows {
            sqlx::query(
                "INSERT INTO package_pins (kind, name, record, pin, staged) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, name) DO UPDATE SET \
                 record = excluded.record, pin = excluded.pin, staged = excluded.staged",
            )
            .bind(row.kind.text())
            .bind(&row.name)
            .bind(&row.record)
            .bind(hex::encode(row.pin.0))
            .bind(row.staged.as_deref())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// The row's staged file is in its place.
    pub(super) async fn settle(&self, row: &Row) -> Result<()> {
        sqlx::query(
            "UPDATE package_pins SET staged = NULL WHERE kind = $1 AND name = $2 AND record = $3",
        )
        .bind(row.kind.text())
        .bind(&row.name)
        .bind(&row.record)
        .execute(self.database.pool())
        .await
        .map_err(failed)?;
        Ok(())
    }

    /// Puts rows back as they were before a commit whose files could not be written.
    pub(super) async fn revert(&self, committed: &[Row], before: &[Row]) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        for row in committed {
            sqlx::query("DELETE FROM package_pins WHERE kind = $1 AND name = $2 AND record = $3")
                .bind(row.kind.text())
                .bind(&row.name)
                .bind(&row.record)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        self.commit(before).await
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Checked> {
        // Entries are written whole: a panic elsewhere leaves nothing half done here.
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pins")
    }
}

/// Is this the vault saying that it cannot tell now, rather than a failure?
pub(super) fn locked(error: &Error) -> bool {
    matches!(error.reason(), Reason::VaultLocked | Reason::VaultMissing)
}

fn read(kind: Kind, row: &AnyRow) -> Result<Row> {
    let pin: String = row.try_get("pin").map_err(failed)?;
    let mut bytes = [0; 32];
    // A pin that cannot be read is a pin that does not fit: it stays zero and is refused.
    let fits = hex::decode_to_slice(&pin, &mut bytes).is_ok();
    Ok(Row {
        kind,
        name: row.try_get("name").map_err(failed)?,
        record: row.try_get("record").map_err(failed)?,
        pin: Pin(if fits { bytes } else { [0; 32] }),
        staged: row.try_get("staged").map_err(failed)?,
    })
}
