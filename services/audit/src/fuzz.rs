//! Doors for fuzzing: what the log reads back from its folder, without a running log.

use std::path::Path;

use aileron_contract::{Result, audit::Record};

use crate::{event, journal, recovery};

/// Recovers the log in `folder` as a start does; its size afterwards.
pub fn recover(folder: &Path) -> Result<u64> {
    let recovered = recovery::open(folder, "example.org/log", FIRST_FILE.to_owned(), None)?;
    Ok(recovered.edge.tree.size())
}

const FIRST_FILE: &str = "audit-2026-01-01.jsonl";

/// Reads a journal, and the content of one frame as if its checksum held. False when a frame that
/// was read would not be read back as itself.
pub fn journal_reads_back(bytes: &[u8]) -> bool {
    let same =
        |frame: &journal::Frame| journal::read(&frame.encode()) == std::slice::from_ref(frame);
    journal::read(bytes).iter().all(same)
        && journal::Frame::decode(bytes).is_none_or(|frame| same(&frame))
}

/// Reads a line as a record.
pub fn record(index: u64, leaf: &[u8]) -> Option<Record> {
    event::read(index, leaf)
}
