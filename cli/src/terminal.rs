//! Questions to the person at the terminal.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, IsTerminal as _, Read, Write as _},
    path::Path,
};

use aileron_api::Sensitive;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use crate::{
    failure::{Failure, Result},
    printer::Printer,
    signals::{Asked, Signals},
};

/// Longer input is a mistake, and would be refused by the runtime.
const MAX_INPUT: u64 = 64 * 1024;

/// Is there a person who can answer?
pub(crate) fn present() -> bool {
    io::stdin().is_terminal()
}

/// A yes-or-no question; only `y` and `yes` are yes.
pub(crate) fn confirm(printer: Printer, question: &str) -> Result<bool> {
    need(question)?;
    // Before it is asked: ctrl-c may be the answer, and a quick one.
    let signals = Signals::take()?;
    printer.ask(&format!("{question} [y/N]: "));
    Ok(matches!(answer(signals)?.as_str(), "y" | "yes"))
}

/// An answer to a question whose details can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    Details,
}

/// A question with details; only `y` and `yes` are yes.
pub(crate) fn choose(printer: Printer, question: &str) -> Result<Answer> {
    need(question)?;
    let signals = Signals::take()?;
    printer.ask(&format!("{question} [y/N/d]: "));
    Ok(match answer(signals)?.as_str() {
        "y" | "yes" => Answer::Yes,
        "d" | "details" => Answer::Details,
        _ => Answer::No,
    })
}

fn need(question: &str) -> Result<()> {
    if present() {
        return Ok(());
    }
    Err(Failure::plain(format!(
        "{question} There is no terminal to answer at: say --yes to answer in advance"
    )))
}

/// What was typed, in lower case. The end of the input is an empty answer.
fn answer(signals: Signals) -> Result<String> {
    let read = attentively(signals, || {
        let mut answer = String::new();
        io::stdin().lock().take(MAX_INPUT).read_line(&mut answer).map(|_| answer)
    })?;
    let answer =
        read.map_err(|error| Failure::plain(format!("cannot read the answer: {error}")))?;
    Ok(answer.trim().to_ascii_lowercase())
}

/// Waits for a person on a thread of its own: whoever blocks hears of no signal.
fn attentively<T: Send + 'static>(
    mut signals: Signals,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<io::Result<T>> {
    let waiting = async {
        tokio::select! {
            read = tokio::task::spawn_blocking(read) => {
                Ok(read.unwrap_or_else(|error| Err(io::Error::other(error))))
            }
            asked = signals.next() => Err(Failure::Stopped(asked)),
        }
    };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(waiting))
}

/// Something that is not shown while it is typed. However it ends, the terminal is as it was.
pub(crate) fn hidden(question: &str) -> Result<Sensitive> {
    let failed = |error: io::Error| {
        if error.kind() == io::ErrorKind::ConnectionAborted {
            return Failure::Stopped(Asked::Interrupt);
        }
        Failure::plain(format!("cannot read from the terminal: {error}"))
    };
    let mut terminal =
        OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(failed)?;
    let signals = Signals::take()?;
    let quiet = terminal.try_clone().and_then(Quiet::make).map_err(failed)?;
    terminal.write_all(question.as_bytes()).map_err(failed)?;
    let keys = Keys(terminal.try_clone().map_err(failed)?);
    let typed = attentively(signals, || {
        let config = rpassword::ConfigBuilder::new().input_reader(keys).output_discard().build();
        rpassword::read_password_with_config(config).map(Sensitive::new)
    });
    drop(quiet);
    // The line feed that was typed was not shown either.
    drop(terminal.write_all(b"\n"));
    typed?.map_err(failed)
}

/// A terminal that hands over key after key and shows none, until it is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn make(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        modes
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        let quiet = Self { terminal, before };
        tcsetattr(&quiet.terminal, OptionalActions::Now, &modes)?;
        Ok(quiet)
    }
}

/// The keys of a quiet terminal, one by one: ctrl-c is one of them, and ends the prompt.
struct Keys(File);

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const CTRL_C: u8 = 3;
        let length = self.0.read(buffer)?;
        if buffer.iter().take(length).any(|key| *key == CTRL_C) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(length)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that went away needs nothing.
        tcsetattr(&self.terminal, OptionalActions::Now, &self.before).ok();
    }
}

/// All of standard input, without the line feed at its end.
pub(crate) fn piped() -> Result<Sensitive> {
    let mut text = String::new();
    let read = io::stdin().lock().take(MAX_INPUT + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::plain(format!("cannot read standard input: {error}")))?;
    bounded(text, "standard input")
}

/// A secret from a file, without the line feed at its end.
pub(crate) fn from_file(path: &Path) -> Result<Sensitive> {
    let file = File::open(path).map_err(|error| Failure::file("open", path, error))?;
    let mut text = String::new();
    file.take(MAX_INPUT + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::file("read", path, error))?;
    bounded(text, &path.display().to_string())
}

/// A file's bytes as they are, wiped by whoever takes them.
pub(crate) fn verbatim(path: &Path, max: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| Failure::file("open", path, error))?;
    let mut bytes = Vec::new();
    file.take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::file("read", path, error))?;
    if bytes.len() as u64 > max {
        return Err(Failure::plain(format!("{} holds more than {max} bytes", path.display())));
    }
    if bytes.is_empty() {
        return Err(Failure::plain(format!("{} is empty", path.display())));
    }
    Ok(bytes)
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
