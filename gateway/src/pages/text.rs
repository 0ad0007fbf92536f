//! Words from outside, made fit to be read: nothing of them is markup, and nothing is invisible.

use aileron_contract::{Timestamp, json};
use maud::{Markup, Render, html};
use serde_json::{Map, Value};

/// Text as a person may read it. What cannot be seen, or reorders what can, is spelt out and
/// marked, so that nobody can write the same by hand.
pub(super) fn shown(text: &str) -> impl Render + '_ {
    Shown(text)
}

struct Shown<'t>(&'t str);

impl Render for Shown<'_> {
    fn render_to(&self, out: &mut String) {
        // Of visible text nothing hides, not even what would elsewhere.
        let marks = !json::is_visible(self.0);
        for c in self.0.chars() {
            if marks && json::hidden(c) {
                let spelt = c.escape_unicode();
                out.push_str("<mark class=\"odd\">");
                out.extend(spelt);
                out.push_str("</mark>");
            } else {
                c.encode_utf8(&mut [0; 4]).render_to(out);
            }
        }
    }
}

/// Anything that is displayed as text from outside.
pub(super) fn said(value: &impl ToString) -> Markup {
    let text = value.to_string();
    html! { (shown(&text)) }
}

/// A point in time: in UTC, and in the reader's own zone where the script runs.
pub(super) fn time(at: Timestamp) -> Markup {
    let exact = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    html! { time datetime=(exact) { (at.strftime("%Y-%m-%d %H:%M:%S").to_string()) " UTC" } }
}

/// The same of a day that is known: the time of day.
pub(super) fn clock(at: Timestamp) -> Markup {
    let exact = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    html! {
        time datetime=(exact) data-clock { (at.strftime("%H:%M:%S").to_string()) " UTC" }
    }
}

/// An object, indented as people read it.
pub(super) fn raw(value: &Map<String, Value>) -> Markup {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    html! { pre tabindex="0" { code { (shown(&text)) } } }
}

/// Text that may be JSON: indented when it is.
pub(super) fn perhaps_json(text: &str) -> Markup {
    let pretty = serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok());
    html! { pre tabindex="0" { code { (shown(pretty.as_deref().unwrap_or(text))) } } }
}

/// Enough of a hash to compare by eye with what the command line shows.
pub(super) fn short(hash: &impl ToString) -> String {
    aileron_api::approvals::short(&hash.to_string())
}

/// `1 call`, `2 calls`.
pub(super) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Words of a sentence, with its capital.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Percent-encodes one segment of a path, or one value of a query.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_from_outside_is_text() {
        let shown = html! { p title="x" { (shown("<img src=x onerror=alert(1)> & \"'")) } };
        assert_eq!(
            shown.into_string(),
            "<p title=\"x\">&lt;img src=x onerror=alert(1)&gt; &amp; &quot;'</p>"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_spelt_out_and_marked() {
        let reversed = html! { (shown("pay \u{202e}evil")) }.into_string();
        assert_eq!(reversed, "pay <mark class=\"odd\">\\u{202e}</mark>evil");
        // The same, written by hand, is not marked.
        assert_eq!(html! { (shown("\\u{202e}")) }.into_string(), "\\u{202e}");
        let value = serde_json::json!({"to\u{200b}": "a\u{202e}b"});
        let raw = raw(value.as_object().unwrap()).into_string();
        assert!(raw.contains("{200b}</mark>") && raw.contains("{202e}</mark>"), "{raw}");
    }

    #[test]
    fn a_person_a_model_and_a_terminal_are_shown_the_same_characters() {
        for character in '\0'..=char::MAX {
            let (here, there) = (json::hidden(character), aileron_api::is_hidden(character));
            assert_eq!(here, there, "{}", character.escape_unicode());
        }
    }

    #[test]
    fn a_time_is_told_in_utc_and_exactly() {
        let told = time("2030-01-31T12:30:05.5Z".parse().unwrap()).into_string();
        assert_eq!(told, "<time datetime=\"2030-01-31T12:30:05Z\">2030-01-31 12:30:05 UTC</time>");
    }

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(encoded("api_key/notes/a b"), "api_key%2Fnotes%2Fa%20b");
    }
}
