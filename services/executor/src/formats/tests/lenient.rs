//! Files as a generator writes them from an API's own description.

use std::fmt::Write as _;

use aileron_contract::executor::InputKind;
use proptest::prelude::*;

use super::{line_of, with};
use crate::formats::action::{ActionFile, parse};

const GENERATED: &str = r#"+++
name = "issue-update"
version = "1.4.0"
source = "github://linear/tools/actions/issue-update@1.4.0"

[match]
intent = "issueUpdate"

[[requires.connectors]]
name = "github://linear/tools"
version = "1.4.0"
hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
capabilities = ["issueUpdate"]

[[inputs]]
name = "id"
type = "String"
description = "The issue."

[[inputs]]
name = "dueDate"
type = "TimelessDate"
required = false
description = "When it is due."

[[inputs]]
name = "labelIds"
type = "array"
items_type = "ID"
required = false
description = "Its labels."

[[inputs]]
name = "_filter"
type = "IssueFilter"
required = false
description = "Which ones."

[[execute]]
id = "run"
connector = "github://linear/tools"
op = "issueUpdate"

[execute.inputs]
input = { dueDate = "${args.dueDate}", labels = ["${args.labelIds}"] }
+++
"#;

fn read(text: &str) -> ActionFile {
    parse(text.as_bytes(), "action.md").unwrap_or_else(|problem| panic!("{problem}"))
}

fn refused(text: &str) -> (String, u32) {
    let problem = parse(text.as_bytes(), "action.md").unwrap_err();
    assert_eq!(problem.class().text(), "validation_error", "{problem}");
    (problem.message().to_owned(), problem.line())
}

/// The same file with nothing in it that the published grammar does not know.
fn strict() -> String {
    let text = with(GENERATED, "\"String\"", "\"string\"");
    let text = with(&text, "\"TimelessDate\"", "\"string\"");
    let text = with(&text, "\"ID\"", "\"string\"");
    let text = with(&text, "\"IssueFilter\"", "\"object\"");
    let text = text.replace("dueDate", "due_date").replace("labelIds", "label_ids");
    with(&text, "\"_filter\"", "\"filter\"")
}

#[test]
fn types_are_mapped_and_shown_and_the_file_says_that_it_was_read_leniently() {
    let action = read(GENERATED);
    let inputs: Vec<_> = action
        .inputs
        .iter()
        .map(|input| (input.name.as_str(), input.kind, input.items, input.declared.as_deref()))
        .collect();
    assert_eq!(
        inputs,
        [
            ("id", InputKind::String, None, Some("String")),
            ("dueDate", InputKind::String, None, Some("TimelessDate")),
            ("labelIds", InputKind::Array, Some(InputKind::String), Some("array of ID")),
            ("_filter", InputKind::Object, None, Some("IssueFilter")),
        ]
    );
    assert_eq!(action.inputs[1].description, "When it is due. (type TimelessDate)");
    assert_eq!(action.body, "", "an empty body is one");
    assert_eq!(
        action.lenient,
        [
            "types that are shown but not enforced: String, TimelessDate, array of ID, IssueFilter",
            "input names outside the published grammar: dueDate, labelIds, _filter",
        ]
    );
}

#[test]
fn a_file_of_the_published_grammar_is_read_as_ever() {
    let action = read(&strict());
    assert!(action.lenient.is_empty());
    assert!(action.inputs.iter().all(|input| input.declared.is_none()));
    assert_eq!(action.inputs[1].description, "When it is due.");
    // Capital letters make no reference there: such text is the author's own.
    let text = with(&strict(), "${args.due_date}", "${args.DueDate}");
    assert_eq!(read(&text).steps[0].inputs["input"]["due_date"], "${args.DueDate}");
}

#[test]
fn a_reference_in_a_lenient_file_must_be_declared_whatever_its_letters() {
    let text = with(GENERATED, "${args.dueDate}", "${args.duedate}");
    assert!(refused(&text).0.contains("${args.duedate}"));
    let text = with(GENERATED, "${args.dueDate}", "${args.DueDate}");
    let (message, line) = refused(&text);
    assert!(message.contains("${args.DueDate}"), "{message}");
    assert_eq!(line, line_of(&text, "[execute.inputs]"));
}

#[test]
fn leniency_ends_at_types_and_names_of_inputs() {
    for (piece, other) in [
        ("type = \"String\"", "type = \"strng\""),
        ("type = \"String\"", "type = \"String \""),
        ("type = \"String\"", "type = \"Str\\u202eing\""),
        ("type = \"IssueFilter\"", "type = \"IssueFilter\"\nmultiline = true"),
        ("items_type = \"ID\"", "items_type = \"[ID]\""),
        ("type = \"TimelessDate\"", "type = \"TimelessDate\"\nitems_type = \"string\""),
        ("name = \"dueDate\"", "name = \"due-date\""),
        ("name = \"dueDate\"", "name = \"due date\""),
        ("name = \"dueDate\"", "name = \"id\""),
        ("name = \"issue-update\"", "name = \"issueUpdate\""),
        ("description = \"When it is due.\"", "description = \" \""),
        ("capabilities = [\"issueUpdate\"]", "capabilities = []"),
        ("hash = \"sha256:aa", "hash = \"sha256:../../x"),
    ] {
        let (message, line) = refused(&with(GENERATED, piece, other));
        assert!(line > 1, "{other}: {message}");
    }
}

#[test]
fn a_lenient_file_with_many_types_is_summed_up() {
    let mut more = String::new();
    for n in 0..40 {
        write!(more, "[[inputs]]\nname = \"x{n}\"\ntype = \"Kind{n}\"\ndescription = \"d\"\n\n")
            .unwrap();
    }
    let action = read(&with(GENERATED, "[[execute]]", &format!("{more}[[execute]]")));
    assert_eq!(action.inputs.len(), 44);
    assert!(action.lenient[0].ends_with(" and 36 more"), "{}", action.lenient[0]);
}

proptest! {
    /// Whatever words stand for type and name: the file is refused on a line of it, or every
    /// input that is not of the published grammar says so.
    #[test]
    fn nothing_is_read_leniently_unnoticed(
        kind in "\\[?[A-Za-z]{0,8}(Filter|Input)?\\]?!?",
        name in "[A-Za-z_][A-Za-z0-9_-]{0,8}",
    ) {
        let text = with(&strict(), "name = \"id\"", &format!("name = \"{name}\""));
        let text = with(&text, "type = \"string\"", &format!("type = \"{kind}\""));
        match parse(text.as_bytes(), "action.md") {
            Err(problem) => prop_assert!(problem.line() > 1 && !problem.message().is_empty()),
            Ok(action) => {
                let published = InputKind::ALL.iter().any(|word| word.text() == kind);
                let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
                    && !name.contains(|c: char| c.is_ascii_uppercase());
                prop_assert_eq!(action.inputs[0].declared.is_none(), published);
                prop_assert_eq!(action.lenient.is_empty(), published && plain);
            }
        }
    }
}
