use super::{line_of, with};
use crate::formats::suite::{Member, parse};

const SUITE: &str = "name = \"tickets\"\n\
                     description = \"all about tickets\"\n\
                     actions = [\"actions/list\", \"/actions/write\", \"github://acme/x@1.0.0\"]\n";

#[test]
fn members_are_paths_or_packages() {
    let suite = parse(SUITE.as_bytes(), "suite.toml").unwrap();
    assert_eq!(suite.members[0], Member::Path("actions/list".to_owned()));
    assert_eq!(suite.members[1], Member::Path("actions/write".to_owned()));
    assert_eq!(suite.members[2], Member::Package("github://acme/x@1.0.0".parse().unwrap()));
}

#[test]
fn each_broken_rule_is_told_on_its_line() {
    for (piece, other, class) in [
        ("name = \"tickets\"", "name = \"\"", "validation_error"),
        ("name = \"tickets\"", "names = \"tickets\"", "parse_error"),
        ("description = \"all about tickets\"", "description = 3", "parse_error"),
        ("\"actions/list\"", "\"\"", "validation_error"),
        ("\"actions/list\"", "\"../list\"", "validation_error"),
        ("\"actions/list\"", "\"a b\"", "validation_error"),
        ("github://acme/x@1.0.0", "github://acme/x", "validation_error"),
        ("github://acme/x@1.0.0", "github://acme/x@latest", "validation_error"),
    ] {
        let text = with(SUITE, piece, other);
        let problem = parse(text.as_bytes(), "suite.toml").unwrap_err();
        assert_eq!(problem.class().text(), class, "{other}: {problem}");
        assert_eq!(problem.line(), line_of(&text, other), "{other}: {problem}");
    }
    let empty =
        with(SUITE, "[\"actions/list\", \"/actions/write\", \"github://acme/x@1.0.0\"]", "[]");
    assert!(parse(empty.as_bytes(), "suite.toml").is_err());
}
