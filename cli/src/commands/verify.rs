//! `aileron audit verify`: checks the log or a receipt without asking the daemon.

use std::path::Path;

use aileron_receipt::{
    Checkpoint, Receipt, VerifierKey,
    verify::{Report, directory},
};
use serde_json::json;

use crate::{
    arguments::VerifyArguments,
    connection::Settings,
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
};

pub(super) fn verify(
    arguments: &VerifyArguments,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit> {
    if let Some(path) = &arguments.receipt {
        let key = arguments.key.as_deref().unwrap_or_default();
        return receipt(path, &read_key(key)?, arguments.json, printer);
    }
    let folder = arguments.dir.clone().unwrap_or_else(|| settings.home.join("audit"));
    if !folder.is_dir() {
        return Err(Failure::plain(format!(
            "there is no log in {}: --dir names the folder of a copy, --receipt checks a receipt \
             without the log",
            folder.display()
        )));
    }
    let key = match &arguments.key {
        Some(key) => read_key(key)?,
        None => read_key(&folder.join("log.vkey").to_string_lossy())?,
    };
    let report = log(&folder, &key, arguments.checkpoint.as_deref())?;
    if arguments.json {
        printer.data(as_json(&report).to_string());
    } else {
        tell(printer, &report);
    }
    Ok(if report.is_sound() { Exit::Done } else { Exit::Failed })
}

/// Verifies the log in `folder`, relative to a kept checkpoint when there is one.
pub(super) fn log(folder: &Path, key: &VerifierKey, kept: Option<&Path>) -> Result<Report> {
    let kept = kept.map(|path| open_checkpoint(path, key)).transpose()?;
    directory(folder, key, kept.as_ref()).map_err(|error| Failure::plain(error.to_string()))
}

/// Verifies a receipt's text; returns the event it proves.
pub(super) fn proven(text: &str, key: &VerifierKey) -> Result<(u64, String)> {
    let refused = |error: aileron_receipt::ReceiptError| Failure::plain(error.to_string());
    let proven = Receipt::parse(text).map_err(refused)?.verify(key).map_err(refused)?;
    Ok((proven.index, String::from_utf8_lossy(&proven.leaf).into_owned()))
}

fn receipt(path: &Path, key: &VerifierKey, json: bool, printer: Printer) -> Result<Exit> {
    let (index, leaf) = proven(&read(path)?, key)?;
    if !json {
        printer.tick(format!("the event below is number {index} in the log of {}", key.name()));
    }
    printer.data(leaf);
    Ok(Exit::Done)
}

fn open_checkpoint(path: &Path, key: &VerifierKey) -> Result<Checkpoint> {
    Checkpoint::open(read(path)?.as_bytes(), key)
        .map_err(|error| Failure::plain(format!("{}: {error}", path.display())))
}

/// A key as text, or the path of a file that holds one.
fn read_key(key: &str) -> Result<VerifierKey> {
    if let Ok(key) = key.parse() {
        return Ok(key);
    }
    let path = Path::new(key);
    read(path)?.parse().map_err(|error| Failure::plain(format!("{}: {error}", path.display())))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))
}

fn tell(printer: Printer, report: &Report) {
    for problem in &report.problems {
        printer.cross(problem.to_string());
    }
    if report.is_sound() {
        let kept = report.kept.map_or_else(String::new, |size| {
            format!(", the first {size} of them the ones your checkpoint signs")
        });
        printer.tick(format!("{} events, unbroken and signed{kept}", report.lines));
    }
    if let Some(advice) = report.advice() {
        printer.say(advice);
    }
}

fn as_json(report: &Report) -> serde_json::Value {
    let problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
    json!({
        "sound": report.is_sound(),
        "lines": report.lines,
        "covered": report.covered,
        "kept": report.kept,
        "uncovered": report.uncovered,
        "problems": problems,
        "advice": report.advice(),
    })
}
