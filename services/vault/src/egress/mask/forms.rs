//! The forms a secret can take in a text, and how they are found.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use zeroize::Zeroizing;

/// One character of a form: either of two spellings (hexadecimal of both cases, base64 of both
/// alphabets), equal where there is only one.
type Character = [u8; 2];

/// Every form of some secrets.
#[derive(Clone)]
pub(super) struct Forms(Arc<Known>);

struct Known {
    /// The secrets as they are.
    plain: Vec<Zeroizing<Vec<Character>>>,
    /// Those, and what they become in other alphabets.
    forms: Vec<Zeroizing<Vec<Character>>>,
    begins: Begins,
}

/// With which two bytes a form can begin, escaped or not: hardly any two of a text. A bit stands
/// for some of the forms, or for a way to escape; both bytes have to share one.
struct Begins {
    first: Zeroizing<[u8; 256]>,
    second: Zeroizing<[u8; 256]>,
}

/// What introduces an escaped character, each with its bit. The other bits are the forms'.
const INTRODUCERS: [(u8, u8); 3] = [(b'%', 1 << 5), (b'\\', 1 << 6), (b'&', 1 << 7)];
const FORM_BITS: usize = 5;

impl Begins {
    fn of(forms: &[Zeroizing<Vec<Character>>]) -> Self {
        let mut begins = Self { first: Zeroizing::new([0; 256]), second: Zeroizing::new([0; 256]) };
        for (index, form) in forms.iter().enumerate() {
            let bit = 1 << (index % FORM_BITS);
            for meant in form.first().into_iter().flatten() {
                mark(&mut begins.first, literally(*meant), bit);
                begins.escaped(*meant);
            }
            match form.get(1) {
                Some(next) => {
                    for meant in next {
                        mark(&mut begins.second, literally(*meant), bit);
                    }
                    let escapes = INTRODUCERS.map(|(introducer, _)| introducer);
                    mark(&mut begins.second, escapes, bit);
                }
                None => mark(&mut begins.second, 0..=u8::MAX, bit),
            }
        }
        begins
    }

    /// How the escapes of one byte begin.
    fn escaped(&mut self, meant: u8) {
        for (introducer, bit) in INTRODUCERS {
            mark(&mut self.first, [introducer], bit);
            match introducer {
                b'%' => {
                    let digit = char::from_digit(u32::from(meant >> 4), 16).unwrap_or('0');
                    let both = [digit, digit.to_ascii_uppercase()];
                    mark(&mut self.second, both.iter().filter_map(|c| u8::try_from(*c).ok()), bit);
                }
                b'\\' => mark(&mut self.second, [b'u', b'x', meant], bit),
                _ => mark(&mut self.second, *b"#algq", bit),
            }
        }
    }

    fn may(&self, first: u8, second: u8) -> bool {
        let of = |table: &[u8; 256], byte| table.get(usize::from(byte)).copied().unwrap_or(0);
        of(&self.first, first) & of(&self.second, second) != 0
    }
}

/// As itself, and a space as a plus.
fn literally(meant: u8) -> impl Iterator<Item = u8> {
    std::iter::once(meant).chain((meant == b' ').then_some(b'+'))
}

fn mark(table: &mut [u8; 256], bytes: impl IntoIterator<Item = u8>, bit: u8) {
    for byte in bytes {
        if let Some(bits) = table.get_mut(usize::from(byte)) {
            *bits |= bit;
        }
    }
}

/// What stands at a place of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// A form of the secret, up to here.
    Until(usize),
    /// The text ends before it can be told.
    Undecided,
}

impl Forms {
    /// An empty secret has none; none at all when all of them are empty.
    pub(super) fn of(secrets: &[&[u8]]) -> Option<Self> {
        let (mut plain, mut forms) = (Vec::new(), Vec::new());
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            let same = Zeroizing::new(secret.iter().map(|c| [*c; 2]).collect::<Vec<_>>());
            let digits = Zeroizing::new(hex::encode(secret));
            let digits = digits.bytes().map(|c| [c, c.to_ascii_uppercase()]).collect();
            forms.extend([same.clone(), Zeroizing::new(digits)]);
            forms.extend((0..3).filter_map(|before| base64(secret, before)));
            plain.push(same);
        }
        if plain.is_empty() {
            return None;
        }
        let begins = Begins::of(&forms);
        Some(Self(Arc::new(Known { plain, forms, begins })))
    }

    /// Does a secret as it is stand in the text, whatever the case?
    pub(super) fn plain_in(&self, text: &[u8]) -> bool {
        let same = |(character, byte): (&Character, &u8)| {
            character.iter().any(|spelling| spelling.eq_ignore_ascii_case(byte))
        };
        self.0
            .plain
            .iter()
            .any(|plain| text.windows(plain.len()).any(|window| plain.iter().zip(window).all(same)))
    }

    /// The first place from `at` on where a form may begin; the last byte is always one, because
    /// what follows it is not known.
    pub(super) fn next(&self, text: &[u8], at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        let begins = &self.0.begins;
        let may = |pair: &[u8]| matches!(pair, [first, second] if begins.may(*first, *second));
        rest.windows(2).position(may).map_or(text.len().saturating_sub(1).max(at), |skip| at + skip)
    }

    /// The longest form that starts at `at`. `last` says that the text is complete.
    pub(super) fn find(&self, text: &[u8], at: usize, last: bool) -> Found {
        let mut longest = None;
        for form in &self.0.forms {
            match ends(form, text, at, last) {
                Found::Undecided => return Found::Undecided,
                Found::Until(end) => longest = longest.max(Some(end)),
                Found::Nothing => {}
            }
        }
        longest.map_or(Found::Nothing, Found::Until)
    }
}

/// The characters of a base64 text that depend on the secret alone, when `before` bytes (modulo
/// three) precede it. None where so few remain that ordinary text would be hit.
fn base64(secret: &[u8], before: usize) -> Option<Zeroizing<Vec<Character>>> {
    let mut bytes = Zeroizing::new(vec![0; before]);
    bytes.extend_from_slice(secret);
    let encoded = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(&*bytes));
    let first = (before * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    let own = encoded.as_bytes().get(first..end).filter(|own| own.len() >= 4)?;
    let both = |c: &u8| match c {
        b'+' => [b'+', b'-'],
        b'/' => [b'/', b'_'],
        other => [*other; 2],
    };
    Some(Zeroizing::new(own.iter().map(both).collect()))
}

/// Follows one form from `at`, through every reading of the text.
fn ends(form: &[Character], text: &[u8], at: usize, last: bool) -> Found {
    let (mut here, mut next) = (Vec::new(), Vec::new());
    let mut undecided = false;
    for (index, character) in form.iter().enumerate() {
        let start = if index == 0 { Some(at) } else { None };
        for place in start.into_iter().chain(here.drain(..)) {
            let Some(readings) = Readings::at(text, place, last) else {
                undecided = true;
                continue;
            };
            for (byte, end) in readings.each() {
                if character.contains(&byte) && !next.contains(&end) {
                    next.push(end);
                }
            }
        }
        if next.is_empty() {
            return if undecided { Found::Undecided } else { Found::Nothing };
        }
        std::mem::swap(&mut here, &mut next);
    }
    if undecided {
        return Found::Undecided;
    }
    here.into_iter().max().map_or(Found::Nothing, Found::Until)
}

/// The bytes that may be meant at one place of a text, each with the place after it.
struct Readings {
    literal: Option<(u8, usize)>,
    space: Option<(u8, usize)>,
    escaped: Option<(u8, usize)>,
}

impl Readings {
    /// None when more text is needed to tell.
    fn at(text: &[u8], at: usize, last: bool) -> Option<Self> {
        let rest = text.get(at..).unwrap_or_default();
        let Some(byte) = rest.first() else {
            let none = Self { literal: None, space: None, escaped: None };
            return last.then_some(none);
        };
        let escaped = match escape(rest) {
            Escape::No => None,
            Escape::Cut if last => None,
            Escape::Cut => return None,
            Escape::Byte(byte, length) => Some((byte, at + length)),
        };
        let space = (*byte == b'+').then_some((b' ', at + 1));
        Some(Self { literal: Some((*byte, at + 1)), space, escaped })
    }

    fn each(&self) -> impl Iterator<Item = (u8, usize)> {
        [self.literal, self.space, self.escaped].into_iter().flatten()
    }
}

enum Escape {
    No,
    /// Looks like one, but the text ends.
    Cut,
    /// This byte, written in so many.
    Byte(u8, usize),
}

/// `%2f`, `\/`, `\x2f`, `\u002f`, `&#47;`, `&#x2f;`, `&quot;`.
fn escape(text: &[u8]) -> Escape {
    match text {
        [b'%', rest @ ..] => digits(rest, 2, 1),
        [b'\\'] => Escape::Cut,
        [b'\\', b'u', rest @ ..] => digits(rest, 4, 2),
        [b'\\', b'x', rest @ ..] => digits(rest, 2, 2),
        [b'\\', byte, ..] => Escape::Byte(*byte, 2),
        [b'&', rest @ ..] => entity(rest),
        _ => Escape::No,
    }
}

/// `count` hexadecimal digits, after `before` bytes.
fn digits(text: &[u8], count: usize, before: usize) -> Escape {
    let present = text.get(..count).unwrap_or(text);
    if !present.iter().all(u8::is_ascii_hexdigit) {
        return Escape::No;
    }
    if present.len() < count {
        return Escape::Cut;
    }
    match std::str::from_utf8(present).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
        Some(code) => byte(code, before + count),
        None => Escape::No,
    }
}

fn byte(code: u32, length: usize) -> Escape {
    u8::try_from(code).map_or(Escape::No, |byte| Escape::Byte(byte, length))
}

/// The longest entity looked for, without `&`: `#0000x7f;` and the like stay within.
const ENTITY: usize = 10;

fn entity(text: &[u8]) -> Escape {
    let window = text.get(..ENTITY).unwrap_or(text);
    let Some(end) = window.iter().position(|c| *c == b';') else {
        let plausible = window.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'#');
        let cut = plausible && window.len() < ENTITY;
        return if cut { Escape::Cut } else { Escape::No };
    };
    let name = window.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or("");
    let code = match name {
        "amp" => Some(u32::from(b'&')),
        "lt" => Some(u32::from(b'<')),
        "gt" => Some(u32::from(b'>')),
        "quot" => Some(u32::from(b'"')),
        "apos" => Some(u32::from(b'\'')),
        name => match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            },
            None => None,
        },
    };
    code.map_or(Escape::No, |code| byte(code, end + 2))
}
