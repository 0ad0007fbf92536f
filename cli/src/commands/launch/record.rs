//! The session's log file in the folder the agent works in, as published: `key=value` lines, nothing
//! secret. What the session does stands in the runtime's log (`aileron sessions watch`).

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use aileron_api::sessions::Session;
use jiff::Timestamp;
use rustix::{
    fs::{CWD, Mode, OFlags, mkdirat, openat},
    io::Errno,
};

use crate::{
    arguments::LogLevel,
    failure::{Failure, Result},
};

pub(super) struct Record {
    path: PathBuf,
    /// None when its level leaves out all that is told.
    file: Option<File>,
}

impl Record {
    /// `<folder>/.aileron/session.log`, emptied. Through no link: a project that somebody else made
    /// must not choose which file is emptied.
    pub(super) fn open(folder: &Path, level: LogLevel) -> Result<Self> {
        let below = folder.join(".aileron");
        let path = below.join("session.log");
        let failed = |error: Errno| Failure::file("open", &path, error.into());
        match mkdirat(CWD, &below, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let below = openat(CWD, &below, flags, Mode::empty()).map_err(failed)?;
        let flags = OFlags::WRONLY
            | OFlags::CREATE
            | OFlags::TRUNC
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        let file = openat(&below, "session.log", flags, Mode::from_raw_mode(0o644));
        let file = File::from(file.map_err(failed)?);
        Ok(Self { path, file: Some(file).filter(|_| level <= LogLevel::Info) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn started(
        &self,
        agent: &str,
        session: &Session,
        folder: &Path,
        url: &str,
    ) -> Result<()> {
        self.write(
            "session started",
            &[
                ("agent", agent),
                ("session_id", &session.id),
                ("dir", &folder.to_string_lossy()),
                ("url", url),
                ("approval_url", &format!("{url}/approvals")),
                ("sandbox", "off"),
            ],
        )
    }

    pub(super) fn ended(&self, code: Option<i32>) -> Result<()> {
        let code = code.map_or_else(|| "unknown".to_owned(), |code| code.to_string());
        self.write("session ended", &[("exit_code", &code)])
    }

    fn write(&self, message: &str, pairs: &[(&str, &str)]) -> Result<()> {
        let Some(mut file) = self.file.as_ref() else { return Ok(()) };
        let mut line = format!("time={} level=INFO msg={message:?}", Timestamp::now());
        for (key, value) in pairs {
            line.extend([" ", key, "=", &quoted(value)]);
        }
        line.push('\n');
        file.write_all(line.as_bytes()).map_err(|error| Failure::file("write", &self.path, error))
    }
}

fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._:-".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_project_cannot_have_another_file_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        let project = folder.path().join("project");
        std::fs::create_dir_all(project.join(".aileron")).unwrap();
        symlink(&victim, project.join(".aileron/session.log")).unwrap();
        assert!(Record::open(&project, LogLevel::Info).is_err());
        let other = folder.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::rename(&victim, folder.path().join("session.log")).unwrap();
        symlink(folder.path(), other.join(".aileron")).unwrap();
        assert!(Record::open(&other, LogLevel::Info).is_err());
        assert_eq!(std::fs::read(folder.path().join("session.log")).unwrap(), b"precious");
    }

    #[test]
    fn a_value_stays_one_value() {
        assert_eq!(quoted("/a/b"), "/a/b");
        assert_eq!(quoted("a b\nlevel=ERROR"), "\"a b\\nlevel=ERROR\"");
        assert_eq!(quoted(""), "\"\"");
    }
}
