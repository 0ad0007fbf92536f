//! A publisher's repository, as far as Aileron reads it.

use aileron_contract::{names::ActionName, names::Fqn};

use crate::formats::{self, Problem, action::ActionFile, manifest::Manifest};

use super::UNBOUND_HASH;

/// One file of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// From the repository's root, for problems.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// `actions/<name>/action.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionSource {
    /// The folder's name, which must be the action's.
    pub folder: String,
    pub file: SourceFile,
}

/// The files that a release is made of, placeholders and all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// `connector/manifest.toml`
    pub manifest: SourceFile,
    /// In the order of their folders.
    pub actions: Vec<ActionSource>,
    /// `suite.toml`
    pub suite: Option<SourceFile>,
    /// `keys/publisher.pub`
    pub key: Option<SourceFile>,
}

impl SourceFile {
    /// The file's text; what is not UTF-8 is refused by the readers of the formats.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The first line that contains `needle`, from 1; 0 when none does.
    pub(super) fn line_of(&self, needle: &str) -> u32 {
        let at = self.text().lines().position(|line| line.contains(needle));
        at.map_or(0, |at| u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1))
    }
}

impl Sources {
    pub(super) fn manifest(&self) -> Result<Manifest, Problem> {
        formats::manifest::parse(&self.manifest.bytes, &self.manifest.path)
    }
}

impl ActionSource {
    /// Reads the action as it will be once the connector's hash is known.
    pub(super) fn read(&self) -> Result<ActionFile, Problem> {
        if !contains(&self.file.bytes, UNBOUND_HASH.as_bytes()) {
            return formats::action::parse(&self.file.bytes, &self.file.path);
        }
        let nothing = format!("sha256:{}", "0".repeat(64));
        let bound = self.file.text().replace(UNBOUND_HASH, &nothing);
        formats::action::parse(bound.as_bytes(), &self.file.path)
    }

    /// Under which name the action of this folder is published.
    pub(super) fn published(connector: &Fqn, name: &ActionName) -> String {
        format!("{}/actions/{name}", connector.authority())
    }
}

pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
