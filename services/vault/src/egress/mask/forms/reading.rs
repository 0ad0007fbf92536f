//! What may be meant at one place of a text: the byte that stands there, or an escape, or an
//! escape of an escape.

mod escape;

pub(super) use escape::opens_entity;
use escape::{Escape, escape};

/// What introduces an escaped character. The equals sign is that of quoted-printable.
pub(super) const INTRODUCERS: [u8; 4] = [b'%', b'\\', b'&', b'='];

/// How many escapes deep is looked: JSON in JSON, a percent sign that is itself percent-encoded.
const DEPTH: usize = 2;

/// How many spaces may stand after a line break inside of a form: a folded header, an indented
/// block.
const INDENT: usize = 16;

/// The byte at a place of a text that was unescaped so many times, and where it ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Byte(u8, usize),
    /// Nothing follows.
    End,
    /// More text is needed to tell.
    Cut,
}

/// A text, unescaped so many times.
#[derive(Clone, Copy)]
struct Layer<'a> {
    text: &'a [u8],
    /// The text is complete.
    last: bool,
    depth: usize,
    /// Is `\n` a line feed, and not an `n` that somebody escaped?
    controls: bool,
}

impl Layer<'_> {
    fn step(&self, at: usize) -> Step {
        let Some(depth) = self.depth.checked_sub(1) else {
            return match self.text.get(at) {
                Some(byte) => Step::Byte(*byte, at + 1),
                None if self.last => Step::End,
                None => Step::Cut,
            };
        };
        let below = Self { depth, ..*self };
        let plain = below.step(at);
        let Step::Byte(byte, end) = plain else { return plain };
        if !INTRODUCERS.contains(&byte) {
            return plain;
        }
        match escape(&below, byte, end) {
            Escape::No => plain,
            Escape::Cut => Step::Cut,
            Escape::Byte(byte, end) => Step::Byte(byte, end),
        }
    }
}

/// The bytes that may be meant at one place of a text, each with the place after it.
pub(super) struct Readings([Option<(u8, usize)>; DEPTH + 1]);

impl Readings {
    /// None when more text is needed to tell.
    pub(super) fn at(text: &[u8], at: usize, last: bool) -> Option<Self> {
        let mut readings = Self([None; DEPTH + 1]);
        for (depth, reading) in readings.0.iter_mut().enumerate() {
            match (Layer { text, last, depth, controls: false }.step(at)) {
                Step::Cut => return None,
                Step::End => break,
                Step::Byte(byte, end) => {
                    *reading = Some((byte, end));
                    if !INTRODUCERS.contains(&byte) {
                        break;
                    }
                }
            }
        }
        Some(readings)
    }

    pub(super) fn each(&self) -> impl Iterator<Item = (u8, usize)> {
        let spaces = |(byte, end)| (byte == b'+').then_some((b' ', end));
        let read = self.0.iter().flatten().copied();
        read.clone().chain(read.filter_map(spaces))
    }

    /// The same without the byte that simply stands there.
    pub(super) fn escaped(&self) -> impl Iterator<Item = u8> {
        self.0.iter().skip(1).flatten().map(|(byte, _)| *byte)
    }
}

/// Every byte that is read as `meant` without an escape: itself, and a space as a plus.
pub(super) fn literally(meant: u8) -> impl Iterator<Item = u8> + Clone {
    std::iter::once(meant).chain((meant == b' ').then_some(b'+'))
}

/// Where a form may go on after a line break that a mailer, an encoder or an editor put into it:
/// a line feed, after a carriage return or not; a soft break of quoted-printable; each escaped as
/// in JSON or in a URL; and perhaps some spaces.
pub(super) struct Breaks([Option<usize>; 2 * (DEPTH + 1)]);

enum Feed {
    No,
    /// More text is needed to tell.
    Cut,
    Until(usize),
}

impl Breaks {
    /// None when more text is needed to tell.
    pub(super) fn at(text: &[u8], at: usize, last: bool) -> Option<Self> {
        let mut breaks = Self([None; 2 * (DEPTH + 1)]);
        match text.get(at) {
            None if last => return Some(breaks),
            None => return None,
            Some(b'\r' | b'\n') => {}
            Some(byte) if INTRODUCERS.contains(byte) => {}
            Some(_) => return Some(breaks),
        }
        for (depth, ends) in breaks.0.chunks_exact_mut(2).enumerate() {
            let layer = Layer { text, last, depth, controls: true };
            let end = match after_feed(&layer, at) {
                Feed::No => continue,
                Feed::Cut => return None,
                Feed::Until(end) => end,
            };
            let indented = after_spaces(&layer, end)?;
            if let [before, after] = ends {
                *before = Some(end);
                *after = (indented > end).then_some(indented);
            }
        }
        Some(breaks)
    }

    pub(super) fn each(&self) -> impl Iterator<Item = usize> {
        self.0.iter().flatten().copied()
    }

    pub(super) fn any(&self) -> bool {
        self.each().next().is_some()
    }
}

/// Where the line break at `at` ends, if one is there.
fn after_feed(layer: &Layer<'_>, at: usize) -> Feed {
    let mut at = at;
    for optional in [b'=', b'\r'] {
        match layer.step(at) {
            Step::Byte(byte, end) if byte == optional => at = end,
            Step::Byte(..) | Step::End => {}
            Step::Cut => return Feed::Cut,
        }
    }
    match layer.step(at) {
        Step::Byte(b'\n', end) => Feed::Until(end),
        Step::Byte(..) | Step::End => Feed::No,
        Step::Cut => Feed::Cut,
    }
}

/// The place after some spaces and tabs.
fn after_spaces(layer: &Layer<'_>, at: usize) -> Option<usize> {
    let mut at = at;
    for _ in 0..INDENT {
        match layer.step(at) {
            Step::Byte(b' ' | b'\t', end) => at = end,
            Step::Byte(..) | Step::End => break,
            Step::Cut => return None,
        }
    }
    Some(at)
}
