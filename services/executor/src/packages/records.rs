//! What a pinned record of a package says.

use std::str::FromStr;

use aileron_contract::{
    Error, Result, Timestamp,
    names::{ActionName, PackageRef, Sha256Hash},
};
use serde::{Deserialize, Serialize};

use super::pins::Row;

/// An installed action. The file on disk is it when its bytes have `hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ActionRecord {
    pub(super) name: ActionName,
    pub(super) hash: Sha256Hash,
    pub(super) source: PackageRef,
    /// Fingerprint of the key that signed it.
    pub(super) signer: Option<String>,
    pub(super) installed_at: Timestamp,
}

/// An installed connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConnectorRecord {
    pub(super) package: PackageRef,
    pub(super) hash: Sha256Hash,
    /// Fingerprint of the key that signed it.
    pub(super) signer: String,
    pub(super) installed_at: Timestamp,
}

/// The text form of both, fields in a fixed order: the text itself is what is pinned.
#[derive(Serialize, Deserialize)]
struct Text {
    name: Option<String>,
    package: String,
    hash: String,
    signer: Option<String>,
    installed_at: Timestamp,
}

impl ActionRecord {
    pub(super) fn text(&self) -> Result<String> {
        let text = Text {
            name: Some(self.name.to_string()),
            package: self.source.to_string(),
            hash: self.hash.to_string(),
            signer: self.signer.clone(),
            installed_at: self.installed_at,
        };
        serde_json::to_string(&text).map_err(Error::internal)
    }

    /// The record of a row that is about this very name.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let text: Text = serde_json::from_str(&row.record).ok()?;
        let name: ActionName = parsed(&text.name?)?;
        (name.as_str() == row.name).then_some(())?;
        Some(Self {
            name,
            hash: parsed(&text.hash)?,
            source: parsed(&text.package)?,
            signer: text.signer,
            installed_at: text.installed_at,
        })
    }
}

impl ConnectorRecord {
    pub(super) fn text(&self) -> Result<String> {
        let text = Text {
            name: None,
            package: self.package.to_string(),
            hash: self.hash.to_string(),
            signer: Some(self.signer.clone()),
            installed_at: self.installed_at,
        };
        serde_json::to_string(&text).map_err(Error::internal)
    }

    /// The record of a row that is about this very hash.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let text: Text = serde_json::from_str(&row.record).ok()?;
        let hash: Sha256Hash = parsed(&text.hash)?;
        (hash.to_string() == row.name).then_some(())?;
        Some(Self {
            package: parsed(&text.package)?,
            hash,
            signer: text.signer?,
            installed_at: text.installed_at,
        })
    }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
