//! Keeps folders of things that can be had again within a bound.

use std::{fs, io, path::Path, time::SystemTime};

/// Removes the files of `folder` that were written longest ago, until `most` are left. Blocks.
pub(super) fn oldest(folder: &Path, most: usize) -> io::Result<()> {
    within(folder, most, u64::MAX)
}

/// The same, until they hold no more than `bytes` together either.
pub(super) fn within(folder: &Path, most: usize, bytes: u64) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let (written, length) = fs::metadata(&path).map_or((SystemTime::UNIX_EPOCH, 0), |it| {
            (it.modified().unwrap_or(SystemTime::UNIX_EPOCH), it.len())
        });
        found.push((written, length, path));
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    let mut held = 0_u64;
    for (at, (_, length, path)) in found.iter().enumerate() {
        held = held.saturating_add(*length);
        if at >= most || held > bytes {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_written_longest_ago_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [("b", 3), ("a", 2), ("c", 1)] {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_hours(1000 - age);
            file.set_modified(at).unwrap();
        }
        oldest(folder.path(), 3).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        oldest(folder.path(), 2).unwrap();
        assert!(!folder.path().join("b").exists());
        oldest(folder.path(), 0).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn as_much_is_left_as_there_is_room_for() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [("a", 1), ("b", 2), ("c", 3)] {
            fs::write(folder.path().join(name), [0; 10]).unwrap();
            let file = fs::File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(1000 - age)).unwrap();
        }
        let left = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name()).collect();
            names.sort();
            names
        };
        within(folder.path(), 3, 30).unwrap();
        assert_eq!(left(), ["a", "b", "c"]);
        within(folder.path(), 3, 29).unwrap();
        assert_eq!(left(), ["a", "b"]);
        within(folder.path(), 3, 9).unwrap();
        assert!(left().is_empty());
    }
}
