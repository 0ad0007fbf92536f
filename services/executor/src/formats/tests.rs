//! Files as publishers write them, and each rule broken once.

use proptest::prelude::*;

use super::Problem;

mod actions;
mod lenient;
mod lock;
mod manifests;
mod suites;

/// `text` with one piece replaced; the piece must be there.
fn with(text: &str, piece: &str, other: &str) -> String {
    assert!(text.contains(piece), "{piece} is not in the text");
    text.replacen(piece, other, 1)
}

/// The line of `text` that holds `piece`, from 1.
fn line_of(text: &str, piece: &str) -> u32 {
    let at = text.lines().position(|line| line.contains(piece)).unwrap();
    u32::try_from(at + 1).unwrap()
}

/// A line of the file, or none.
fn in_range(problem: &Problem, text: &str) -> bool {
    usize::try_from(problem.line()).unwrap() <= text.split('\n').count()
}

/// Fragments that meet the readers more often than random text does.
fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        "[a-z_]{1,8} = \"[a-z:/@0-9.{}]{0,20}\"\n",
        "[a-z_]{1,8} = [0-9]{1,20}\n",
        Just("[connector]\n".to_owned()),
        Just("name = \"github://acme/notes\"\n".to_owned()),
        Just("version = \"1.0.0\"\n".to_owned()),
        Just("[capabilities.credential]\nkind = \"oauth2\"\n".to_owned()),
        Just("[capabilities.spawn.operations.x]\nargv = 3\n".to_owned()),
        Just("[[requires.connectors]]\n".to_owned()),
        Just("[[execute]]\ninputs = { a = [{ b = \"${args.x}\" }, nan] }\n".to_owned()),
        Just("[approval.preview]\nrender = { a = \"b\" }\n".to_owned()),
        Just("actions = [\"x\", \"github://a/b@1.0.0\"]\n".to_owned()),
        "\\PC{0,12}\n",
    ];
    proptest::collection::vec(fragment, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_stumble(text in fragments()) {
        let action = format!("+++\n{text}+++\nbody\n");
        let problems = [
            super::manifest::parse(text.as_bytes(), "x").err(),
            super::suite::parse(text.as_bytes(), "x").err(),
            super::action::parse(action.as_bytes(), "x").err(),
        ];
        for problem in problems.into_iter().flatten() {
            prop_assert!(in_range(&problem, &action), "{problem}");
            prop_assert!(!problem.message().is_empty());
        }
    }
}
