//! Where in a text a form may begin, without looking at every byte.
//!
//! An unescaped form that begins among the next `leap` bytes covers the last of them and the three
//! after that: these four, side by side, have to stand so in the form. So four bytes speak for
//! `leap` of them, unless something among them all introduces an escape or breaks a line.

use super::{
    reading::{Breaks, INTRODUCERS, Readings},
    tables::Tables,
};

/// A search through one text.
pub(in crate::egress::mask) struct Places<'a> {
    tables: Tables<'a>,
    leap: usize,
    text: &'a [u8],
    /// Up to here every two bytes have to be looked at.
    near: usize,
    /// The first escape that matters, from where the search stands.
    escape: usize,
    /// The same of line breaks and of what introduces an escape in quoted-printable: sought by
    /// themselves, because three bytes are what can be sought at once.
    fold: usize,
}

impl<'a> Places<'a> {
    pub(super) fn new(tables: Tables<'a>, leap: usize, text: &'a [u8]) -> Self {
        let mut places = Self { tables, leap, text, near: 0, escape: 0, fold: 0 };
        places.escape = places.escape_from(0);
        places.fold = places.fold_from(0);
        places
    }

    /// The first place from `at` on where a form may begin; the text's length when there is none.
    /// `at` never goes back.
    pub(in crate::egress::mask) fn from(&mut self, mut at: usize) -> usize {
        let length = self.text.len();
        while at < length {
            if at >= self.near {
                at = self.leap_from(at);
            }
            let near = self.text.get(at..self.near.saturating_add(1).min(length));
            let begins =
                |pair: &[u8]| matches!(pair, [first, second] if self.tables.begin(*first, *second));
            if let Some(skip) = near.unwrap_or_default().windows(2).position(begins) {
                return at + skip;
            }
            if self.near >= length {
                // What follows the last byte is not known.
                let open = self.text.last().is_some_and(|byte| self.tables.begins(*byte));
                return if open { length - 1 } else { length };
            }
            at = self.near;
        }
        length
    }

    /// Leaps over what no form begins in; from the place returned up to `near`, one may.
    fn leap_from(&mut self, mut at: usize) -> usize {
        let length = self.text.len();
        if self.leap < 3 {
            self.near = length;
            return at;
        }
        loop {
            if self.escape < at {
                self.escape = self.escape_from(at);
            }
            if self.fold < at {
                self.fold = self.fold_from(at);
            }
            let edge = at + self.leap;
            let Some(may) = self.tables.quad(self.text, edge - 1) else {
                self.near = length;
                return at;
            };
            if may || self.escape.min(self.fold) <= edge + 2 {
                self.near = edge;
                return at;
            }
            at = edge;
        }
    }

    /// The first escape from `at` on that may stand for a byte of a form.
    fn escape_from(&self, mut at: usize) -> usize {
        let [percent, backslash, ampersand, _] = INTRODUCERS;
        while let Some(rest) = self.text.get(at..) {
            let Some(skip) = memchr::memchr3(percent, backslash, ampersand, rest) else { break };
            at += skip;
            let own = self.text.get(at).is_some_and(|byte| self.tables.member(*byte));
            if own || self.matters(at) {
                return at;
            }
            at += 1;
        }
        self.text.len()
    }

    /// The first line break from `at` on that may stand inside of a form, or the first equals sign
    /// that may stand for a byte of one.
    fn fold_from(&self, mut at: usize) -> usize {
        let [_, _, _, equals] = INTRODUCERS;
        while let Some(rest) = self.text.get(at..) {
            let Some(skip) = memchr::memchr2(equals, b'\n', rest) else { break };
            at += skip;
            match self.text.get(at) {
                Some(b'\n') => {
                    let before = self.text.get(..at).unwrap_or_default();
                    let before = before.strip_suffix(b"\r").unwrap_or(before);
                    if self.folds(before, at + 1) {
                        return before.len();
                    }
                }
                _ if self.matters(at) => return at,
                _ => {}
            }
            at += 1;
        }
        self.text.len()
    }

    fn matters(&self, at: usize) -> bool {
        let inside = |byte: u8| self.tables.member(byte) || INTRODUCERS.contains(&byte);
        Readings::at(self.text, at, false).is_none_or(|readings| readings.escaped().any(inside))
            || Breaks::at(self.text, at, false).is_none_or(|breaks| breaks.any())
    }

    /// May a byte of a form stand on both sides of a line break? An escape before it matters by
    /// itself.
    fn folds(&self, before: &[u8], after: usize) -> bool {
        let may = |byte: u8| self.tables.member(byte) || INTRODUCERS.contains(&byte);
        let inside = |byte: Option<&u8>| byte.is_none_or(|byte| may(*byte));
        let after = self.text.get(after..).unwrap_or_default();
        let spaces = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        inside(before.last()) && (inside(after.first()) || inside(after.get(spaces)))
    }
}
