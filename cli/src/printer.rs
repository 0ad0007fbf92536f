//! Data goes to standard output, talk to standard error; colours and progress only on a terminal.
//! What others wrote (an agent's arguments, an upstream's answer) cannot steer the terminal.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
    sync::OnceLock,
    time::Duration,
};

use aileron_api::is_hidden;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::Far;

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    colours: bool,
    /// Does a person read the talk?
    watched: bool,
    /// Does a person read the data? Files and pipes get it unchanged.
    data_watched: bool,
    /// Why data did not arrive, once some did not. As long as the program, as the printer is.
    lost: &'static OnceLock<io::Error>,
}

impl Printer {
    /// `no_color` is the convention of no-color.org: any value turns colours off.
    pub(crate) fn new(no_color: bool) -> Self {
        let watched = io::stderr().is_terminal();
        let data_watched = io::stdout().is_terminal();
        let lost = Box::leak(Box::default());
        Self { colours: !no_color && watched, watched, data_watched, lost }
    }

    /// Why data did not arrive. Whoever gets half of a receipt must not be told that all is well.
    pub(crate) fn lost(self) -> Option<&'static io::Error> {
        self.lost.get()
    }

    /// The same without progress, for a command whose talk nobody should read past its data.
    pub(crate) fn without_progress_if(self, json: bool) -> Self {
        Self { watched: self.watched && !json, ..self }
    }

    /// A line of data.
    pub(crate) fn data(self, line: impl AsRef<str>) {
        let line = line.as_ref();
        let line = if self.data_watched { harmless(line) } else { line.to_owned() };
        // A reader that went away (`| head`) is no failure of the command: it has what it wanted.
        match write(io::stdout(), &format!("{line}\n")) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                drop(self.lost.set(error));
            }
            _ => {}
        }
    }

    /// A line of talk.
    #[expect(clippy::unused_self, reason = "who prints says where")]
    pub(crate) fn say(self, line: impl AsRef<str>) {
        talk(&format!("{}\n", harmless(line.as_ref())));
    }

    /// A step that succeeded.
    pub(crate) fn tick(self, line: impl AsRef<str>) {
        self.marked("32", "✓", line.as_ref());
    }

    /// A step that did not.
    pub(crate) fn cross(self, line: impl AsRef<str>) {
        self.marked("31", "✗", line.as_ref());
    }

    /// A failure that ends the command.
    pub(crate) fn error(self, line: impl AsRef<str>) {
        self.marked("31", "error:", line.as_ref());
    }

    /// A question, left at the end of its line.
    #[expect(clippy::unused_self, reason = "who prints says where")]
    pub(crate) fn ask(self, question: &str) {
        talk(&harmless(question));
    }

    /// Says that something takes a while, on a terminal, until the answer is dropped.
    pub(crate) fn working(self, message: impl Into<Cow<'static, str>>) -> Working {
        let doing = one_line(&message.into());
        if !self.watched {
            return Working { bar: None, doing };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(spinner());
        bar.set_message(doing.clone());
        bar.enable_steady_tick(Duration::from_millis(100));
        Working { bar: Some(bar), doing }
    }

    fn marked(self, code: &str, mark: &str, line: &str) {
        let line = harmless(line);
        let mark =
            if self.colours { format!("\u{1b}[{code}m{mark}\u{1b}[0m") } else { mark.to_owned() };
        talk(&format!("{mark} {line}\n"));
    }
}

/// A spinner while something takes its time; gone without a trace when dropped.
pub(crate) struct Working {
    bar: Option<ProgressBar>,
    doing: String,
}

impl Working {
    /// Does anybody see it?
    pub(crate) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// Shows how far it is.
    pub(crate) fn shows(&self, far: &Far) {
        let Some(bar) = &self.bar else { return };
        match far {
            Far::Unknown => {
                bar.set_style(spinner());
                bar.set_message(self.doing.clone());
            }
            Far::Fetching { received, total } => {
                bar.set_style(if total.is_some() { measured() } else { counted() });
                bar.set_message(self.doing.clone());
                bar.set_length(total.unwrap_or(*received));
                bar.set_position(*received);
            }
            Far::Compiling(package) => {
                bar.set_style(spinner());
                bar.set_message(one_line(&format!("compiling {package}")));
            }
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What is under way, and for how long.
fn spinner() -> ProgressStyle {
    style("{spinner} {msg} ({elapsed})")
}

/// How much has come, where nobody knows of how much.
fn counted() -> ProgressStyle {
    style("{spinner} {msg} {bytes} ({elapsed})")
}

/// How much has come of how much.
fn measured() -> ProgressStyle {
    style("{spinner} {msg} [{bar:20}] {bytes}/{total_bytes} ({elapsed})")
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_spinner()).progress_chars("=> ")
}

/// Text as one line: a line feed in it cannot pretend to be the next line.
pub(crate) fn one_line(text: &str) -> String {
    harmless(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Escapes what moves the cursor, changes colours, turns the direction of text, or cannot be seen;
/// what joins letters and makes emoji stays.
fn harmless(text: &str) -> String {
    let joins = |character| matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe0f}');
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) && !joins(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// When talk cannot be written, there is nobody to tell.
fn talk(text: &str) {
    drop(write(io::stderr(), text));
}

fn write(mut to: impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::{harmless, one_line};

    #[test]
    fn an_argument_cannot_rewrite_what_a_person_reads() {
        assert_eq!(harmless("a\r\u{1b}[2Kb\u{9b}1m"), "a\\r\\u{1b}[2Kb\\u{9b}1m");
        assert_eq!(harmless("pay \u{202e}evil"), "pay \\u{202e}evil");
        assert_eq!(harmless("git\u{200b}hub\u{e0041}"), "git\\u{200b}hub\\u{e0041}");
        assert_eq!(harmless("\u{3164}a\u{fe01}"), "\\u{3164}a\\u{fe01}");
        assert_eq!(harmless("می\u{200c}خواهم ❤\u{fe0f}"), "می\u{200c}خواهم ❤\u{fe0f}");
        assert_eq!(harmless("zwei\nZeilen äöü ✓"), "zwei\nZeilen äöü ✓");
        assert_eq!(one_line("Bob\n  Amount: 1"), "Bob\\n  Amount: 1");
    }
}
