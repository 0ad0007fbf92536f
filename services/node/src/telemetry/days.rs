//! A file of lines for each day, as published: `spans-YYYY-MM-DD.jsonl`.

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aileron_contract::{Timestamp, limits};
use aileron_store::files;
use jiff::{civil::Date, tz::TimeZone};

/// The folder.
pub(super) struct Days {
    folder: PathBuf,
    clock: fn() -> Timestamp,
}

impl Days {
    pub(super) fn new(folder: PathBuf, clock: fn() -> Timestamp) -> Self {
        Self { folder, clock }
    }

    /// Adds whole lines to the file of the day, here by local time. A day's file that is full
    /// takes no more, and there are not too many days.
    pub(super) async fn append(&self, lines: Vec<u8>) -> io::Result<()> {
        let day = (self.clock)().to_zoned(TimeZone::system()).strftime("%Y-%m-%d").to_string();
        let folder = self.folder.clone();
        let writing = move || append(&folder, &format!("spans-{day}.jsonl"), &lines);
        tokio::task::spawn_blocking(writing).await.map_err(io::Error::other)?
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folder.display().fmt(f)
    }
}

fn append(folder: &Path, name: &str, lines: &[u8]) -> io::Result<()> {
    files::create_private_dir(folder)?;
    let mut file = files::append_own(&folder.join(name))?;
    let size = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    let before = file.metadata()?.len();
    if before == 0 {
        remove_oldest(folder, name)?;
    }
    if before.saturating_add(size) > limits::TRACE_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file of the day is full"));
    }
    file.write_all(lines)
}

/// Removes the files of the oldest days beyond those that are kept, of which today's is one. What
/// is named otherwise is not ours.
fn remove_oldest(folder: &Path, today: &str) -> io::Result<()> {
    let mut days = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && name != today
            && is_of_a_day(&name)
            && entry.file_type()?.is_file()
        {
            days.push(name);
        }
    }
    days.sort_unstable();
    let too_many = days.len().saturating_sub(limits::TRACE_DAYS.saturating_sub(1));
    for name in days.into_iter().take(too_many) {
        fs::remove_file(folder.join(name))?;
    }
    Ok(())
}

fn is_of_a_day(name: &str) -> bool {
    let day = name.strip_prefix("spans-").and_then(|rest| rest.strip_suffix(".jsonl"));
    day.is_some_and(|day| day.len() == 10 && day.parse::<Date>().is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn each_day_has_a_file_of_its_own_that_only_its_owner_reads() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("traces");
        let days = Days::new(folder.clone(), || Timestamp::UNIX_EPOCH);
        days.append(b"one\n".to_vec()).await.unwrap();
        days.append(b"two\n".to_vec()).await.unwrap();
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
        let [file] = files.as_slice() else { panic!("{files:?}") };
        let name = file.file_name().into_string().unwrap();
        // Where the machine is decides whose day it is.
        assert!(["spans-1970-01-01.jsonl", "spans-1969-12-31.jsonl"].contains(&name.as_str()));
        assert_eq!(fs::read(file.path()).unwrap(), b"one\ntwo\n");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[tokio::test]
    async fn the_files_of_the_oldest_days_make_room_for_a_new_one() {
        let home = tempfile::tempdir().unwrap();
        let others = ["spans-1960-01-01.jsonl.bak", "spans-1960-13-01.jsonl", "notes"];
        let old: Vec<_> = (10..30).map(|day| format!("spans-1960-01-{day}.jsonl")).collect();
        for name in others.iter().copied().chain(old.iter().map(String::as_str)) {
            fs::write(home.path().join(name), "kept").unwrap();
        }
        let days = Days::new(home.path().to_owned(), || Timestamp::UNIX_EPOCH);
        days.append(b"one\n".to_vec()).await.unwrap();
        let there = |name: &&String| home.path().join(name).exists();
        let newest: Vec<_> = old.iter().skip(old.len() + 1 - limits::TRACE_DAYS).collect();
        assert_eq!(old.iter().filter(there).collect::<Vec<_>>(), newest);
        for name in others {
            assert!(home.path().join(name).exists(), "{name}");
        }
        let found = fs::read_dir(home.path()).unwrap().count();
        assert_eq!(found, others.len() + limits::TRACE_DAYS);
    }

    #[tokio::test]
    async fn a_full_file_takes_no_more() {
        let home = tempfile::tempdir().unwrap();
        let days = Days::new(home.path().to_owned(), || Timestamp::UNIX_EPOCH);
        days.append(b"one\n".to_vec()).await.unwrap();
        let file = fs::read_dir(home.path()).unwrap().next().unwrap().unwrap().path();
        let full = fs::OpenOptions::new().write(true).open(&file).unwrap();
        full.set_len(limits::TRACE_FILE).unwrap();
        let refused = days.append(b"two\n".to_vec()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(fs::metadata(&file).unwrap().len(), limits::TRACE_FILE);
    }

    #[tokio::test]
    async fn a_link_that_somebody_planted_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let days = |folder: &str| Days::new(home.path().join(folder), || Timestamp::UNIX_EPOCH);
        days("one").append(b"one\n".to_vec()).await.unwrap();
        let file = fs::read_dir(home.path().join("one")).unwrap().next().unwrap().unwrap();
        let other = home.path().join("other");
        fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(file.path(), other.join(file.file_name())).unwrap();
        days("other").append(b"two\n".to_vec()).await.unwrap_err();
        assert_eq!(fs::read(file.path()).unwrap(), b"one\n");
    }
}
