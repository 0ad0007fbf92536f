//! The difference between two texts, for a person to read.

use std::time::Duration;

use aileron_contract::{Result, limits};
use similar::TextDiff;

use crate::packages::blocking;

/// Looking for the shortest difference ends here; what follows is a longer one, and as right.
const PATIENCE: Duration = Duration::from_millis(500);

/// Unchanged lines around each change.
const CONTEXT: usize = 3;

/// A unified diff.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) text: String,
    /// There is more of it.
    pub(super) cut: bool,
}

/// From what was accepted to what is there now; none stands for no file. Bytes that are not UTF-8
/// are shown as replacement characters.
pub(super) async fn between(accepted: Option<Vec<u8>>, now: Option<Vec<u8>>) -> Result<Difference> {
    blocking(move || compare(accepted.as_deref(), now.as_deref())).await
}

fn compare(accepted: Option<&[u8]>, now: Option<&[u8]>) -> Difference {
    let name = |text: Option<&[u8]>, name| if text.is_some() { name } else { "/dev/null" };
    let (before, after) = (name(accepted, "accepted"), name(now, "now"));
    let old = String::from_utf8_lossy(accepted.unwrap_or_default());
    let new = String::from_utf8_lossy(now.unwrap_or_default());
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old.as_ref(), new.as_ref());
    let text = diff.unified_diff().context_radius(CONTEXT).header(before, after).to_string();
    bounded(text)
}

fn bounded(mut text: String) -> Difference {
    if text.len() <= limits::DIFFERENCE {
        return Difference { text, cut: false };
    }
    let mut end = limits::DIFFERENCE;
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.truncate(end);
    Difference { text, cut: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(accepted: Option<&str>, now: Option<&str>) -> String {
        compare(accepted.map(str::as_bytes), now.map(str::as_bytes)).text
    }

    #[test]
    fn a_changed_line_stands_beside_the_one_it_replaced() {
        assert_eq!(
            shown(Some("a\nb\nc\n"), Some("a\nB\nc\n")),
            "--- accepted\n+++ now\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
        );
    }

    #[test]
    fn what_is_new_and_what_is_gone_is_shown_whole() {
        assert_eq!(shown(None, Some("a\n")), "--- /dev/null\n+++ now\n@@ -0,0 +1 @@\n+a\n");
        assert_eq!(shown(Some("a\n"), None), "--- accepted\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
        assert_eq!(shown(Some("a"), Some("a")), "");
    }

    #[test]
    fn a_huge_difference_is_cut_with_a_mark_and_in_time() {
        let (old, new) = ("ä\n".repeat(200_000), "ö\n".repeat(200_000));
        let difference = compare(Some(old.as_bytes()), Some(new.as_bytes()));
        assert!(difference.cut && difference.text.len() <= limits::DIFFERENCE);
        let lines = |step: u64, of: u64| {
            let lines: Vec<_> = (0..60_000_u64).map(|at| (at * step % of).to_string()).collect();
            lines.join("\n")
        };
        let (hostile, other) = (lines(7_919, 1_009), lines(104_729, 997));
        assert!(compare(Some(hostile.as_bytes()), Some(other.as_bytes())).cut);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        assert!(compare(None, Some(b"\xff\n")).text.contains("+\u{fffd}"));
    }
}
