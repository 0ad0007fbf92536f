//! What each command says: exit code, data, talk; times, ids, hashes, ports and paths left out.

use std::process::Output;

use aileron_node::demo::{OWNER, REPOSITORY, Servers};

use crate::{house::House, packs::Publisher};

/// On a machine that has no daemon and no vault yet.
const FRESH: &[&str] = &[
    "",
    "nope",
    "--version",
    "version",
    "help action run",
    "daemon status",
    "daemon status --json",
    "stop",
    "daemon start",
    "status",
    "status vault",
    "status notifications",
    "status host-bindings",
    "status nope",
    "vault list",
    "vault list --scope agent --json",
    "vault unlock",
    "vault lock",
    "vault passwd",
    "vault init",
    "secret list",
    "secret set x",
    "secret delete x",
    "keyring list",
    "keyring trust github://a/b",
    "keyring revoke github://a",
    "keyring revoke",
    "hub list",
    "hub list nope",
    "hub search x --type actions",
    "hub show github://a/b/c",
    "hub refresh",
    "keyring trust github://a",
    "connector list",
    "connector install github://a/b",
    "connector install /nonexistent",
    "connector check",
    "connector check /nonexistent --include-prerelease",
    "connector new weather",
    "connector new github://acme/weather/actions",
    "connector build /nonexistent",
    "connector check /nonexistent",
    "connector test /nonexistent --op list",
    "connector test --op list --args []",
    "connector pack /nonexistent --version v1",
    "connector sign /nonexistent --key /nonexistent/key",
    "connector publish /nonexistent",
    "connector publish /nonexistent --dry-run",
    "action new x --path /nonexistent",
    "keyring generate --out /dev/null",
    "action add github://a/b/actions/c",
    "action list",
    "action run nope",
    "action run nope --json",
    "action run",
    "action enable nope",
    "action drift",
    "action accept",
    "action accept nope",
    "action accept --all --lock",
    "sync",
    "action runs",
    "action runs --state x",
    "binding list",
    "binding setup github://a/b",
    "binding inspect nope",
    "binding inspect api_key/a/b",
    "binding default nope",
    "binding default api_key/a/b",
    "binding revoke api_key/a/b",
    "approval list",
    "approval show x",
    "approval approve x",
    "approval deny x",
    "approval deny",
    "approval deny x --session s",
    "approval deny --session s --yes",
    "approval grant x --session s --max-uses 1",
    "approval grant x --session s --max-uses 1 --expires 1h",
    "approval grants",
    "approval revoke x",
    "launch",
    "launch claude",
    "launch --local nope",
    "launch --local claude --log-level loud",
    "launch --local --sandbox claude",
    "sessions",
    "sessions list --since yesterday",
    "sessions list --agent A",
    "sessions get x",
    "sessions watch x",
    "sessions end x",
    "audit list",
    "audit list --type nope",
    "audit list --limit 0",
    "audit list --since yesterday",
    "audit show x",
    "audit verify",
    "audit verify --receipt x --key y",
    "token list",
    "token revoke x",
    "token mint",
    "completions nope",
    "stop",
];

/// As a person; `R` is the starter's repository, `RUN` and `AUDIT` are the latest ids told.
const INSTALLED: &[&str] = &[
    "vault init",
    "vault init",
    "keyring trust R",
    "keyring trust R --yes",
    "keyring trust R --yes",
    "connector install R@9.9.9 --yes",
    "connector install R@0.1.0",
    "connector install R@0.1.0 --yes",
    "connector install R@0.1.0",
    "connector install R@0.1.0 --version 0.2.0",
    "connector install R --yes",
    "connector install . --version 1.0.0",
    "connector check",
    "connector check --json",
    "connector list",
    "action add-suite R/suite.toml@latest --yes",
    "action add R/actions/notes-list@0.1.0 --no-bind",
    "action list",
    "keyring list",
    "binding setup R",
    "binding setup github://a/b --yes",
    "action run notes-list",
    "action run notes-list --identity work",
    "action run notes-list --identity a/b",
    "binding default api_key/notes/work",
    "action run notes-create",
    "action run notes-create --arg title",
    "action run notes-create --arg nope=1",
    "action run notes-create --args []",
    "action run notes-create --arg title=a --arg text=b",
    "approval list",
    "approval grant notes-create --any title --token x --max-uses 3 --expires soon",
    "approval grants",
    "approval show RUN",
    "approval approve RUN",
    "approval approve RUN --yes",
    "audit show AUDIT",
    "sync",
    "sync --yes --bind-all",
    "action drift",
    "action drift nope",
    "action accept notes-list",
    "action accept nope --yes",
    "action runs",
    "action run notes-create --arg title=a --arg text=b",
    "approval deny RUN --reason no",
    "approval approve RUN --yes",
    "audit list --type approval.denied",
    "action disable notes-list",
    "action list",
    "action run notes-list",
    "action enable notes-list",
    "token mint --label x --scopes nope",
    "token mint --label x --scopes actions:run",
    "token list",
    "audit list --type token.minted",
    "audit list --limit 3",
    "keyring revoke github://a",
    "hub list",
    "hub list suites",
    "hub search NOTES --type connectors",
    "hub search nothing",
    "hub show github://acme/notes",
    "hub show github://acme/notes/suite",
    "hub show github://victim/mail",
    "hub show github://nobody/x",
    "keyring trust github://acme",
    "keyring trust github://acme --yes",
    "keyring trust github://acme --yes",
    "keyring trust github://victim --yes",
    "keyring revoke github://acme",
    "hub refresh",
    "status",
    "vault lock",
    "vault unlock --passphrase-file /nonexistent",
    "keyring revoke github://OWNER",
];

/// Adds one command and its outcome to the record.
fn record(spoken: &mut String, arguments: &[&str], output: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or(-1);
    spoken.extend([
        format!("$ aileron {}\nexit {code}\n", arguments.join(" ")),
        prefixed("1", &text(&output.stdout)),
        prefixed("2", &text(&output.stderr)),
        "\n".to_owned(),
    ]);
}

fn prefixed(stream: &str, text: &str) -> String {
    text.lines().map(|line| format!("{stream}| {line}").trim_end().to_owned() + "\n").collect()
}

/// The latest id of its kind on the record.
fn latest(spoken: &str, prefix: &str) -> String {
    let id = |word: &&str| word.starts_with(prefix) && word.len() > 20;
    spoken.split_whitespace().rfind(id).unwrap().to_owned()
}

/// Compares the record with the one checked in.
fn settle(name: &str, house: &House, spoken: &str) {
    let home = house.path().display().to_string();
    let spoken = spoken.replace(&home, "[home]");
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, with) in [
        (r"audit-([0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})", "[audit]"),
        (r"audit-[0-9a-f]{64}", "[audit]"),
        (r"act-[0-9]{8}T[0-9]{6}-[0-9a-f]{16}", "[run]"),
        (r#""request_id":"[0-9a-f]{16}""#, r#""request_id":"[request]""#),
        (r"(tok|ps)-[0-9a-f]{16}", "[id]"),
        (r"alt_[A-Za-z0-9_-]+", "[token]"),
        (r"sha256:[0-9a-f]{16,64}", "[hash]"),
        (r"sha256:[A-Za-z0-9+/]{22}", "[fingerprint]"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z", "[time]"),
        (r"(localhost|127\.0\.0\.1):[0-9]+", "$1:[port]"),
        (r"pid [0-9]+", "pid [pid]"),
        (r"(took|waited): +[0-9.]+ (ms|s)", "$1: [time]"),
        // The spaces that align columns depend on the widths of what was left out.
        (r" {2,}", "  "),
    ] {
        settings.add_filter(pattern, with);
    }
    settings.bind(|| insta::assert_snapshot!(name, spoken));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_speaks_plainly_on_a_fresh_machine() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    let mut spoken = String::new();
    for line in FRESH {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        record(&mut spoken, &arguments, &house.run(&arguments));
    }
    settle("fresh", &house, &spoken);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_speaks_plainly_once_a_suite_is_installed() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    let acme = Publisher::new("acme/notes", 1);
    acme.publish_key(&servers);
    crate::hub::publish(&servers, &acme);
    let authority = format!("github://{OWNER}/{REPOSITORY}");
    let mut spoken = String::new();
    for line in INSTALLED {
        let line = line.replace("github://OWNER", &format!("github://{OWNER}"));
        let arguments: Vec<String> = line
            .split_whitespace()
            .map(|word| match word {
                "RUN" => latest(&spoken, "act-"),
                "AUDIT" => latest(&spoken, "audit-"),
                _ if word == "R" || word.starts_with("R@") || word.starts_with("R/") => {
                    word.replacen('R', &authority, 1)
                }
                _ => word.to_owned(),
            })
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        record(&mut spoken, &arguments, &house.run_as_person(&arguments));
    }
    settle("installed", &house, &spoken);
}
