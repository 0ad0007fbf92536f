use aileron_contract::executor::InputKind;

use super::{line_of, with};
use crate::formats::action::{ActionFile, parse};

const WRITE: &str = r#"+++
name = "tracker.write-1"
version = "2.3.0"
source = "github://acme/tracker/actions/write@2.3.0"

[match]
intent = "write a ticket"

[[requires.connectors]]
name = "github://acme/tracker"
version = "2.3.0"
hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
capabilities = ["create", "read"]

[[inputs]]
name = "title"
type = "string"
description = "what it is about"
label = "Title"
multiline = true

[[inputs]]
name = "tags"
type = "array"
items_type = "string"
required = false
description = "some words"

[[execute]]
id = "first"
connector = "github://acme/tracker"
op = "create"
idempotent = false

[execute.inputs]
text = "About ${args.title}"
deep = { list = ["${args.tags}", 7, 1.5, true], when = 2026-11-21T10:00:00Z }

[[execute]]
id = "second"
connector = "github://acme/tracker"
op = "read"
idempotent = true

[approval]
required = true

[approval.preview]
op = "read"
args = { title = "${args.title}" }
multiline = ["Body"]

[approval.preview.render]
"Title" = "ticket.title"
"Body" = "ticket.fields.body"
"Author" = "ticket.author"
+++

# Write a ticket

Says what it does.
"#;

fn read(text: &str) -> ActionFile {
    parse(text.as_bytes(), "action.md").unwrap_or_else(|problem| panic!("{problem}"))
}

fn refused(text: &str) -> (String, String, u32) {
    let problem = parse(text.as_bytes(), "action.md").unwrap_err();
    (problem.class().to_string(), problem.message().to_owned(), problem.line())
}

#[test]
fn an_action_is_read_whole() {
    let action = read(WRITE);
    assert_eq!(action.name.as_str(), "tracker.write-1");
    assert!(action.gated());
    assert_eq!(action.inputs[0].kind, InputKind::String);
    assert!(action.inputs[0].required && action.inputs[0].multiline);
    assert_eq!(action.inputs[1].items, Some(InputKind::String));
    assert!(!action.inputs[1].required);
    assert_eq!(action.steps[0].idempotent, Some(false));
    let inputs = serde_json::to_value(&action.steps[0].inputs).unwrap();
    let expected = serde_json::json!({
        "text": "About ${args.title}",
        "deep": { "list": ["${args.tags}", 7, 1.5, true], "when": "2026-11-21T10:00:00Z" },
    });
    assert_eq!(inputs, expected);
    let (connector, preview) = action.preview().unwrap();
    assert_eq!(connector.as_str(), "github://acme/tracker");
    let labels: Vec<_> = preview.render.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["Title", "Body", "Author"]);
    assert!(action.body.starts_with("\n# Write a ticket"));
    assert_eq!(action.requirement(connector).unwrap().capabilities, ["create", "read"]);
}

#[test]
fn windows_line_ends_change_nothing() {
    let action = read(&WRITE.replace('\n', "\r\n"));
    assert_eq!(action, read(WRITE));
}

#[test]
fn unknown_keys_are_told_with_their_dotted_paths() {
    let text = with(WRITE, "label = \"Title\"", "lable = \"Title\"");
    let text = with(&text, "[approval]\nrequired = true", "[approval]\nneeded = true");
    let (class, message, line) = refused(&text);
    assert_eq!((class.as_str(), line), ("parse_error", line_of(&text, "lable")));
    assert_eq!(message, "unknown frontmatter key(s): inputs.lable, approval.needed");
}

#[test]
fn each_broken_rule_is_a_validation_error_on_its_line() {
    for (piece, other) in [
        ("name = \"tracker.write-1\"", "name = \"../evil\""),
        ("name = \"tracker.write-1\"", "name = \"Write\""),
        ("version = \"2.3.0\"\nsource", "version = \"latest\"\nsource"),
        ("source = \"github://acme/tracker/actions/write@2.3.0\"", "source = \"github://acme/t\""),
        ("source = \"github://acme", "source = \"ftp://acme"),
        ("intent = \"write a ticket\"", "intent = \" \""),
        ("hash = \"sha256:aa", "hash = \"sha256:../../x"),
        ("capabilities = [\"create\", \"read\"]", "capabilities = []"),
        ("capabilities = [\"create\", \"read\"]", "capabilities = [\" \"]"),
        ("name = \"title\"", "name = \"my-title\""),
        ("name = \"tags\"", "name = \"title\" # again"),
        ("type = \"array\"", "type = \"list\""),
        ("type = \"string\"", "type = \"integer\""),
        ("items_type = \"string\"", "items_type = \"array\""),
        ("description = \"some words\"", "description = \" \""),
        ("label = \"Title\"", "label = \"  \""),
        ("id = \"second\"", "id = \"first\" # again"),
        (
            "connector = \"github://acme/tracker\"\nop = \"create\"",
            "connector = \"x\"\nop = \"create\"",
        ),
        ("op = \"create\"", "op = \"\""),
        ("op = \"read\"\nargs", "op = \" \"\nargs"),
        ("multiline = [\"Body\"]", "multiline = [\"Nobody\"]"),
        ("args = { title = \"${args.title}\" }", "args = { title = \"${args.nobody}\" }"),
    ] {
        let text = with(WRITE, piece, other);
        let (class, message, line) = refused(&text);
        assert_eq!(class, "validation_error", "{other}: {message}");
        assert!(line > 1, "{other}: {message}");
        let marked = other.split('\n').next().unwrap();
        // Rules about a whole entry are told on its header.
        let near = line_of(&text, marked).saturating_sub(2)..=line_of(&text, marked) + 1;
        assert!(near.contains(&line), "{other}: {message} on {line}");
    }
}

#[test]
fn a_deep_reference_must_be_declared_too() {
    let text = with(WRITE, "[\"${args.tags}\"", "[\"${args.nobody}\"");
    let (class, message, _) = refused(&text);
    assert_eq!(class, "validation_error");
    assert!(message.contains("${args.nobody}"), "{message}");
}

#[test]
fn a_placeholder_of_the_sources_is_named_as_such() {
    let hash = format!("sha256:{}", "a".repeat(64));
    let (class, message, _) = refused(&with(WRITE, &hash, "sha256:bound-at-release"));
    assert_eq!(class, "validation_error");
    assert!(message.contains("placeholder"), "{message}");
}

#[test]
fn values_json_cannot_carry_are_refused() {
    for other in ["9007199254740993", "nan", "-inf"] {
        let text = with(WRITE, "7, 1.5", other);
        assert_eq!(refused(&text).0, "parse_error", "{other}");
    }
}

#[test]
fn what_is_required_is_missed() {
    for piece in [
        "name = \"tracker.write-1\"\n",
        "version = \"2.3.0\"\nsource",
        "intent = \"write a ticket\"\n",
        "capabilities = [\"create\", \"read\"]\n",
        "type = \"string\"\n",
        "op = \"create\"\n",
    ] {
        let (class, message, line) = refused(&with(WRITE, piece, "#"));
        assert_eq!(class, "validation_error", "{piece}: {message}");
        assert!(line > 0, "{piece}: {message}");
    }
}
