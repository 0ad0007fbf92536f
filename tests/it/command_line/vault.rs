//! The vault's life by hand: logins, references, the recovery key, a vault in a file.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::{House, out, succeeds, talk, with_input};
use crate::{
    house::PASSPHRASE,
    household::Household,
    main_job::{approve, ask, settled},
};

/// A file of the house that holds this.
fn file(house: &House, name: &str, text: &str) -> String {
    let path = house.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn fails(output: &std::process::Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}\n{}", out(output), talk(output));
    talk(output)
}

#[test]
fn logins_are_stored_listed_and_deleted_by_their_paths() {
    let house = House::bare(&json!({}));
    succeeds(&house.run_as_person(&["vault", "init"]));
    let login = file(&house, "login.json", "{\"claudeAiOauth\": \"canary-c1a\"}\n");
    let put = ["vault", "put", "agents/claude/oauth", "--from-file", &login];
    succeeds(&house.run_as_person(&put));
    succeeds(&with_input(&house, &["vault", "put", "agents/codex/apikey"], "canary-c0d\n"));
    succeeds(&with_input(&house, &["secret", "set", "team/github"], "canary-5ec"));
    for other in ["user/github", "secret/x", "api_key/a/b", "agents/claude", "agents//oauth"] {
        let refused = fails(&house.run_as_person(&["vault", "put", other, "--from-file", &login]));
        assert!(refused.contains("agents/NAME/PURPOSE"), "{refused}");
    }
    let listed = succeeds(&house.run(&["vault", "list"]));
    assert_eq!(
        listed,
        "agent: agents/claude/oauth\nagent: agents/codex/apikey\nsecret: secret/team/github\n"
    );
    let agents = ["vault", "list", "--scope", "agent", "--prefix", "agents/claude"];
    assert_eq!(succeeds(&house.run(&agents)), "agent: agents/claude/oauth\n");
    let unasked = fails(&house.run_as_person(&["vault", "delete", "agents/claude/oauth"]));
    assert!(unasked.contains("--yes"), "{unasked}");
    for path in ["agents/claude/oauth", "secret/team/github"] {
        succeeds(&house.run_as_person(&["vault", "delete", path, "--yes"]));
    }
    let gone = fails(&house.run_as_person(&["vault", "delete", "user/github", "--yes"]));
    assert!(gone.contains("user/github"), "{gone}");
    fails(&house.run_as_person(&["vault", "delete", "llm-config/x", "--yes"]));
    assert_eq!(succeeds(&house.run(&["vault", "list"])), "agent: agents/codex/apikey\n");
    // A program may list; it neither stores nor deletes nor reads.
    fails(&house.run(&["vault", "delete", "agents/codex/apikey", "--yes"]));
    let log = house.log() + &succeeds(&house.run(&["audit", "list", "--json"]));
    for canary in ["canary-c1a", "canary-c0d", "canary-5ec"] {
        assert!(!log.contains(canary), "{canary}");
    }
}

#[test]
fn a_lost_passphrase_is_replaced_with_the_recovery_key() {
    let house = House::bare(&json!({}));
    let made = house.run_as_person(&["vault", "init", "--recovery-key"]);
    let key = succeeds(&made).trim().to_owned();
    assert_eq!(key.split('-').count(), 14, "{key}");
    assert!(talk(&made).contains("the recovery key that is shown"), "{}", talk(&made));
    assert!(!talk(&made).contains(&key), "the key is data, not talk");
    assert!(talk(&house.run(&["vault", "recovery", "status"])).contains("has a recovery key"));
    succeeds(&house.run_as_person(&["vault", "lock"]));
    let new = file(&house, "new", "a new passphrase");
    let recover = |key: &str| {
        let key = file(&house, "key", key);
        let options = ["--recovery-key-file", &key, "--new-passphrase-file", &new];
        house.run(&[&["vault", "unlock", "--recovery"], &options[..]].concat())
    };
    assert!(fails(&recover("0000-0000")).contains("not a recovery key"));
    succeeds(&recover(&key.to_lowercase()));
    assert!(succeeds(&house.run(&["status", "vault"])).contains("unlocked"));
    fails(&house.run_as_person(&["secret", "delete", "x"]));
    let by_file =
        |arguments: &[&str]| house.run(&[arguments, &["--passphrase-file", &new]].concat());
    succeeds(&by_file(&["vault", "recovery", "remove", "--yes"]));
    assert!(talk(&house.run(&["vault", "recovery", "status"])).contains("has no recovery key"));
    let refused = fails(&recover(&key));
    assert!(refused.contains("no recovery key"), "{refused}");
    let another = succeeds(&by_file(&["vault", "recovery", "add"]));
    assert_ne!(another.trim(), key);
}

#[test]
fn a_vault_goes_to_another_home_in_one_file() {
    let house = House::bare(&json!({}));
    let banner = house.run_as_person(&["vault", "init"]);
    assert!(talk(&banner).contains("This vault has no recovery key."), "{}", talk(&banner));
    succeeds(&with_input(&house, &["secret", "set", "a"], "canary-of-a"));
    let own = file(&house, "own", "the file's own passphrase");
    let path = house.path().join("vault.export");
    let target = path.to_str().unwrap();
    let export = ["vault", "export", target, "--export-passphrase-file", &own];
    fails(&house.run(&export));
    assert!(!path.exists(), "a program exports nothing");
    succeeds(&house.run_as_person(&export));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&path).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    assert!(fails(&house.run_as_person(&export)).contains("never overwritten"));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);

    let other = House::bare(&json!({}));
    succeeds(&other.run_as_person(&["vault", "init"]));
    let import = ["vault", "import", target, "--export-passphrase-file", &own];
    assert!(talk(&other.run_as_person(&import)).contains("1 entries were added"));
    assert_eq!(succeeds(&other.run(&["secret", "list"])), "a\n");
    succeeds(&with_input(&other, &["secret", "set", "a"], "another"));
    let conflict = fails(&other.run_as_person(&import));
    assert!(conflict.contains("secret/a"), "{conflict}");
    succeeds(&other.run_as_person(&[&import[..], &["--replace"]].concat()));
    let wrong = file(&other, "wrong", PASSPHRASE);
    let import = ["vault", "import", target, "--export-passphrase-file", &wrong];
    assert!(fails(&other.run_as_person(&import)).contains("does not open the export"));
}

#[test]
fn a_passphrase_comes_from_the_variable_then_from_the_file_then_from_the_terminal() {
    let house = House::bare(&json!({}));
    let (right, wrong) = (file(&house, "right", PASSPHRASE), file(&house, "wrong", "wrong"));
    succeeds(&house.run(&["vault", "init", "--passphrase-file", &right]));
    let lock = || succeeds(&house.run_as_person(&["vault", "lock"]));
    lock();
    succeeds(&house.run_as_person(&["vault", "unlock", "--passphrase-file", &wrong]));
    lock();
    let refused = house.run(&["vault", "unlock", "--passphrase-file", &wrong]);
    assert!(fails(&refused).contains("passphrase"), "{}", talk(&refused));
    succeeds(&house.run(&["vault", "unlock", "--passphrase-file", &right]));
    lock();
    assert!(fails(&house.run(&["vault", "unlock"])).contains("needs a person"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_in_an_argument_is_text_and_nothing_else() {
    let Household { house, servers, program, person } = Household::new().await;
    succeeds(&with_input(&house, &["secret", "set", "x"], "canary-of-x"));
    let pending = ask(&program, "vault:secret/x", None).await;
    approve(&person, &pending.approval_id).await;
    assert!(settled(&program, &pending.approval_id).await.result.is_some());
    assert_eq!(servers.titles(), ["Welcome", "vault:secret/x"]);
}
