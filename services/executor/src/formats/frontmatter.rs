//! The envelope of an action file: TOML between two lines `+++`, then Markdown.

use aileron_contract::limits;

use super::{Problem, ProblemKind};

const FENCE: &str = "+++";

/// An action file taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The TOML between the fences, lines joined by `\n`.
    pub head: String,
    /// The file's line on which `head` begins, from 1.
    pub head_line: u32,
    /// The Markdown after the closing fence, lines joined by `\n`.
    pub body: String,
}

/// Splits `bytes`. Blank lines and a byte order mark may precede the opening fence; nothing else.
pub fn split(bytes: &[u8], file: &str) -> Result<Envelope, Problem> {
    let refused = |message: &str, line| Err(Problem::new(ProblemKind::Parse, message, file, line));
    if bytes.len() > limits::ACTION_FILE {
        return refused(&format!("the file is longer than {} bytes", limits::ACTION_FILE), 0);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = good.split(|byte| *byte == b'\n').count().saturating_sub(1);
            return refused("the file is not UTF-8", number(before));
        }
    };
    let mut lines = text.lines().enumerate();
    let open = loop {
        match lines.next() {
            Some((at, line)) if line.trim() == FENCE => break at,
            Some((_, line)) if line.trim().is_empty() => {}
            Some((at, _)) => return refused("the file must begin with a line +++", number(at)),
            None => return refused("the opening line +++ is missing", 1),
        }
    };
    let mut head = Vec::new();
    let closed = loop {
        match lines.next() {
            Some((_, line)) if line.trim() == FENCE => break true,
            Some((at, line)) if line.len() > limits::ACTION_LINE => {
                return refused("a line is longer than 1 MiB", number(at));
            }
            Some((_, line)) => head.push(line),
            None => break false,
        }
    };
    if !closed {
        return refused("the closing line +++ is missing", number(open));
    }
    let mut body = Vec::new();
    for (at, line) in lines {
        if line.len() > limits::ACTION_LINE {
            return refused("a line is longer than 1 MiB", number(at));
        }
        body.push(line);
    }
    Ok(Envelope { head: head.join("\n"), head_line: number(open + 1), body: body.join("\n") })
}

/// The file's line at index `at`.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn head_and_body_are_told_apart() {
        let text = "\u{feff}\r\n\r\n +++ \r\nname = \"x\"\r\n+++\r\n# Title\r\n\r\ntext\r\n";
        let envelope = split(text.as_bytes(), "x.md").unwrap();
        assert_eq!(envelope.head, "name = \"x\"");
        assert_eq!(envelope.head_line, 4);
        assert_eq!(envelope.body, "# Title\n\ntext");
    }

    #[test]
    fn a_missing_fence_is_told_with_its_line() {
        for (text, line) in [("hello\n+++\n+++\n", 1), ("", 1), ("\n+++\nname = 1\n", 2)] {
            let problem = split(text.as_bytes(), "x.md").unwrap_err();
            assert_eq!((problem.class().text(), problem.line()), ("parse_error", line), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_text_is_refused_on_its_line() {
        let problem = split(b"+++\n\xff\n+++\n", "x.md").unwrap_err();
        assert_eq!(problem.line(), 2);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let text = format!("+++\n+++\n{}\n", "x".repeat(limits::ACTION_LINE + 1));
        assert_eq!(split(text.as_bytes(), "x.md").unwrap_err().line(), 3);
    }

    proptest! {
        #[test]
        fn any_bytes_are_split_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Err(problem) = split(&bytes, "x.md") {
                let lines = bytes.split(|byte| *byte == b'\n').count();
                prop_assert!(usize::try_from(problem.line()).unwrap() <= lines);
            }
        }

        #[test]
        fn head_and_body_come_back(head in "[a-z= \n]{0,40}", body in "[a-z# \n]{0,40}") {
            let text = format!("+++\n{head}\n+++\n{body}");
            let envelope = split(text.as_bytes(), "x.md").unwrap();
            prop_assert_eq!(envelope.head.trim_end_matches('\n'), head.trim_end_matches('\n'));
            prop_assert_eq!(envelope.body.trim_end_matches('\n'), body.trim_end_matches('\n'));
        }
    }
}
