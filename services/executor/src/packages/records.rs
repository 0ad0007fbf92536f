//! What a pinned record of a package says.

use std::{collections::BTreeMap, str::FromStr};

use aileron_contract::{
    Error, Result, Timestamp,
    names::{ActionName, PackageRef, Sha256Hash, Version},
};
use serde::{Deserialize, Serialize};

use super::{
    pins::{Kind, Part, Pins, Row},
    tool::Tool,
};

/// An installed action. The file on disk is it when its bytes have `hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ActionRecord {
    pub(super) name: ActionName,
    pub(super) hash: Sha256Hash,
    pub(super) source: PackageRef,
    /// Fingerprint of the key that signed it.
    pub(super) signer: Option<String>,
    pub(super) installed_at: Timestamp,
    /// The connectors that are installed when the action is, by hash, each with the digest of its
    /// record: the action's event speaks for them.
    pub(super) brings: BTreeMap<Sha256Hash, Sha256Hash>,
    /// What agents were shown of it then; none in records of before.
    pub(super) tool: Option<ToolRecord>,
}

/// What agents are shown of an action, by hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ToolText", into = "ToolText")]
pub(super) struct ToolRecord {
    pub(super) version: Version,
    pub(super) description: Sha256Hash,
    pub(super) input_schema: Sha256Hash,
}

#[derive(Serialize, Deserialize)]
struct ToolText {
    version: String,
    description: String,
    input_schema: String,
}

impl From<ToolRecord> for ToolText {
    fn from(tool: ToolRecord) -> Self {
        let ToolRecord { version, description, input_schema } = tool;
        Self {
            version: version.to_string(),
            description: description.to_string(),
            input_schema: input_schema.to_string(),
        }
    }
}

impl TryFrom<ToolText> for ToolRecord {
    type Error = Error;

    fn try_from(text: ToolText) -> Result<Self> {
        Ok(Self {
            version: text.version.parse()?,
            description: text.description.parse()?,
            input_schema: text.input_schema.parse()?,
        })
    }
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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    brings: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<ToolRecord>,
}

/// The record of an action that a person let go: its file may come back, but not in silence.
#[derive(Serialize)]
struct Gone<'a> {
    name: &'a str,
    gone_at: Timestamp,
}

impl ActionRecord {
    pub(super) fn text(&self) -> Result<String> {
        let text = Text {
            name: Some(self.name.to_string()),
            package: self.source.to_string(),
            hash: self.hash.to_string(),
            signer: self.signer.clone(),
            installed_at: self.installed_at,
            brings: self.brings.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect(),
            tool: self.tool.clone(),
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
            brings: text
                .brings
                .iter()
                .map(|(hash, digest)| Some((parsed(hash)?, parsed(digest)?)))
                .collect::<Option<_>>()?,
            tool: text.tool,
        })
    }

    /// Its row, with the texts that a later difference is shown from. `bytes` are the file's.
    pub(super) async fn sealed(&self, pins: &Pins, tool: &Tool, bytes: &[u8]) -> Result<Row> {
        let row = pins.seal(Kind::Action, self.name.to_string(), self.text()?).await?;
        Ok(row.keeping(Part::File, bytes.to_vec()).keeping(Part::Tool, tool.text()?.into_bytes()))
    }

    /// The text of a record that says the action is installed no more. As a record it is none.
    pub(super) fn gone(name: &ActionName, at: Timestamp) -> Result<String> {
        let text = Gone { name: name.as_str(), gone_at: at };
        serde_json::to_string(&text).map_err(Error::internal)
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
            brings: BTreeMap::new(),
            tool: None,
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
