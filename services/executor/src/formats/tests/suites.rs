use proptest::prelude::*;

use super::{line_of, with};
use crate::formats::suite::{Member, SuiteFile, parse};

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

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn written(suite: &SuiteFile) -> String {
    let members = suite.members.iter().map(|member| match member {
        Member::Path(path) => quoted(path),
        Member::Package(package) => quoted(&package.to_string()),
    });
    format!(
        "name = {}\ndescription = {}\nactions = [{}]\n",
        quoted(&suite.name),
        quoted(&suite.description),
        members.collect::<Vec<_>>().join(", ")
    )
}

fn member() -> impl Strategy<Value = Member> {
    let path = "[A-Za-z0-9_-]{1,8}(/[A-Za-z0-9._-]{0,6}[a-z]){0,2}".prop_map(Member::Path);
    let package = "(github|gitlab)://[a-z]{1,8}/[A-Za-z0-9_-]{1,8}(/[a-z-]{1,8}){0,2}@[1-9][0-9]{0,2}\\.0\\.1";
    prop_oneof![path, package.prop_map(|text| Member::Package(text.parse().unwrap()))]
}

proptest! {
    /// What is written is read as it was meant, whatever the words and the members.
    #[test]
    fn a_suite_reads_back_as_it_was_written(
        name in "\\PC{0,12}[a-z]",
        description in "\\PC{0,12}[a-z]",
        members in proptest::collection::vec(member(), 1..40),
    ) {
        let suite = SuiteFile { name, description, members };
        prop_assert_eq!(parse(written(&suite).as_bytes(), "suite.toml"), Ok(suite));
    }

    /// No member climbs out of its repository, and none is dropped or made up.
    #[test]
    fn every_member_is_read_or_the_suite_is_refused(
        entries in proptest::collection::vec("[a-z./@:~%0-9-]{0,16}|github://a/b@1\\.0\\.0", 1..6),
    ) {
        let list: Vec<_> = entries.iter().map(|entry| quoted(entry)).collect();
        let text = format!("name = \"x\"\ndescription = \"y\"\nactions = [{}]\n", list.join(", "));
        match parse(text.as_bytes(), "suite.toml") {
            Err(problem) => prop_assert_eq!(problem.line(), 3),
            Ok(suite) => {
                prop_assert_eq!(suite.members.len(), entries.len());
                for (member, entry) in suite.members.iter().zip(&entries) {
                    match member {
                        Member::Path(path) => {
                            prop_assert_eq!(entry.strip_prefix('/').unwrap_or(entry), path);
                            let parts = || path.split('/');
                            prop_assert!(parts().all(|part| !matches!(part, "" | "." | "..")));
                        }
                        Member::Package(package) => prop_assert_eq!(&package.to_string(), entry),
                    }
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_no_suite_are_refused_on_a_line_of_theirs(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Err(problem) = parse(&bytes, "suite.toml") {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            prop_assert!(usize::try_from(problem.line()).unwrap() <= lines);
        }
    }
}
