//! What may be meant at one place of a text: the byte that stands there, or an escape.

/// What introduces an escaped character.
pub(super) const INTRODUCERS: [u8; 3] = [b'%', b'\\', b'&'];

/// The bytes that may be meant at one place of a text, each with the place after it.
pub(super) struct Readings {
    literal: Option<(u8, usize)>,
    space: Option<(u8, usize)>,
    escaped: Option<(u8, usize)>,
}

impl Readings {
    /// None when more text is needed to tell.
    pub(super) fn at(text: &[u8], at: usize, last: bool) -> Option<Self> {
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

    pub(super) fn each(&self) -> impl Iterator<Item = (u8, usize)> {
        [self.literal, self.space, self.escaped].into_iter().flatten()
    }
}

/// Every byte that is read as `meant` without an escape: itself, and a space as a plus.
pub(super) fn literally(meant: u8) -> impl Iterator<Item = u8> + Clone {
    std::iter::once(meant).chain((meant == b' ').then_some(b'+'))
}

pub(super) enum Escape {
    No,
    /// Looks like one, but the text ends.
    Cut,
    /// This byte, written in so many.
    Byte(u8, usize),
}

/// `%2f`, `\/`, `\x2f`, `\u002f`, `&#47;`, `&#x2f;`, `&quot;`.
pub(super) fn escape(text: &[u8]) -> Escape {
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
    // An ampersand is seldom more than that.
    if text.first().is_some_and(|c| !c.is_ascii_alphanumeric() && *c != b'#') {
        return Escape::No;
    }
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
