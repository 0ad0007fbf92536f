//! Keeps folders of things that can be had again within a bound.

use std::{fs, io, path::Path, time::SystemTime};

/// Removes the files of `folder` that were written longest ago, until `most` are left. Blocks.
pub(super) fn oldest(folder: &Path, most: usize) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.push(entry?.path());
    }
    let Some(over) = found.len().checked_sub(most).filter(|over| *over > 0) else { return Ok(()) };
    found.sort_by_cached_key(|path| {
        fs::metadata(path).and_then(|it| it.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    });
    found.iter().take(over).try_for_each(fs::remove_file)
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
}
