//! Text from outside, before a model reads it.

use std::fmt::Write;

use serde_json::Value;

use crate::is_hidden;

/// Escapes what a reader cannot see and cuts what is longer than `limit` bytes.
pub(super) fn shown(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        if is_hidden(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
        if out.len() > limit {
            return cut(&out, limit, "cut");
        }
    }
    out
}

/// The same for the text of a result: a JSON document stays the same document.
pub(super) fn result(text: &str, limit: usize, rest: &str) -> String {
    let hidden = text.chars().any(is_hidden);
    let whole = match (hidden, serde_json::from_str::<Value>(text).is_ok()) {
        (false, _) => text.to_owned(),
        (true, true) => escaped_in_json(text),
        (true, false) => shown(text, usize::MAX),
    };
    if whole.len() > limit { cut(&whole, limit, rest) } else { whole }
}

/// In valid JSON such characters stand in strings only, or are the white space between.
fn escaped_in_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        if is_hidden(character) && character != '\r' {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string does not fail.
                let _always = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

fn cut(text: &str, limit: usize, what: &str) -> String {
    let end = text.floor_char_boundary(limit);
    let kept = text.get(..end).unwrap_or_default();
    format!("{kept}\n[aileron: {what} after {end} bytes]")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{result, shown};
    use crate::is_hidden;

    #[test]
    fn a_description_shows_what_is_hidden_in_it() {
        assert_eq!(shown("pay \u{202e}evil\u{1b}[2J", 100), "pay \\u{202e}evil\\u{1b}[2J");
        assert_eq!(shown("tags \u{e0041}\u{e0042}", 100), "tags \\u{e0041}\\u{e0042}");
        assert_eq!(shown("Größe\n\tok ✓", 100), "Größe\n\tok ✓");
    }

    #[test]
    fn a_long_description_is_cut_with_a_mark() {
        let cut = shown(&"ä".repeat(100), 11);
        assert_eq!(cut, "äääää\n[aileron: cut after 10 bytes]");
    }

    #[test]
    fn a_result_stays_the_document_it_is() {
        let text = "{\"a\": \"x\u{202e}y\u{e0041}\"}";
        let shown = result(text, 1000, "cut");
        assert_eq!(shown, "{\"a\": \"x\\u202ey\\udb40\\udc41\"}");
        let read = |text| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(text), read(&shown));
        assert_eq!(result("plain \u{200b}text", 1000, "cut"), "plain \\u{200b}text");
    }

    proptest! {
        #[test]
        fn escaping_changes_no_value_and_leaves_nothing_hidden(text in any::<String>()) {
            let document = serde_json::to_string(&serde_json::json!({"t": text})).unwrap();
            let shown = result(&document, usize::MAX, "cut");
            let read: Value = serde_json::from_str(&shown).unwrap();
            prop_assert_eq!(read["t"].as_str(), Some(text.as_str()));
            prop_assert!(!shown.chars().any(is_hidden));
        }
    }
}
