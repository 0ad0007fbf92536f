//! The daemon's clock, which a test moves: a library between it and the system adds what a file
//! says. Time spans are left as they are, so that nothing waits longer or shorter.

use std::{ffi::OsString, path::PathBuf};

use tempfile::TempDir;

pub(crate) struct Clock {
    folder: TempDir,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let clock = Self { folder: tempfile::tempdir().unwrap() };
        clock.leap(0);
        clock
    }

    /// So many minutes before the real time.
    pub(crate) fn leap(&self, minutes: u32) {
        let next = self.folder.path().join("next");
        std::fs::write(&next, format!("+{minutes}m\n")).unwrap();
        std::fs::rename(&next, self.file()).unwrap();
    }

    /// For a program that goes by this clock.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        [
            ("LD_PRELOAD", library().into_os_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().into_os_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            // The library's own lock, for all programs of this machine, is not needed here.
            ("FAKETIME_DISABLE_SHM", "1".into()),
        ]
        .to_vec()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("time")
    }
}

/// Debian's `libfaketime`, wherever this machine's libraries are.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = found.find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("libfaketime is not installed: use tests/run"))
}
