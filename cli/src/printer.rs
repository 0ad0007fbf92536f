//! Data goes to standard output, talk to standard error; colours only on a terminal.

use std::io::{IsTerminal as _, Write};

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    colours: bool,
}

impl Printer {
    /// `no_color` is the convention of no-color.org: any value turns colours off.
    pub(crate) fn new(no_color: bool) -> Self {
        Self { colours: !no_color && std::io::stderr().is_terminal() }
    }

    /// A line of data.
    #[expect(clippy::unused_self, reason = "who prints says where")]
    pub(crate) fn data(self, line: impl AsRef<str>) {
        write(std::io::stdout(), &format!("{}\n", line.as_ref()));
    }

    /// A line of talk.
    #[expect(clippy::unused_self, reason = "who prints says where")]
    pub(crate) fn say(self, line: impl AsRef<str>) {
        write(std::io::stderr(), &format!("{}\n", line.as_ref()));
    }

    /// A step that succeeded.
    pub(crate) fn tick(self, line: impl AsRef<str>) {
        self.say(format!("{} {}", self.paint("32", "✓"), line.as_ref()));
    }

    /// A step that did not.
    pub(crate) fn cross(self, line: impl AsRef<str>) {
        self.say(format!("{} {}", self.paint("31", "✗"), line.as_ref()));
    }

    /// A failure that ends the command.
    pub(crate) fn error(self, line: impl AsRef<str>) {
        self.say(format!("{} {}", self.paint("31", "error:"), line.as_ref()));
    }

    /// A question, left at the end of its line.
    #[expect(clippy::unused_self, reason = "who prints says where")]
    pub(crate) fn ask(self, question: &str) {
        write(std::io::stderr(), question);
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A reader that went away (`| head`) is no failure of the command: there is nobody to tell.
fn write(mut to: impl Write, text: &str) {
    drop(to.write_all(text.as_bytes()).and_then(|()| to.flush()));
}
