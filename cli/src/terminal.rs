//! Questions to the person at the terminal.

use std::{
    io::{BufRead as _, IsTerminal as _, Read as _},
    path::Path,
};

use aileron_api::Sensitive;

use crate::{
    failure::{Failure, Result},
    printer::Printer,
};

/// Longer input is a mistake, and would be refused by the runtime.
const MAX_INPUT: u64 = 64 * 1024;

/// Is there a person who can answer?
pub(crate) fn present() -> bool {
    std::io::stdin().is_terminal()
}

/// A yes-or-no question; only `y` and `yes` are yes.
pub(crate) fn confirm(printer: Printer, question: &str) -> Result<bool> {
    if !present() {
        return Err(Failure::plain(format!(
            "{question} There is no terminal to answer at: say --yes to answer in advance"
        )));
    }
    printer.ask(&format!("{question} [y/N]: "));
    let mut answer = String::new();
    let read = std::io::stdin().lock().take(MAX_INPUT).read_line(&mut answer);
    read.map_err(|error| Failure::plain(format!("cannot read the answer: {error}")))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Something that is not shown while it is typed.
pub(crate) fn hidden(question: &str) -> Result<Sensitive> {
    rpassword::prompt_password(question)
        .map(Sensitive::new)
        .map_err(|error| Failure::plain(format!("cannot read from the terminal: {error}")))
}

/// All of standard input, without the line feed at its end.
pub(crate) fn piped() -> Result<Sensitive> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_INPUT + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::plain(format!("cannot read standard input: {error}")))?;
    bounded(text, "standard input")
}

/// A secret from a file, without the line feed at its end.
pub(crate) fn from_file(path: &Path) -> Result<Sensitive> {
    let file = std::fs::File::open(path).map_err(|error| Failure::file("open", path, error))?;
    let mut text = String::new();
    file.take(MAX_INPUT + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::file("read", path, error))?;
    bounded(text, &path.display().to_string())
}

fn bounded(mut text: String, source: &str) -> Result<Sensitive> {
    if text.len() as u64 > MAX_INPUT {
        return Err(Failure::plain(format!("{source} holds more than {MAX_INPUT} bytes")));
    }
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(end);
    if text.is_empty() {
        return Err(Failure::plain(format!("{source} is empty")));
    }
    Ok(Sensitive::new(text))
}
