//! The forms a secret can take in a text, and how they are found.

use std::{ops::Range, sync::Arc};

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use zeroize::Zeroizing;

use crate::guarded::{Guarded, Memory};

mod places;
mod reading;
mod tables;
pub(super) use places::Places;
use reading::{Breaks, Readings};
use tables::Tables;

/// One character of a form: either of two spellings (letters of both cases, base64 of both
/// alphabets), equal where there is only one.
type Character = [u8; 2];

/// Every form of some secrets.
#[derive(Clone)]
pub(super) struct Forms(Arc<Known>);

struct Known {
    /// The tables, and then the characters of all forms.
    memory: Guarded,
    /// Where each form's characters lie in the memory.
    forms: Vec<Range<usize>>,
    leap: usize,
    /// How many characters the shortest form has.
    shortest: usize,
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
    pub(super) fn of(secrets: &[&[u8]], memory: Memory) -> rustix::io::Result<Option<Self>> {
        let texts = texts(secrets);
        if texts.is_empty() {
            return Ok(None);
        }
        let size = texts.iter().map(|text| 2 * text.len()).sum::<usize>();
        let memory = memory.zeros(tables::SIZE + size)?;
        Ok(Some(Self::laid_out(&texts, memory)))
    }

    fn laid_out(texts: &[Text], mut memory: Guarded) -> Self {
        let each = texts.iter().map(|text| text.as_slice());
        let leap = tables::leap(each.clone());
        tables::write(&mut memory, each.clone(), leap);
        let shortest = each.map(<[Character]>::len).min().unwrap_or(0);
        let mut end = tables::SIZE;
        let mut place = |text: &Text| {
            let place = end..end + 2 * text.len();
            end = place.end;
            if let Some(memory) = memory.bytes_mut().get_mut(place.clone()) {
                memory.copy_from_slice(text.as_flattened());
            }
            place
        };
        let forms = texts.iter().map(&mut place).collect();
        Self(Arc::new(Known { memory, forms, leap, shortest }))
    }

    /// A shorter text holds none of them.
    pub(super) fn shortest(&self) -> usize {
        self.0.shortest
    }

    /// The places of a text where a form may begin. None when that cannot be told.
    pub(super) fn places<'a>(&'a self, text: &'a [u8]) -> Option<Places<'a>> {
        Some(Places::new(Tables::read(&self.0.memory)?, self.0.leap, text))
    }

    /// The longest form that starts at `at`. `last` says that the text is complete.
    pub(super) fn find(&self, text: &[u8], at: usize, last: bool) -> Found {
        let mut longest = None;
        let Some(readings) = Readings::at(text, at, last) else { return Found::Undecided };
        for form in &self.0.forms {
            let form = self.characters(form);
            let begins = |first: &Character| readings.each().any(|(byte, _)| first.contains(&byte));
            if !form.first().is_some_and(begins) {
                continue;
            }
            match ends(form, text, at, last) {
                Found::Undecided => return Found::Undecided,
                Found::Until(end) => longest = longest.max(Some(end)),
                Found::Nothing => {}
            }
        }
        longest.map_or(Found::Nothing, Found::Until)
    }

    fn characters(&self, form: &Range<usize>) -> &[Character] {
        self.0.memory.get(form.clone()).unwrap_or_default().as_chunks().0
    }
}

/// One form on its way into memory.
type Text = Zeroizing<Vec<Character>>;

/// The forms of some secrets.
fn texts(secrets: &[&[u8]]) -> Vec<Text> {
    let mut texts = Vec::new();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        texts.push(in_both_cases(secret));
        texts.push(in_both_cases(Zeroizing::new(hex::encode(secret)).as_bytes()));
        texts.extend((0..3).filter_map(|before| base64(secret, before)));
    }
    texts
}

fn in_both_cases(text: &[u8]) -> Text {
    let both = |c: &u8| [c.to_ascii_lowercase(), c.to_ascii_uppercase()];
    Zeroizing::new(text.iter().map(both).collect())
}

/// The characters of a base64 text that depend on the secret alone, when `before` bytes (modulo
/// three) precede it. None where so few remain that ordinary text would be hit.
fn base64(secret: &[u8], before: usize) -> Option<Text> {
    let mut bytes = Zeroizing::new(vec![0; before + secret.len()]);
    bytes.get_mut(before..)?.copy_from_slice(secret);
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

/// Follows one form from `at`, through every reading of the text, across line breaks.
fn ends(form: &[Character], text: &[u8], at: usize, last: bool) -> Found {
    let (mut here, mut next) = (vec![at], Vec::new());
    let mut undecided = false;
    for (index, character) in form.iter().enumerate() {
        if index > 0 {
            undecided |= across_breaks(&mut here, text, last);
        }
        for place in here.drain(..) {
            let Some(readings) = Readings::at(text, place, last) else {
                undecided = true;
                continue;
            };
            let meant = readings.each().filter(|(byte, _)| character.contains(byte));
            next.extend(meant.map(|(_, end)| end));
        }
        if next.is_empty() {
            return if undecided { Found::Undecided } else { Found::Nothing };
        }
        once_each(&mut next);
        std::mem::swap(&mut here, &mut next);
    }
    if undecided {
        return Found::Undecided;
    }
    here.into_iter().max().map_or(Found::Nothing, Found::Until)
}

/// Adds the places after line breaks; true when more text is needed to tell.
fn across_breaks(places: &mut Vec<usize>, text: &[u8], last: bool) -> bool {
    let mut undecided = false;
    for index in 0..places.len() {
        let Some(place) = places.get(index).copied() else { continue };
        match Breaks::at(text, place, last) {
            Some(breaks) => places.extend(breaks.each()),
            None => undecided = true,
        }
    }
    once_each(places);
    undecided
}

fn once_each(places: &mut Vec<usize>) {
    if places.len() > 1 {
        places.sort_unstable();
        places.dedup();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A text made of the secret's forms, in whole or in part, some of their characters escaped.
    fn text(secret: &str, parts: &[(u8, usize, u64)], noise: &str) -> Vec<u8> {
        let known = texts(&[secret.as_bytes()]);
        let mut text = Vec::new();
        for (which, length, escapes) in parts {
            let form = &known[usize::from(*which) % known.len()];
            for (index, character) in form.iter().take(*length).enumerate() {
                let byte = character[index % 2];
                match escapes >> (index % 16 * 4) & 15 {
                    5 => text.extend(format!("={byte:02X}").bytes()),
                    6 => text.extend(format!("%25{byte:02x}").bytes()),
                    7 => text.extend(format!("\\\\u{byte:04x}").bytes()),
                    8 => text.extend(format!("&amp;#{byte};").bytes()),
                    9 => text.extend([b"\\\\".as_slice(), &[b'\\', byte]].concat()),
                    10 => text.extend([b"\r\n".as_slice(), &[byte]].concat()),
                    11 => text.extend([b"=\n".as_slice(), &[byte]].concat()),
                    12 => text.extend([b"\\n".as_slice(), &[byte]].concat()),
                    13 => text.extend([b"\n  ".as_slice(), &[byte]].concat()),
                    1 => text.extend(format!("%{byte:02X}").bytes()),
                    2 => text.extend(format!("\\u{byte:04x}").bytes()),
                    3 => text.extend(format!("&#{byte};").bytes()),
                    4 => text.extend([b'\\', byte]),
                    _ => text.push(byte),
                }
            }
            text.extend(noise.bytes().cycle().skip(*length).take(usize::from(*which)));
        }
        text
    }

    proptest! {
        #[test]
        fn no_place_where_a_form_begins_is_leapt_over(
            secret in "[a-c %+\\\\&\"]{1,6}|[ -~]{1,60}",
            parts in prop::collection::vec((0..40_u8, 1..60_usize, any::<u64>()), 0..12),
            sparse: bool,
            noise in "[a-z%\\\\&;u0-9 +=\r\n]{1,12}",
            cut: prop::sample::Index,
        ) {
            let mask = if sparse { 0x0000_f000_0000_0000 } else { u64::MAX };
            let parts: Vec<_> = parts.into_iter().map(|(w, l, e)| (w, l, e & mask)).collect();
            let text = text(&secret, &parts, &noise);
            let known = &text[..cut.index(text.len() + 1)];
            let forms = Forms::of(&[secret.as_bytes()], Memory::Plain).unwrap().unwrap();
            let mut places = forms.places(known).unwrap();
            let mut next = places.from(0);
            for at in 0..known.len() {
                if at == next {
                    next = places.from(at + 1);
                    continue;
                }
                // What was passed by stays passed by, whatever comes after the cut.
                let found = forms.find(&text, at, true);
                let missed = matches!(found, Found::Until(_));
                prop_assert!(!missed, "{} of {} cut at {}", at, text.escape_ascii(), known.len());
            }
            prop_assert_eq!(next, known.len());
        }
    }

    #[test]
    fn a_text_without_a_trace_of_the_secret_is_leapt_through() {
        let forms = Forms::of(&[b"lin_api_9fK2mQxw7Lr0TzVb"], Memory::Plain).unwrap().unwrap();
        let text = b"[{\"title\":\"Notes of the week\",\"done\":true}]".repeat(1000);
        let mut places = forms.places(&text).unwrap();
        let (mut at, mut stops) = (0, 0);
        while at < text.len() {
            at = places.from(at) + 1;
            stops += 1;
        }
        assert!(stops < text.len() / 50, "{stops} of {}", text.len());
    }
}
