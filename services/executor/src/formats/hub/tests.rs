use aileron_contract::publishers::{HubKind, HubOffer};
use proptest::prelude::*;

use super::parse;

const CONNECTOR: &str = "fqn: github://acme/notes\n\
    description: Reads and writes notes.\n\
    publisher_github: acme\n\
    key_url: https://raw.githubusercontent.com/acme/notes/HEAD/keys/publisher.pub\n\
    release_pattern: v*\n";

const ACTION: &str = "fqn: github://acme/notes/actions/list\n\
    description: >\n  Lists the notes\n  of an account.\n\
    publisher_github: acme\n\
    connector_fqn: github://acme/notes\n\
    intents: [list my notes, what did I write]\n\
    category: notes\n";

const SUITE: &str = "fqn: github://acme/notes/suites/all\n\
    description: Everything about notes\n\
    publisher_github: acme\n\
    member_actions:\n  - github://acme/notes/actions/list\n  - github://acme/notes/actions/add\n\
    connectors_required:\n  - github://acme/notes\n";

fn refusal(kind: HubKind, text: &str) -> (u32, String) {
    let problem = parse(kind, text.as_bytes(), "x.yaml").expect_err(text);
    (problem.line(), problem.message().to_owned())
}

#[test]
fn entries_of_each_kind_are_read_as_published() {
    let connector = parse(HubKind::Connector, CONNECTOR.as_bytes(), "x.yaml").unwrap();
    assert_eq!(
        (connector.fqn.as_str(), connector.publisher.as_str()),
        ("github://acme/notes", "acme")
    );
    let HubOffer::Connector(offer) = &connector.offer else { panic!("{connector:?}") };
    assert_eq!(offer.release_pattern, "v*");
    let action = parse(HubKind::Action, ACTION.as_bytes(), "x.yaml").unwrap();
    assert_eq!(action.description, "Lists the notes of an account.");
    let HubOffer::Action(offer) = &action.offer else { panic!("{action:?}") };
    assert_eq!((offer.intents.len(), offer.category.as_deref()), (2, Some("notes")));
    let suite = parse(HubKind::Suite, SUITE.as_bytes(), "x.yaml").unwrap();
    let HubOffer::Suite(offer) = &suite.offer else { panic!("{suite:?}") };
    assert_eq!((offer.members.len(), offer.connectors.len()), (2, 1));
    let root = SUITE.replace("suites/all", "suite");
    assert!(parse(HubKind::Suite, root.as_bytes(), "x.yaml").is_ok());
}

#[test]
fn a_refusal_names_its_line() {
    for (key, with, line) in [
        ("github://acme/notes\n", "gitlab://acme/notes\n", 1),
        ("github://acme/notes\n", "github://acme/notes/x\n", 1),
        ("github://acme/notes\n", "github://acme/notes@1.0.0\n", 1),
        ("github: acme\n", "github: '-'\n", 3),
        ("github: acme\n", "github: acme/notes\n", 3),
        ("https://raw", "http://raw", 4),
        ("https://raw", "https://me:secret@raw", 4),
        ("https://raw.githubusercontent.com/acme/notes/HEAD/keys/publisher.pub", "'https://'", 4),
        ("v*", "'v *'", 5),
        ("v*", "[v]", 5),
    ] {
        let text = CONNECTOR.replacen(key, with, 1);
        let (found, message) = refusal(HubKind::Connector, &text);
        assert_eq!(found, line, "{message}: {text}");
    }
}

#[test]
fn nothing_unknown_missing_or_repeated_is_accepted() {
    for text in [
        format!("{CONNECTOR}stars: 5\n"),
        format!("{CONNECTOR}fqn: github://acme/notes\n"),
        format!("{CONNECTOR}---\n{CONNECTOR}"),
        CONNECTOR.replace("release_pattern: v*\n", ""),
        CONNECTOR.replace("Reads and writes notes.", "\"\""),
        CONNECTOR.replace("Reads and writes notes.", &"x".repeat(201)),
        "[]".to_owned(),
        String::new(),
    ] {
        refusal(HubKind::Connector, &text);
    }
    let twice = SUITE.replace("actions/add", "actions/list");
    assert!(refusal(HubKind::Suite, &twice).1.contains("twice"), "{twice}");
    let none = "fqn: github://a/b/suite\ndescription: x\npublisher_github: a\nmember_actions: []\n";
    assert!(refusal(HubKind::Suite, none).1.contains("at least one"));
}

#[test]
fn a_description_cannot_steer_a_terminal() {
    for escape in ["\\e[2J", "\\x9b1m", "\\u202e", "\\a"] {
        let text = CONNECTOR.replace("Reads", &format!("\"{escape}"));
        let text = text.replace("notes.\n", "notes.\"\n");
        let (line, message) = refusal(HubKind::Connector, &text);
        assert_eq!(line, 2, "{message}");
        assert!(!message.chars().any(|c| c.is_control() || c == '\u{202e}'), "{message:?}");
    }
}

#[test]
fn aliases_do_not_multiply_what_is_read() {
    let mut bomb = "fqn: &a github://acme/notes/suite\ndescription: x\n".to_owned();
    bomb.push_str("publisher_github: a\ncategory: &b [x, x, x, x, x, x, x, x, x]\n");
    bomb.push_str("member_actions: [*b, *b, *b, *b, *b, *b, *b, *b]\n");
    refusal(HubKind::Suite, &bomb);
    let long = "x".repeat(100_000);
    let text = format!(
        "fqn: github://a/b/actions/c\ndescription: &a \"{long}\"\npublisher_github: a\n\
         connector_fqn: github://a/b\nintents: [{}]\n",
        vec!["*a"; 1000].join(", ")
    );
    assert_eq!(refusal(HubKind::Action, &text).0, 2);
    let many = vec!["*a"; 100].join(", ");
    let text = ACTION.replace("[list my notes, what did I write]", &format!("[&a x, {many}]"));
    assert!(refusal(HubKind::Action, &text).1.contains("more than 64"));
}

#[test]
fn a_file_that_would_keep_the_reader_busy_is_refused_first() {
    for costly in ["[", "{", "- ", "? ", "- ? ", "!a ", "&a ", "%TAG ! x\n", "*a ", ": ", "--- "] {
        let text = costly.repeat(250_000 / costly.len());
        refusal(HubKind::Connector, &text);
        refusal(HubKind::Connector, &format!("fqn: {text}"));
        refusal(HubKind::Connector, &format!("fqn:\n  {text}"));
    }
    let aliases = (0..10_000).map(|at| format!("&a{at} x, *a{at}")).collect::<Vec<_>>().join(", ");
    refusal(HubKind::Action, &format!("intents: [{aliases}]"));
}

#[test]
fn what_is_too_long_or_no_text_is_refused_before_it_is_read() {
    assert!(refusal(HubKind::Connector, &"#".repeat(300_000)).1.contains("longer than"));
    assert!(parse(HubKind::Connector, b"\xff\xfe", "x.yaml").is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_line_of_it(
        text in "(?s).{0,200}",
        kind in prop::sample::select(HubKind::ALL.to_vec()),
    ) {
        if let Err(problem) = parse(kind, text.as_bytes(), "x.yaml") {
            let lines = u32::try_from(text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count()).unwrap();
            prop_assert!(problem.line() <= lines + 1, "{problem}");
            prop_assert!(!problem.message().chars().any(char::is_control));
        }
    }

    #[test]
    fn an_entry_that_was_read_reads_the_same_when_written_anew(
        owner in "[A-Za-z0-9]{1,12}",
        repo in "[A-Za-z0-9._-]{1,12}x",
        words in prop::collection::vec("[a-zäéß\"'#:&*!%@`{}\\[\\],.?|>-]{1,8}", 1..8),
    ) {
        let description = words.join(" ");
        let text = serde_json::json!({
            "fqn": format!("github://{owner}/{repo}"),
            "description": description,
            "publisher_github": owner,
            "key_url": format!("https://example.com/{owner}"),
            "release_pattern": "v*",
        });
        // JSON is YAML, spelled as strictly as it gets.
        let entry = parse(HubKind::Connector, text.to_string().as_bytes(), "x.yaml").unwrap();
        prop_assert_eq!(entry.description, description);
        prop_assert_eq!(entry.fqn.owner(), owner);
        prop_assert_eq!(entry.fqn.repo(), repo);
    }
}

#[test]
fn a_refused_description_is_told_the_length_of_its_kind() {
    for (kind, text, most) in [
        (HubKind::Connector, CONNECTOR, 200),
        (HubKind::Action, ACTION, 1000),
        (HubKind::Suite, SUITE, 1000),
    ] {
        let (_, message) = refusal(
            kind,
            &text
                .replacen("description: ", "description: \"\" #", 1)
                .replace("\n  Lists the notes\n  of an account.", ""),
        );
        assert!(message.contains(&format!("1 to {most} characters")), "{message}");
    }
}

#[test]
fn a_description_holds_nothing_that_cannot_be_seen() {
    for hidden in ['\u{200b}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{2060}', '\u{202e}'] {
        let text = CONNECTOR.replace("Reads and", &format!("Reads{hidden} and"));
        assert!(parse(HubKind::Connector, text.as_bytes(), "x.yaml").is_err(), "{hidden:?}");
    }
}
