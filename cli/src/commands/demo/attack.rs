//! Four attacks on copies of the log, each of which must show against a checkpoint kept earlier.

use std::path::{Path, PathBuf};

use aileron_receipt::VerifierKey;

use super::{check, files_below, home::Home};
use crate::{
    commands::verify,
    failure::{Failure, Result},
    printer::Printer,
    runtime::demo,
};

type Attack = fn(&mut Vec<Vec<u8>>);

pub(super) async fn log(
    home: &Home,
    kept: &str,
    key: &VerifierKey,
    printer: Printer,
) -> Result<()> {
    let log = home.path().join("audit");
    let checkpoint = home.path().join("kept-checkpoint.txt");
    Home::write(&checkpoint, kept)?;
    let report = verify::log(&log, key, Some(&checkpoint))?;
    check(report.is_sound(), "the log itself verifies")?;
    printer.tick(format!("the log verifies against the checkpoint kept: {}", checkpoint.display()));
    let attacks: [(&str, Attack); 3] = [
        ("flipping a byte", |lines| flip(lines)),
        ("cutting the tail", |lines| drop(lines.pop())),
        ("swapping two lines", |lines| lines.swap(0, 1)),
    ];
    for (name, attack) in attacks {
        let copy = Copy::of(home, &log)?;
        copy.edit(attack)?;
        detected(&copy, name, key, &checkpoint, printer)?;
    }
    let copy = Copy::of(home, &log)?;
    copy.edit(|lines| flip(lines))?;
    demo::resign(&copy.0).await.map_err(|error| Failure::plain(error.to_string()))?;
    let alone = verify::log(&copy.folder(), key, None)?;
    check(alone.is_sound(), "the rewritten log looks sound by itself")?;
    detected(
        &copy,
        "rewriting it and signing again with the log's own key",
        key,
        &checkpoint,
        printer,
    )
}

fn detected(
    copy: &Copy,
    name: &str,
    key: &VerifierKey,
    checkpoint: &Path,
    printer: Printer,
) -> Result<()> {
    let report = verify::log(&copy.folder(), key, Some(checkpoint))?;
    check(!report.is_sound(), &format!("{name} is detected"))?;
    let problem = report.problems.first().map(ToString::to_string).unwrap_or_default();
    printer.tick(format!("{name} is detected: {problem}"));
    Ok(())
}

/// Changes a digit or letter in the middle of the second line, so that it stays a line.
fn flip(lines: &mut [Vec<u8>]) {
    if let Some(line) = lines.get_mut(1) {
        let middle = line.len() / 2;
        if let Some(byte) = line.iter_mut().skip(middle).find(|byte| byte.is_ascii_alphanumeric()) {
            *byte = if *byte == b'0' { b'1' } else { b'0' };
        }
    }
}

/// A copy of the log's folder, removed when dropped.
struct Copy(PathBuf);

impl Copy {
    fn of(home: &Home, log: &Path) -> Result<Self> {
        let copy = Self(home.path().join(format!("copy-{}", ulid::Ulid::new())));
        let audit = copy.folder();
        for file in files_below(log)? {
            let Ok(name) = file.strip_prefix(log) else { continue };
            let target = audit.join(name);
            let made = target.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::copy(&file, &target).map(drop))
                .map_err(|error| Failure::file("copy", &file, error))?;
        }
        Ok(copy)
    }

    /// The copy of the log; its parent is a home of its own.
    fn folder(&self) -> PathBuf {
        self.0.join("audit")
    }

    /// Rewrites the log's (only) file of lines.
    fn edit(&self, attack: impl FnOnce(&mut Vec<Vec<u8>>)) -> Result<()> {
        let is_lines = |path: &PathBuf| path.extension().is_some_and(|it| it == "jsonl");
        let path = files_below(&self.0)?
            .into_iter()
            .find(is_lines)
            .ok_or_else(|| Failure::plain("the log has no file of lines"))?;
        let text = std::fs::read(&path).map_err(|error| Failure::file("read", &path, error))?;
        let mut lines: Vec<Vec<u8>> =
            text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        attack(&mut lines);
        std::fs::write(&path, lines.concat()).map_err(|error| Failure::file("write", path, error))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
