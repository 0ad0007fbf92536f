//! The copy of the Hub as it is kept: one file, the texts of its entries as they were. They are
//! read anew with every start, and only when the file is as the runtime wrote it: other programs
//! of the same user may write it, too.

use std::time::Duration;

use aileron_contract::{Timestamp, json, limits};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::archive::Unpacked;

/// The one version there is.
const VERSION: u32 = 1;

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    version: u32,
    /// The repository it is of.
    pub(super) source: String,
    pub(super) commit: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) fetched_at: Timestamp,
    /// When the source last said that it is still this one.
    pub(super) checked_at: Timestamp,
    /// Sorted by path.
    pub(super) files: Vec<File>,
}

/// A file of the Hub that should be an entry: its text, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

impl File {
    pub(super) fn text(path: &str, text: String) -> Self {
        Self { path: path.to_owned(), text: Some(text), refused: None }
    }

    pub(super) fn refused(path: &str, why: &str) -> Self {
        let path = json::visible(&path.chars().take(200).collect::<String>());
        Self { path, text: None, refused: Some(why.to_owned()) }
    }

    pub(super) fn length(&self) -> usize {
        let text = self.text.as_ref().map_or(0, String::len);
        let refused = self.refused.as_ref().map_or(0, String::len);
        self.path.len().saturating_add(text).saturating_add(refused)
    }
}

impl Stored {
    /// What was fetched just now.
    pub(super) fn new(
        source: String,
        unpacked: Unpacked,
        etag: Option<String>,
        now: Timestamp,
    ) -> Self {
        let Unpacked { commit, files } = unpacked;
        let etag = etag.filter(|etag| etag.len() <= limits::TAG);
        Self { version: VERSION, source, commit, etag, fetched_at: now, checked_at: now, files }
    }

    /// The kept copy. One that cannot be read is none: it is a copy, and fetched again.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        match serde_json::from_slice::<Self>(text) {
            Ok(stored) if stored.version == VERSION => Some(stored),
            Ok(stored) => {
                tracing::info!(version = stored.version, "the copy of the Hub has another version");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the copy of the Hub is damaged");
                None
            }
        }
    }

    /// What is kept of it.
    pub(super) fn text(&self) -> serde_json::Result<Bytes> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    /// Young enough to answer without asking. A copy from the future is not.
    pub(super) fn fresh(&self, now: Timestamp) -> bool {
        self.checked_at <= now && self.age(now) < limits::HUB_FRESH
    }

    pub(super) fn age(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.checked_at)).unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(checked_at: &str) -> Stored {
        let unpacked = Unpacked {
            commit: Some("a".repeat(40)),
            files: vec![
                File::text("actions/x.yaml", "fqn: x\n".to_owned()),
                File::refused("y", "z"),
            ],
        };
        Stored::new("https://h/o/r".into(), unpacked, None, checked_at.parse().unwrap())
    }

    #[test]
    fn a_copy_is_fresh_for_a_day_and_not_before_it_was_made() {
        let copy = stored("2026-11-20T12:00:00Z");
        let at = |text: &str| copy.fresh(text.parse().unwrap());
        assert!(at("2026-11-20T12:00:00Z") && at("2026-11-21T11:59:59Z"));
        assert!(!at("2026-11-21T12:00:00Z") && !at("2026-11-20T11:59:59Z"));
    }

    #[test]
    fn a_copy_reads_back_as_it_was_kept_and_a_damaged_one_is_none() {
        let copy = stored("2026-11-20T12:00:00Z");
        let text = String::from_utf8(copy.text().unwrap().to_vec()).unwrap();
        assert_eq!(Stored::read(text.as_bytes()), Some(copy));
        for damaged in [
            text.replace("\"version\":1", "\"version\":2"),
            text.replace("\"version\":1", "\"version\":1,\"x\":0"),
            text.chars().take(40).collect(),
        ] {
            assert_eq!(Stored::read(damaged.as_bytes()), None);
        }
    }
}
