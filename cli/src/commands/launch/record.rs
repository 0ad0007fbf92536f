//! The session's log file in the folder the agent works in, as published: `key=value` lines, nothing
//! secret. What the session does stands in the runtime's log (`aileron sessions watch`).

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
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
        let failed = |error: Errno| match error {
            // A link, a pipe nobody reads, a folder or a file where the other is expected.
            Errno::LOOP | Errno::NXIO | Errno::ISDIR | Errno::NOTDIR => in_the_way(&path),
            error => Failure::file("open", &path, error.into()),
        };
        match mkdirat(CWD, &below, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let below = openat(CWD, &below, flags, Mode::empty()).map_err(failed)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&below, "session.log", flags, Mode::from_raw_mode(0o644));
        let file = File::from(file.map_err(failed)?);
        let found = file.metadata().map_err(|error| Failure::file("read", &path, error))?;
        if !found.is_file() || found.nlink() > 1 {
            return Err(in_the_way(&path));
        }
        file.set_len(0).map_err(|error| Failure::file("empty", &path, error))?;
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

/// Nothing was written through it, and no agent was started.
fn in_the_way(path: &Path) -> Failure {
    let folder = path.parent().unwrap_or(path).display();
    Failure::plain(format!(
        "{} is no file of this folder's own, and no agent is started over it: {folder} must be a \
         folder and session.log in it a file with one name (no link, no pipe). Look at what is \
         there (ls -l {folder}), move it away, and launch again",
        path.display()
    ))
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
    use std::{os::unix::fs::symlink, process::Command};

    use std::os::unix::fs::OpenOptionsExt as _;

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
    fn whoever_finds_something_in_the_way_is_told_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        let log = ".aileron/session.log";
        for name in ["link", "second name", "folder", "pipe", "no folder", "link to a folder"] {
            let project = folder.path().join(name);
            let (below, log) = (project.join(".aileron"), project.join(log));
            std::fs::create_dir_all(&below).unwrap();
            match name {
                "link" => symlink(&victim, log).unwrap(),
                "second name" => std::fs::hard_link(&victim, log).unwrap(),
                "folder" => std::fs::create_dir(log).unwrap(),
                "pipe" => {
                    assert!(Command::new("mkfifo").arg(log).status().unwrap().success());
                }
                "no folder" => {
                    std::fs::remove_dir(&below).unwrap();
                    std::fs::write(below, "x").unwrap();
                }
                _ => {
                    std::fs::remove_dir(&below).unwrap();
                    symlink(folder.path(), below).unwrap();
                }
            }
            let told = Record::open(&project, LogLevel::Info).err().map(|it| it.to_string());
            let told = told.unwrap_or_default();
            assert!(told.contains("move it away, and launch again"), "{name}: {told}");
        }
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        // A pipe that somebody reads is none either.
        let piped = folder.path().join("pipe").join(log);
        let reader = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap())
            .open(piped);
        let told = Record::open(&folder.path().join("pipe"), LogLevel::Info).err().unwrap();
        assert!(told.to_string().contains("launch again"), "{told}");
        drop(reader);
    }

    #[test]
    fn what_an_earlier_session_wrote_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".aileron")).unwrap();
        std::fs::write(folder.path().join(".aileron/session.log"), "earlier").unwrap();
        let record = Record::open(folder.path(), LogLevel::Info).unwrap();
        record.ended(Some(0)).unwrap();
        let text = std::fs::read_to_string(record.path()).unwrap();
        assert!(text.starts_with("time=") && !text.contains("earlier"), "{text}");
    }

    #[test]
    fn a_value_stays_one_value() {
        assert_eq!(quoted("/a/b"), "/a/b");
        assert_eq!(quoted("a b\nlevel=ERROR"), "\"a b\\nlevel=ERROR\"");
        assert_eq!(quoted(""), "\"\"");
    }
}
