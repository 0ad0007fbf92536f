//! Writing back what a power failure took from the files but not from the journal.

use std::{io, os::unix::fs::FileExt as _, path::Path};

use super::tail;
use crate::{files, files::Place, journal::Frame};

/// Makes the files hold the lines of `frames`. Bytes that stand in the place of signed lines are
/// set aside, never just overwritten. `InvalidData` when lines before a frame's are missing.
pub(crate) fn write_back(folder: &Path, frames: &[Frame]) -> io::Result<()> {
    for frame in frames {
        write_frame(folder, frame)?;
    }
    Ok(())
}

fn write_frame(folder: &Path, frame: &Frame) -> io::Result<()> {
    let file = files::open(folder, &frame.file)?;
    let length = file.metadata()?.len();
    if length < frame.offset {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "lines before a frame are missing"));
    }
    let there = usize::try_from(length - frame.offset).unwrap_or(usize::MAX).min(frame.lines.len());
    let mut found = vec![0; there];
    file.read_exact_at(&mut found, frame.offset)?;
    let (present, missing) = frame.lines.split_at(there);
    if found != present {
        tracing::warn!(file = frame.file, "lines of the log differ from what was signed");
        tail::set_aside_from(folder, &Place { file: frame.file.clone(), offset: frame.offset })?;
        file.write_all_at(&frame.lines, frame.offset)?;
        return file.sync_all();
    }
    if !missing.is_empty() {
        file.write_all_at(missing, length)?;
        file.sync_all()?;
    }
    Ok(())
}
