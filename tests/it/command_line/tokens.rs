//! Programs that act with a token a person minted.

use aileron_node::demo::{OWNER, REPOSITORY, Servers};

use super::{House, out, succeeds, talk};

/// Mints a token; returns it.
fn mint(house: &House, scopes: &str) -> String {
    let arguments = ["token", "mint", "--label", "ci", "--scopes", scopes, "--days", "1"];
    succeeds(&house.run_as_person(&arguments)).trim().to_owned()
}

fn revoke_all(house: &House) {
    let list = succeeds(&house.run_as_person(&["token", "list"]));
    for line in list.lines().skip(1) {
        let id = line.split_whitespace().next().unwrap();
        succeeds(&house.run_as_person(&["token", "revoke", id]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minted_token_does_what_it_was_minted_for_and_no_more() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    succeeds(&house.run_as_person(&["vault", "init"]));
    let token = mint(&house, "status:read,secrets:write");
    let with_token = |arguments: &[&str]| {
        house.command(arguments).env("AILERON_TOKEN", &token).output().unwrap()
    };
    succeeds(&with_token(&["status"]));
    assert!(!with_token(&["action", "list"]).status.success(), "it was not minted for that");
    assert!(!with_token(&["token", "list"]).status.success(), "tokens are the person's");
    revoke_all(&house);
    assert!(!with_token(&["status"]).status.success(), "a revoked token opens nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_install_installs_what_a_trusted_publisher_signed() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    succeeds(&house.run_as_person(&["vault", "init"]));
    let token = mint(&house, "packages:install");
    let with_token = |arguments: &[&str]| {
        house.command(arguments).env("AILERON_TOKEN", &token).output().unwrap()
    };
    let authority = format!("github://{OWNER}/{REPOSITORY}");
    let connector = format!("{authority}@0.1.0");
    let install = ["connector", "install", &connector, "--yes"];

    let stranger = with_token(&install);
    assert_eq!(stranger.status.code(), Some(1), "{}", out(&stranger));
    assert!(talk(&stranger).contains("trust"), "{}", talk(&stranger));
    succeeds(&house.run_as_person(&["keyring", "trust", &authority, "--yes"]));
    assert!(!with_token(&install[..3]).status.success(), "nobody consented");
    let installed = with_token(&install);
    succeeds(&installed);
    assert!(talk(&installed).contains("Installed"), "{}", talk(&installed));
    let action = format!("{authority}/actions/notes-list@0.1.0");
    succeeds(&with_token(&["action", "add", &action, "--yes", "--no-bind"]));
    assert!(succeeds(&house.run(&["action", "list"])).contains("notes-list"));

    revoke_all(&house);
    let refused = with_token(&install);
    assert_eq!(refused.status.code(), Some(1));
    assert!(talk(&refused).contains("token"), "{}", talk(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_at_another_machine_decides_with_the_passphrase() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    succeeds(&house.run_as_person(&["vault", "init"]));
    let source = format!("github://{OWNER}/{REPOSITORY}/suite.toml@latest");
    succeeds(&house.run_as_person(&["action", "add-suite", &source, "--yes", "--no-bind"]));
    let daemon = house.discovery().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let far = |arguments: &[&str], passphrase: &str| {
        let mut command = house.command(arguments);
        command.env("AILERON_HOME", elsewhere.path());
        command.env("AILERON_API_URL", format!("{}/v1", daemon.url));
        command.env("AILERON_TOKEN", daemon.token.as_deref().unwrap());
        command.env("AILERON_VAULT_PASSPHRASE", passphrase).output().unwrap()
    };
    let asked =
        far(&["action", "run", "notes-create", "--args", r#"{"title":"T","text":"x"}"#], "");
    assert_eq!(asked.status.code(), Some(75), "{}", talk(&asked));
    let id = out(&asked).trim().to_owned();

    let unproven = far(&["approval", "deny", &id], "");
    assert_eq!(unproven.status.code(), Some(1));
    assert!(talk(&unproven).contains("this needs a person"), "{}", talk(&unproven));
    let lacking = far(&["action", "disable", "notes-list"], "");
    assert!(talk(&lacking).contains("AILERON_VAULT_PASSPHRASE"), "{}", talk(&lacking));
    succeeds(&far(&["approval", "deny", &id], super::PASSPHRASE));
    succeeds(&far(&["action", "disable", "notes-list"], super::PASSPHRASE));
    succeeds(&far(&["token", "list"], super::PASSPHRASE));
    let log = far(&["audit", "verify"], "");
    assert!(talk(&log).contains("there is no log in"), "{}", talk(&log));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
