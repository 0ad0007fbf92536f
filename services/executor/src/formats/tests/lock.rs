use aileron_contract::names::Sha256Hash;
use proptest::{collection::vec, prelude::*};

use super::in_range;
use crate::formats::lock::{Lock, LockedAction, LockedTool, parse};

const HASH: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn one_action(more: &str) -> String {
    format!(
        "version = 1\n[[actions]]\nname = \"a-b\"\nsource = \"github://acme/notes@1.0.0\"\n\
         version = \"1.0.0\"\nhash = \"{HASH}\"\n{more}"
    )
}

fn refused(text: &str) -> String {
    parse(text.as_bytes(), "actions.lock").unwrap_err().to_string()
}

prop_compose! {
    fn hash()(bytes in any::<[u8; 32]>()) -> Sha256Hash {
        Sha256Hash::new(bytes)
    }
}

prop_compose! {
    fn locks()(
        actions in vec(("[a-z0-9][a-z0-9._-]{0,20}", "[a-z]{1,8}", hash(), any::<bool>()), 0..6),
        connectors in vec(("[a-z]{1,8}", "[0-9]{1,3}", hash()), 0..6),
    ) -> Lock {
        let mut lock = Lock::default();
        for (name, repo, hash, with_tool) in actions {
            let number = format!("{}.0.1", repo.len());
            let source = format!("github://Ac-me/{repo}.x_y/actions/{name}@{number}+b.1");
            let tool = with_tool.then_some(LockedTool { description: hash, input_schema: hash });
            let version = format!("{number}-rc.1").parse().unwrap();
            let action = LockedAction { source: source.parse().unwrap(), version, hash, tool };
            lock.actions.insert(name.parse().unwrap(), action);
        }
        for (repo, number, hash) in connectors {
            let number = number.parse::<u32>().unwrap();
            let package = format!("github://acme/{repo}@{number}.0.0").parse().unwrap();
            lock.connectors.insert((package, hash));
        }
        lock
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same(lock in locks()) {
        let text = lock.text();
        prop_assert_eq!(parse(text.as_bytes(), "actions.lock").unwrap(), lock);
    }

    #[test]
    fn a_line_too_few_or_too_many_is_refused_with_a_line_or_read_as_what_it_says(
        lock in locks(),
        at in any::<prop::sample::Index>(),
        twice in any::<bool>(),
    ) {
        let text = lock.text();
        let mut lines: Vec<&str> = text.lines().collect();
        let at = at.index(lines.len());
        if twice {
            lines.insert(at, lines[at]);
        } else {
            lines.remove(at);
        }
        let text = lines.join("\n");
        match parse(text.as_bytes(), "actions.lock") {
            Ok(read) => prop_assert_eq!(parse(read.text().as_bytes(), "x").unwrap(), read),
            Err(problem) => prop_assert!(in_range(&problem, &text), "{problem}"),
        }
    }
}

#[test]
fn a_lock_without_a_version_or_with_another_one_is_refused() {
    assert_eq!(refused(""), "version is required (actions.lock:1)");
    assert_eq!(
        refused("version = 2\nsomething_new = 1\n"),
        "version must be 1: a later program wrote this lock (actions.lock:1)"
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let text = one_action("path = \"/etc\"\n");
    assert_eq!(refused(&text), "unknown lock key(s): actions.path (actions.lock:7)");
    assert!(refused("version = 1\nmore = 1\n").contains("unknown lock key(s): more"));
}

#[test]
fn an_entry_that_stands_twice_is_refused() {
    let twice = format!("{}{}", one_action(""), one_action("").replace("version = 1\n", ""));
    assert!(refused(&twice).contains("actions holds a-b twice"));
    let connector = format!(
        "[[connectors]]\nfqn = \"github://acme/notes\"\nversion = \"1.0.0\"\nhash = \"{HASH}\"\n"
    );
    let twice = format!("version = 1\n{connector}{connector}");
    assert!(refused(&twice).contains("connectors holds the same entry twice"));
}

#[test]
fn a_name_that_is_none_is_refused() {
    let text = one_action("").replace("a-b", "../a");
    assert!(refused(&text).starts_with("actions.name: "));
    let text = one_action("").replace(HASH, "sha256:../../x");
    assert!(refused(&text).starts_with("actions.hash: "));
}

#[test]
fn what_an_agent_is_shown_is_locked_whole_or_not_at_all() {
    assert!(refused(&one_action("tool = \"a_b\"\n")).contains("actions.description is required"));
    let tool = format!("tool = \"a-b\"\ndescription = \"{HASH}\"\ninput_schema = \"{HASH}\"\n");
    assert!(refused(&one_action(&tool)).contains("actions.tool must be a_b"));
    let tool = tool.replace("a-b", "a_b");
    let read = parse(one_action(&tool).as_bytes(), "actions.lock").unwrap();
    assert!(read.actions.values().all(|action| action.tool.is_some()));
}
