//! Where in a text a form may begin, without looking at every byte.
//!
//! An unescaped form that begins among the next `leap` bytes covers the last of them and the three
//! after that: these four, side by side, have to stand so in the form. So four bytes speak for
//! `leap` of them, unless something before their end is not what it says: an escape, or a line
//! break. Of those in a form only the first counts. What stands before it, back to where the form
//! begins, is what the form begins with; so one that follows anything else is passed by.

use super::{
    reading::{Breaks, INTRODUCERS, Readings, opens_entity},
    tables::{QUAD, Tables},
};

/// How many leaps are taken before it is looked where they led.
const TOGETHER: usize = 8;

/// A search through one text.
pub(in crate::egress::mask) struct Places<'a> {
    tables: Tables<'a>,
    leap: usize,
    text: &'a [u8],
    /// Up to here every two bytes have to be looked at.
    near: usize,
    /// The first escape that may stand in a form, from where the search stands.
    escape: Option<usize>,
    /// The same of line breaks and of what introduces an escape in quoted-printable: sought by
    /// themselves, because three bytes are what can be sought at once.
    fold: Option<usize>,
}

impl<'a> Places<'a> {
    pub(super) fn new(tables: Tables<'a>, leap: usize, text: &'a [u8]) -> Self {
        Self { tables, leap, text, near: 0, escape: None, fold: None }
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
    fn leap_from(&mut self, at: usize) -> usize {
        let length = self.text.len();
        if self.leap < QUAD {
            self.near = length;
            return at;
        }
        let plain = self.plain_from(at);
        let quads = self.text.get(at + self.leap - 1..plain).unwrap_or_default();
        let leaps = match self.leap {
            24.. => self.leaps::<24>(quads),
            20.. => self.leaps::<20>(quads),
            16.. => self.leaps::<16>(quads),
            12.. => self.leaps::<12>(quads),
            8.. => self.leaps::<8>(quads),
            _ => self.leaps::<QUAD>(quads),
        };
        let at = at + leaps * self.leap;
        let edge = at + self.leap;
        self.near = if edge + 2 < length { edge } else { length };
        at
    }

    /// How many leaps there are before the first four bytes with which a form may begin.
    fn leaps<const LEAP: usize>(&self, text: &[u8]) -> usize {
        let may = |text: &[u8]| {
            // What is not plain, or the end of the text, is too near.
            text.first_chunk().is_none_or(|quad| self.tables.quad(*quad))
        };
        let (chunks, rest) = text.as_chunks::<LEAP>();
        // Several at once: hardly any may.
        let (together, _) = chunks.as_chunks::<TOGETHER>();
        let any =
            |some: &[[u8; LEAP]; TOGETHER]| some.iter().fold(false, |any, one| any | may(one));
        let passed = together.iter().position(any).unwrap_or(together.len()) * TOGETHER;
        let left = chunks.get(passed..).unwrap_or_default();
        match left.iter().position(|one| may(one)) {
            Some(more) => passed + more,
            None if rest.is_empty() || may(rest) => chunks.len(),
            None => chunks.len() + 1,
        }
    }

    /// The end of what a form can only stand in unescaped and unbroken, if it begins there.
    fn plain_from(&mut self, at: usize) -> usize {
        let escape = self.escape.filter(|escape| *escape >= at);
        let escape = escape.unwrap_or_else(|| self.escape_from(at));
        let fold = self.fold.filter(|fold| *fold >= at).unwrap_or_else(|| self.fold_from(at));
        (self.escape, self.fold) = (Some(escape), Some(fold));
        escape.min(fold)
    }

    /// The first escape from `at` on that may stand for a byte of a form, or for a line break in
    /// one.
    fn escape_from(&self, mut at: usize) -> usize {
        let [percent, backslash, ampersand, _] = INTRODUCERS;
        while let Some(rest) = self.text.get(at..) {
            let Some(skip) = memchr::memchr3(percent, backslash, ampersand, rest) else { break };
            at += skip;
            // Nearly every ampersand stands alone.
            let found = rest.get(skip..).unwrap_or_default();
            let alone = matches!(found, [b'&', next, ..] if !opens_entity(*next));
            let begin = if alone { None } else { self.escaped(at) };
            if let Some(begin) = begin {
                return begin;
            }
            at += 1;
        }
        self.text.len()
    }

    /// The first line break from `at` on that may stand in a form, or the first equals sign that
    /// may stand for a byte of one.
    fn fold_from(&self, mut at: usize) -> usize {
        let [_, _, _, equals] = INTRODUCERS;
        while let Some(rest) = self.text.get(at..) {
            let Some(skip) = memchr::memchr2(equals, b'\n', rest) else { break };
            at += skip;
            let begin =
                if rest.get(skip) == Some(&b'\n') { self.broken(at) } else { self.escaped(at) };
            if let Some(begin) = begin {
                return begin;
            }
            at += 1;
        }
        // A carriage return at the end may be half a line break.
        match self.text.strip_suffix(b"\r") {
            Some(before) if self.begun(before) => before.len(),
            Some(_) | None => self.text.len(),
        }
    }

    /// Where what may be an escape in a form begins; `at` introduces it.
    fn escaped(&self, at: usize) -> Option<usize> {
        let (before, rest) = self.text.split_at_checked(at)?;
        // A line break may begin as it is and go on with an escape.
        if let Some(before) = before.strip_suffix(b"\r")
            && self.begun(before)
            && self.breaks(before.len())
        {
            return Some(before.len());
        }
        let begun = self.begun(before);
        let begins = match rest {
            [first, second, ..] => self.tables.begin(*first, *second),
            _ => true,
        };
        if !begun && !begins {
            return None;
        }
        // With nothing before it, it stands for the first byte.
        let may = |byte| if begun { self.tables.member(byte) } else { self.tables.opens(byte) };
        let readings = Readings::at(self.text, at, false);
        let own = readings.is_none_or(|readings| readings.escaped().any(may));
        (own || (begun && self.breaks(at))).then_some(at)
    }

    fn breaks(&self, at: usize) -> bool {
        Breaks::at(self.text, at, false).is_none_or(|breaks| breaks.any())
    }

    /// Where the line break begins that ends with the line feed at `at`, if it may stand in a form.
    fn broken(&self, at: usize) -> Option<usize> {
        let (before, rest) = self.text.split_at_checked(at)?;
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        let after = rest.get(1..).unwrap_or_default();
        let spaces = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let may = |byte: &u8| self.tables.member(*byte) || INTRODUCERS.contains(byte);
        let goes_on = |place| after.get(place).is_none_or(may);
        (self.begun(before) && (goes_on(0) || goes_on(spaces))).then_some(before.len())
    }

    /// May a form begin somewhere before the end of `before`, unescaped and unbroken up to there?
    /// If it began farther away than a leap, four bytes of it spoke for it.
    fn begun(&self, before: &[u8]) -> bool {
        let tables = &self.tables;
        let four = |before: &[u8]| before.last_chunk().is_some_and(|quad| tables.quad(*quad));
        match before {
            [] => false,
            [.., byte] if tables.opens(*byte) => true,
            [.., first, second] if tables.begin(*first, *second) => true,
            [.., first, second, third] if tables.begin(*first, *second) => {
                tables.member(*third) || four(before)
            }
            _ => four(before),
        }
    }
}
