//! A record as the database holds it.

use aileron_contract::{Result, names::Sha256Hash, vault::Pin};
use aileron_store::failed;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::{Row as _, any::AnyRow};

use super::{Kind, Part};

/// Not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::packages) struct Row {
    pub(in crate::packages) kind: Kind,
    pub(in crate::packages) name: String,
    pub(in crate::packages) record: String,
    pub(super) pin: Pin,
    /// A file's content that still has to be put in its place, in base64.
    pub(super) staged: Option<String>,
    /// Written before the log named records.
    pub(super) unnamed: bool,
    /// Texts to be kept with it; only in a row that is to be staged.
    pub(super) texts: Vec<(Part, Vec<u8>)>,
}

impl Row {
    /// The same row, with a file's content to be put in its place after the commit.
    pub(in crate::packages) fn staging(mut self, content: &[u8]) -> Self {
        self.staged = Some(STANDARD.encode(content));
        self
    }

    /// The same row, with a text to be kept beside it.
    pub(in crate::packages) fn keeping(mut self, part: Part, text: Vec<u8>) -> Self {
        self.texts.push((part, text));
        self
    }

    /// The content that still has to be put in its place.
    pub(in crate::packages) fn content(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.staged.as_deref()?).ok()
    }

    pub(in crate::packages) fn digest(&self) -> Sha256Hash {
        Sha256Hash::of(&[self.record.as_bytes()])
    }

    /// What the vault authenticates: a record of one kind is none of another.
    pub(super) fn message(&self) -> Vec<u8> {
        let Self { kind, name, record, unnamed, .. } = self;
        if *unnamed {
            return format!("{}\n{record}", kind.text()).into_bytes();
        }
        format!("{}/2\n{name}\n{record}", kind.text()).into_bytes()
    }
}

/// The digest as the table's key holds it.
pub(super) fn column(row: &Row) -> String {
    if row.unnamed { String::new() } else { row.digest().hex() }
}

pub(super) fn read(kind: Kind, row: &AnyRow) -> Result<Row> {
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
