//! The files that hold the log's lines: one per local day, in the order of their names.

use std::{
    fs::{self, File},
    io::{self, BufReader, Seek as _, SeekFrom},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use aileron_contract::Timestamp;
use aileron_receipt::line::{Lines, is_log_file};
use aileron_store::files::private;
use jiff::tz::TimeZone;

/// A place between two lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file's name; empty before the first file.
    pub(crate) file: String,
    pub(crate) offset: u64,
}

impl Place {
    pub(crate) fn start() -> Self {
        Self { file: String::new(), offset: 0 }
    }
}

/// The name of the file for lines written at `now`. Were the clock set back over midnight, an
/// older name would put new lines before old ones: so the newest file there is goes on.
pub(crate) fn name_at(now: Timestamp, zone: &TimeZone, newest: &str) -> String {
    let name = format!("audit-{}.jsonl", now.to_zoned(zone.clone()).date());
    if name.as_str() > newest && is_log_file(&name) { name } else { newest.to_owned() }
}

/// The log's files, oldest first.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Some(name) = entry?.file_name().to_str().filter(|name| is_log_file(name)) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The file whose lines follow those of `after`; the first one when that is empty.
pub(crate) fn next(folder: &Path, after: &str) -> io::Result<String> {
    let next = names(folder)?.into_iter().find(|name| name.as_str() > after);
    next.ok_or_else(|| io::Error::other("lines of the log are missing"))
}

/// Opens a log file for reading and writing, never through a link; made when missing.
pub(crate) fn open(folder: &Path, name: &str) -> io::Result<File> {
    let path = folder.join(name);
    let file = private().create(true).read(true).write(true).truncate(false).open(&path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is not a file", path.display())))
}

/// Bytes read at once.
const BUFFER: usize = 256 * 1024;

/// Lines from `offset` of a file on.
pub(crate) fn lines_from(
    folder: &Path,
    name: &str,
    offset: u64,
) -> io::Result<Lines<BufReader<File>>> {
    let mut file = open_to_read(&folder.join(name))?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(Lines::new(BufReader::with_capacity(BUFFER, file)))
}

/// What stands where a line is said to be.
pub(crate) fn read_line(folder: &Path, place: &Place, length: usize) -> io::Result<Vec<u8>> {
    if !is_log_file(&place.file) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file of the log"));
    }
    let mut line = vec![0; length];
    open_to_read(&folder.join(&place.file))?.read_exact_at(&mut line, place.offset)?;
    Ok(line)
}

fn open_to_read(path: &PathBuf) -> io::Result<File> {
    private().read(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_does_not_reorder_the_log() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap_or(TimeZone::fixed(jiff::tz::offset(9)));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let first = name_at(at("2026-11-20T16:00:00Z"), &zone, "");
        assert_eq!(first, "audit-2026-11-21.jsonl");
        assert_eq!(name_at(at("2026-11-19T00:00:00Z"), &zone, &first), first);
        assert_eq!(name_at(at("2026-11-21T15:00:00Z"), &zone, &first), "audit-2026-11-22.jsonl");
    }
}
