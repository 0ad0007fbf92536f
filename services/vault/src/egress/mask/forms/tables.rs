//! What is looked up while a text is searched, in memory that is wiped.

use super::{
    Character,
    reading::{INTRODUCERS, literally},
};
use crate::guarded::Guarded;

/// How far a search leaps at most: further saves little, and takes more quads in.
const LEAP: usize = 24;

/// Leaps are as many bytes as a multiple of this: searches of a few lengths take less time than
/// those of any.
const STEP: usize = 4;

/// How many bytes side by side speak for those leapt over.
pub(super) const QUAD: usize = 4;

const BYTES: usize = 256;
/// As many bits as hash to a place of their own: see [`slot`].
const QUADS: usize = 2048;

/// How many bytes the tables take.
pub(super) const SIZE: usize = 3 * BYTES + QUADS;

/// The tables of some forms. A bit of the first two stands for some of the forms, or for a way to
/// escape.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    /// Bytes a form can begin with, escaped or not.
    first: &'a [u8; BYTES],
    /// Bytes that can follow those.
    second: &'a [u8; BYTES],
    /// Bytes that stand in a form.
    members: &'a [u8; BYTES],
    /// A bit for each four bytes that stand side by side where a form begins; some share one.
    quads: &'a [u8; QUADS],
}

/// The bits of the ways to escape; the other ones are the forms'. A percent sign and an equals
/// sign share one: what follows is the same.
const ESCAPES: [u8; 4] = [1 << 5, 1 << 6, 1 << 7, 1 << 5];
const FORM_BITS: usize = 5;
const FORMS: u8 = (1 << FORM_BITS) - 1;

/// How far a search may leap without missing one of these forms: where one begins among the bytes
/// leapt over, it holds the last of them and the three that follow.
pub(super) fn leap<'a, I: Iterator<Item = &'a [Character]>>(forms: I) -> usize {
    let leap = forms.map(|form| (form.len() + 1).saturating_sub(QUAD)).min().unwrap_or(0);
    leap.min(LEAP) / STEP * STEP
}

/// Writes the tables of these forms to the begin of `memory`, which is zeros.
pub(super) fn write<'a, I: Iterator<Item = &'a [Character]>>(
    memory: &mut Guarded,
    forms: I,
    leap: usize,
) {
    let Some((first, rest)) = memory.bytes_mut().split_first_chunk_mut::<BYTES>() else { return };
    let Some((second, rest)) = rest.split_first_chunk_mut::<BYTES>() else { return };
    let Some((members, rest)) = rest.split_first_chunk_mut::<BYTES>() else { return };
    let Some(quads) = rest.first_chunk_mut::<QUADS>() else { return };
    for (index, form) in forms.enumerate() {
        let bit = 1 << (index % FORM_BITS);
        for meant in form.first().into_iter().flatten() {
            mark(first, literally(*meant), bit);
            escaped(first, second, *meant);
        }
        match form.get(1) {
            Some(next) => {
                for meant in next {
                    mark(second, literally(*meant), bit);
                }
                mark(second, INTRODUCERS.into_iter().chain(*b"\r\n"), bit);
            }
            None => mark(second, 0..=u8::MAX, bit),
        }
        mark(members, form.iter().flatten().flat_map(|meant| literally(*meant)), 1);
        for quad in form.windows(QUAD).take(leap) {
            spelled(quad, [0; QUAD], &mut |quad| {
                let (place, bit) = slot(quad);
                mark(quads, [place], bit);
            });
        }
    }
}

/// Every way to spell some characters without an escape, after those that are spelled already.
fn spelled(rest: &[Character], done: [u8; QUAD], found: &mut impl FnMut([u8; QUAD])) {
    let Some((character, rest)) = rest.split_first() else { return found(done) };
    let [_, kept @ ..] = done;
    let [one, other] = *character;
    for meant in literally(one).chain(literally(other).filter(|_| other != one)) {
        let [first, second, third] = kept;
        spelled(rest, [first, second, third, meant], found);
    }
}

/// How the escapes of one byte begin. What is escaped may be what introduces another escape.
fn escaped(first: &mut [u8], second: &mut [u8], meant: u8) {
    let inner = INTRODUCERS.into_iter().chain(literally(meant));
    for (introducer, bit) in INTRODUCERS.into_iter().zip(ESCAPES) {
        mark(first, [introducer], bit);
        // Whatever follows may itself be escaped.
        mark(second, INTRODUCERS, bit);
        match introducer {
            b'%' | b'=' => {
                let digits = inner.clone().filter_map(|c| char::from_digit(u32::from(c >> 4), 16));
                let both = digits.flat_map(|digit| [digit, digit.to_ascii_uppercase()]);
                mark(second, both.filter_map(|c| u8::try_from(c).ok()), bit);
            }
            b'\\' => mark(second, inner.clone().chain(*b"ux"), bit),
            _ => mark(second, *b"#algq", bit),
        }
    }
}

fn mark<I: Into<usize>>(table: &mut [u8], places: impl IntoIterator<Item = I>, bit: u8) {
    for place in places {
        if let Some(bits) = table.get_mut(place.into()) {
            *bits |= bit;
        }
    }
}

/// Makes the letters of four bytes small ones: both cases share a bit, so that fewer are set.
const SMALL: u32 = 0x2020_2020;

/// Where the bit of four bytes lies, and which it is: the upper bits of a product depend on all of
/// its lower ones.
fn slot(quad: [u8; QUAD]) -> (usize, u8) {
    let number = (u32::from_le_bytes(quad) | SMALL).wrapping_mul(0x9e37_79b1) >> 18;
    (usize::try_from(number / 8).unwrap_or_default(), 1 << (number % 8))
}

impl<'a> Tables<'a> {
    /// None of memory that is too short for them.
    pub(super) fn read(memory: &'a Guarded) -> Option<Self> {
        let (first, rest) = memory.split_first_chunk()?;
        let (second, rest) = rest.split_first_chunk()?;
        let (members, rest) = rest.split_first_chunk()?;
        Some(Self { first, second, members, quads: rest.first_chunk()? })
    }

    /// Can a form begin with this byte?
    pub(super) fn begins(&self, byte: u8) -> bool {
        of(self.first, byte) != 0
    }

    /// The same, unescaped.
    pub(super) fn opens(&self, byte: u8) -> bool {
        of(self.first, byte) & FORMS != 0
    }

    /// Can a form begin with these two? Hardly any two of a text: both have to share a bit.
    pub(super) fn begin(&self, first: u8, second: u8) -> bool {
        of(self.first, first) & of(self.second, second) != 0
    }

    /// Does a form hold this byte?
    pub(super) fn member(&self, byte: u8) -> bool {
        of(self.members, byte) != 0
    }

    /// Can these stand side by side, unescaped, where a form begins?
    pub(super) fn quad(&self, quad: [u8; QUAD]) -> bool {
        let (place, bit) = slot(quad);
        self.quads.get(place).is_none_or(|bits| bits & bit != 0)
    }
}

fn of(table: &[u8; BYTES], byte: u8) -> u8 {
    table.get(usize::from(byte)).copied().unwrap_or(u8::MAX)
}
