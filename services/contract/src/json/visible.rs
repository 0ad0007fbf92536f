//! Text from outside, made safe to read on a card or a terminal.

/// Escapes what a reader cannot see or what reorders the text: controls other than line feed and
/// tab, bidirectional marks (UAX #9), zero-width and other default-ignorable characters. What makes
/// an emoji of the character before it (UTS #51) stays.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (c, hidden) in judged(text) {
        if hidden {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Text of which `visible` escapes nothing.
pub fn is_visible(text: &str) -> bool {
    !judged(text).any(|(_, hidden)| hidden)
}

/// A character that `visible` escapes, wherever it stands; only the emoji selector depends on
/// where.
pub fn hidden(c: char) -> bool {
    let control = c.is_control() && c != '\n' && c != '\t';
    control
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Each character, and whether it hides where it stands.
fn judged(text: &str) -> impl Iterator<Item = (char, bool)> {
    const SELECTOR: char = '\u{fe0f}';
    const KEYCAP: char = '\u{20e3}';
    let mut before = None;
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let selects = c == SELECTOR
            && match before {
                Some('0'..='9' | '#' | '*') => rest.peek() == Some(&KEYCAP),
                Some(base) => is_emoji(base),
                None => false,
            };
        before = Some(c);
        Some((c, hidden(c) && !selects))
    })
}

/// Characters that a selector may turn into an emoji, by their blocks: all of them are seen.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '©' | '®' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{24c2}'
        | '\u{25a0}'..='\u{27bf}' | '\u{2934}'..='\u{2935}' | '\u{2b00}'..='\u{2bff}'
        | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::{is_visible, visible};

    #[test]
    fn a_reversed_recipient_is_shown_for_what_it_is() {
        assert_eq!(visible("pay \u{202e}evil"), "pay \\u{202e}evil");
        assert_eq!(visible("a\u{200b}b\u{7}"), "a\\u{200b}b\\u{7}");
        assert_eq!(visible("Größe\n\tok"), "Größe\n\tok");
    }

    #[test]
    fn an_emoji_selector_is_plain_after_an_emoji_and_nowhere_else() {
        for plain in ["❤\u{fe0f} notes", "✉\u{fe0f}", "1\u{fe0f}\u{20e3} first", "🗒\u{fe0f}"]
        {
            assert!(is_visible(plain), "{plain}");
            assert_eq!(visible(plain), plain);
        }
        for hiding in
            ["\u{fe0f}", "a\u{fe0f}", "1\u{fe0f}", "❤\u{fe0f}\u{fe0f}", "❤\u{fe0e}", "❤\u{200d}🔥"]
        {
            assert!(!is_visible(hiding), "{hiding}");
        }
        assert_eq!(visible("git\u{fe0f}hub"), "git\\u{fe0f}hub");
    }
}
