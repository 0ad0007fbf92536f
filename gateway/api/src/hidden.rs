//! What a reader of text from outside would not see.

/// Does a reader not see this character, or see others in another order because of it? Controls
/// but line feed and tab, what turns the direction of text (UAX #9), and what takes no space.
///
/// The list of `aileron_contract::json::hidden`, which this crate must not know: a test of the
/// gateway, which knows both, compares them character by character.
pub fn is_hidden(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
