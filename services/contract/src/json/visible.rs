//! Text from outside, made safe to read on a card or a terminal.

/// Escapes what a reader cannot see or what reorders the text: controls other than line feed and
/// tab, bidirectional marks (UAX #9), zero-width and other default-ignorable characters.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A character that `visible` escapes.
pub fn hidden(c: char) -> bool {
    let control = c.is_control() && c != '\n' && c != '\t';
    control
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn a_reversed_recipient_is_shown_for_what_it_is() {
        assert_eq!(visible("pay \u{202e}evil"), "pay \\u{202e}evil");
        assert_eq!(visible("a\u{200b}b\u{7}"), "a\\u{200b}b\\u{7}");
        assert_eq!(visible("Größe\n\tok"), "Größe\n\tok");
    }
}
