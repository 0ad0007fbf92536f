//! One escape in a text, which may itself have been unescaped.

use super::{INTRODUCERS, Layer, Step};

pub(super) enum Escape {
    No,
    /// Looks like one, but the text ends.
    Cut,
    /// This byte, up to here.
    Byte(u8, usize),
}

/// `%2f`, `=2F`, `\/`, `\x2f`, `\u002f`, `&#47;`, `&#x2f;`, `&quot;`: what `introducer`, which
/// ends at `at`, introduces.
pub(super) fn escape(layer: &Layer<'_>, introducer: u8, at: usize) -> Escape {
    match introducer {
        b'%' | b'=' => digits(layer, at, 2),
        b'\\' => backslash(layer, at),
        b'&' => entity(layer, at),
        _ => Escape::No,
    }
}

fn backslash(layer: &Layer<'_>, at: usize) -> Escape {
    match layer.step(at) {
        Step::End => Escape::No,
        Step::Cut => Escape::Cut,
        Step::Byte(b'u', end) => digits(layer, end, 4),
        Step::Byte(b'x', end) => digits(layer, end, 2),
        Step::Byte(b'n', end) if layer.controls => Escape::Byte(b'\n', end),
        Step::Byte(b'r', end) if layer.controls => Escape::Byte(b'\r', end),
        Step::Byte(b't', end) if layer.controls => Escape::Byte(b'\t', end),
        Step::Byte(byte, end) => Escape::Byte(byte, end),
    }
}

/// So many hexadecimal digits.
fn digits(layer: &Layer<'_>, at: usize, count: usize) -> Escape {
    let (mut code, mut at) = (0_u32, at);
    for _ in 0..count {
        match layer.step(at) {
            Step::Byte(digit, end) => match char::from(digit).to_digit(16) {
                Some(digit) => {
                    code = code * 16 + digit;
                    at = end;
                }
                None => return Escape::No,
            },
            Step::End => return Escape::No,
            Step::Cut => return Escape::Cut,
        }
    }
    byte(code, at)
}

fn byte(code: u32, end: usize) -> Escape {
    u8::try_from(code).map_or(Escape::No, |byte| Escape::Byte(byte, end))
}

/// The longest entity looked for, without `&`: `#0000x7f;` and the like stay within.
const ENTITY: usize = 10;

/// Can this follow the ampersand of an escape? What follows may itself be escaped.
pub(in super::super) fn opens_entity(byte: u8) -> bool {
    byte == b'#' || byte.is_ascii_lowercase() || INTRODUCERS.contains(&byte)
}

fn entity(layer: &Layer<'_>, at: usize) -> Escape {
    let (mut name, mut at) = ([0; ENTITY], at);
    for length in 0..ENTITY {
        match layer.step(at) {
            Step::Byte(b';', end) => {
                let name = name.get(..length).and_then(|name| std::str::from_utf8(name).ok());
                return name.and_then(named).map_or(Escape::No, |code| byte(code, end));
            }
            // An ampersand is seldom more than that.
            Step::Byte(c, end) if c.is_ascii_alphanumeric() || c == b'#' => {
                if let Some(place) = name.get_mut(length) {
                    *place = c;
                }
                at = end;
            }
            Step::Byte(..) | Step::End => return Escape::No,
            Step::Cut => return Escape::Cut,
        }
    }
    Escape::No
}

fn named(name: &str) -> Option<u32> {
    match name {
        "amp" => Some(u32::from(b'&')),
        "lt" => Some(u32::from(b'<')),
        "gt" => Some(u32::from(b'>')),
        "quot" => Some(u32::from(b'"')),
        "apos" => Some(u32::from(b'\'')),
        name => {
            let number = name.strip_prefix('#')?;
            match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            }
        }
    }
}
