use std::time::Duration;

use aileron_contract::credential::{CredentialKind, Form};

use proptest::prelude::*;

use super::{line_of, with};
use crate::formats::manifest::{Idempotency, Manifest, Origin, parse};

const API_KEY: &str = r#"# A tracker with a key of its own kind.
[connector]
name = "github://acme/tracker"
version = "2.3.0-rc.1+build.7"
publisher = "Acme Works"
provenance_hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

[connector.idempotency]
default = "not_idempotent"

[capabilities.network]
hosts = ["API.tracker.example:443", "localhost:1234"]

[capabilities.credential]
kind = "api_key"
scope = "read and write your tickets"
header = "X-API-Key"
format = "Token {key}"

[capabilities.runtime]
imports = ["log", "http_request"]

[capabilities.limits]
memory_mib = 256
wall_seconds = 120

[provides]
intents = ["list tickets"]
"#;

const OAUTH: &str = r#"[connector]
name = "github://acme/mail"
version = "1.0.0"

[capabilities.network]
hosts = ["mail.example:443"]

[capabilities.credential]
kind = "oauth2"
scope = "send mail"

[capabilities.credential.oauth2]
authorize_url = "https://id.mail.example/authorize"
token_url = "http://127.0.0.1:8080/token"
client_id = "installed-app"
client_secret = "not-so-secret-42"
scopes = ["mail.send"]
"#;

const SIGV4: &str = r#"[connector]
name = "github://acme/query"
version = "1.0.0"
[capabilities.network]
hosts = ["athena.eu-central-1.amazonaws.com:443"]
[capabilities.credential]
kind = "aws_sigv4"
region = "eu-central-1"
service = "athena"
access_key_id = "AKIAEXAMPLE"
"#;

const SPAWN: &str = r#"[connector]
name = "local://user/tool"
version = "0.1.0"
origin = "local"
forwarder = "builtin://spawn-forwarder"

[capabilities.spawn]
programs = [{ path = "~/bin/tool", hash = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" }]
env_passthrough = ["HOME", "TOOL_TOKEN"]
credential_env_keys = ["TOOL_TOKEN"]
fs_read = ["~/notes", "/etc/tool"]
fs_write = []
cwd = "~/notes"

[capabilities.spawn.operations.list-all]
argv = "tool list {folder} [--limit {n}]"
description = "lists"

[capabilities.spawn.limits]
max_stdout_bytes = 2048
"#;

fn read(text: &str) -> Manifest {
    parse(text.as_bytes(), "manifest.toml").unwrap_or_else(|problem| panic!("{problem}"))
}

/// The class, message and line of the refusal.
fn refused(text: &str) -> (String, String, u32) {
    let problem = parse(text.as_bytes(), "manifest.toml").unwrap_err();
    (problem.class().to_string(), problem.message().to_owned(), problem.line())
}

#[test]
fn a_manifest_with_an_api_key_is_read() {
    let manifest = read(API_KEY);
    assert_eq!(manifest.package.to_string(), "github://acme/tracker@2.3.0-rc.1+build.7");
    assert_eq!(manifest.idempotency, Some(Idempotency::NotIdempotent));
    let hosts: Vec<_> = manifest.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["api.tracker.example:443", "localhost:1234"]);
    let need = manifest.need().unwrap();
    assert_eq!(need.kind(), CredentialKind::ApiKey);
    assert_eq!(need.form.to_string(), "X-API-Key: Token {key}");
    assert_eq!(manifest.limits.memory, 256 * 1024 * 1024);
    assert_eq!(manifest.limits.wall, Duration::from_mins(2));
    assert_eq!((manifest.origin, manifest.forwarder), (Origin::Published, false));
}

#[test]
fn an_oauth_client_secret_is_kept_and_not_shown() {
    let manifest = read(OAUTH);
    let need = manifest.need().unwrap();
    let oauth2 = need.oauth2.as_ref().unwrap();
    assert_eq!(oauth2.client_secret(), Some("not-so-secret-42"));
    assert!(!format!("{manifest:?}").contains("not-so-secret"));
    assert_eq!(need.form, Form::Oauth2);
    assert_eq!((&oauth2.device_authorization_url, &oauth2.revocation_url), (&None, &None));
}

#[test]
fn signing_and_spawning_manifests_are_read() {
    let form = read(SIGV4).credential.unwrap().form;
    let Form::AwsSigv4(signing) = form else { panic!("{form}") };
    let words = [&signing.service, &signing.region, &signing.access_key_id];
    let words = words.map(|word| word.as_ref().unwrap().as_str());
    assert_eq!(words, ["athena", "eu-central-1", "AKIAEXAMPLE"]);
    let manifest = read(SPAWN);
    assert_eq!((manifest.origin, manifest.forwarder), (Origin::Local, true));
    let spawn = manifest.spawn.unwrap();
    assert_eq!(spawn.operations[0].name, "list-all");
    assert_eq!((spawn.max_stdout, spawn.max_stderr), (2048, 256 * 1024));
}

/// A manifest with this in its `[capabilities.credential]`.
fn asking(lines: &str) -> String {
    format!(
        "[connector]\nname = \"github://acme/demo\"\nversion = \"1.0.0\"\n\
         [capabilities.credential]\n{lines}\n"
    )
}

#[test]
fn the_further_kinds_are_read() {
    for (lines, form) in [
        ("kind = \"basic\"", "Authorization: Basic {user:password}"),
        ("kind = \"header\"\nheader = \"X-Token\"\nformat = \"t={token}\"", "X-Token: t={token}"),
        ("kind = \"query\"\nparameter = \"api_key\"", "?api_key={token}"),
        ("kind = \"aws_sigv4\"\nservice = \"s3\"", "a signature (AWS SigV4) for service s3"),
        ("kind = \"aws_sigv4\"", "a signature (AWS SigV4)"),
    ] {
        let need = read(&asking(lines)).credential.unwrap();
        assert_eq!(need.form.to_string(), form);
        assert_eq!(need.oauth2, None);
    }
}

#[test]
fn a_provider_may_have_more_endpoints() {
    let device = "scopes = [\"mail.send\"]\n\
                  device_authorization_url = \"https://id.mail.example/device\"\n\
                  revocation_url = \"https://id.mail.example/revoke\"";
    let manifest = read(&with(OAUTH, "scopes = [\"mail.send\"]", device));
    let client = manifest.credential.unwrap().oauth2.unwrap();
    let shown = |url: &Option<aileron_contract::credential::Endpoint>| {
        url.as_ref().map(ToString::to_string).unwrap()
    };
    assert_eq!(shown(&client.device_authorization_url), "https://id.mail.example/device");
    assert_eq!(shown(&client.revocation_url), "https://id.mail.example/revoke");
}

#[test]
fn each_key_goes_with_its_kind_only() {
    let keys = [
        ("header = \"X-Token\"", &["api_key", "header"][..]),
        ("format = \"{key}{token}\"", &["api_key", "header"]),
        ("parameter = \"k\"", &["query"]),
        ("service = \"s3\"", &["aws_sigv4"]),
        ("region = \"us-east-1\"", &["aws_sigv4"]),
        ("access_key_id = \"AKIA\"", &["aws_sigv4"]),
    ];
    for kind in CredentialKind::ALL {
        for (key, owners) in keys {
            if owners.contains(&kind.text()) {
                continue;
            }
            let text = asking(&format!("kind = \"{kind}\"\n{key}"));
            let (class, message, line) = refused(&text);
            assert_eq!(class, "validation_error", "{kind} {key}: {message}");
            assert!(message.contains("goes with kind"), "{kind} {key}: {message}");
            assert_eq!(line, line_of(&text, key), "{kind} {key}: {message}");
        }
    }
    let endpoint = "revocation_url = \"https://id.example/\"";
    let (class, ..) = refused(&asking(&format!("kind = \"oauth2\"\n{endpoint}")));
    assert_eq!(class, "parse_error");
}

#[test]
fn what_a_further_kind_requires_is_missed() {
    for lines in [
        "kind = \"header\"",
        "kind = \"header\"\nheader = \"X-Token\"",
        "kind = \"header\"\nformat = \"{token}\"",
        "kind = \"query\"",
        "kind = \"oauth2\"",
    ] {
        let (class, message, line) = refused(&asking(lines));
        assert_eq!(class, "validation_error", "{lines}: {message}");
        assert!(line > 0, "{lines}: {message}");
    }
}

proptest! {
    /// Whatever stands in the table: an answer, never a panic, and what is accepted is in form.
    #[test]
    fn any_credential_table_is_read_or_refused(
        kind in prop::sample::select(CredentialKind::ALL),
        keys in prop::collection::btree_map(
            prop::sample::select(vec![
                "header", "format", "parameter", "service", "region", "access_key_id", "scope",
            ]),
            "([ -~]|\\{key\\}|\\{token\\}|é|\r\n){0,6}",
            0..4,
        ),
    ) {
        let lines: Vec<_> = keys
            .iter()
            .map(|(key, value)| format!("{key} = {}", serde_json::to_string(value).unwrap()))
            .collect();
        let text = asking(&format!("kind = \"{kind}\"\n{}", lines.join("\n")));
        match parse(text.as_bytes(), "manifest.toml") {
            Ok(manifest) => {
                let need = manifest.credential.unwrap();
                prop_assert_eq!(need.kind(), kind);
                prop_assert!(!need.form.to_string().contains(['\r', '\n']));
            }
            Err(problem) => prop_assert!(problem.line() > 0, "{}", problem.message()),
        }
    }
}

#[test]
fn a_manifest_without_capabilities_may_reach_nothing() {
    let manifest = read("[connector]\nname = \"github://acme/demo\"\nversion = \"1.0.0\"\n");
    assert!(manifest.hosts.is_empty() && manifest.credential.is_none());
    assert_eq!(manifest.idempotency, None);
}

#[test]
fn all_unknown_keys_are_told_together_on_the_first_ones_line() {
    let text = format!("{}[other]\nx = 1\n", with(API_KEY, "publisher", "publishr"));
    let (class, message, line) = refused(&text);
    assert_eq!(class, "parse_error");
    assert_eq!(message, "unknown manifest key(s): connector.publishr, other");
    assert_eq!(line, line_of(&text, "publishr"));
}

#[test]
fn syntax_and_type_errors_are_told_on_their_lines() {
    for (piece, other) in [
        ("version = \"2.3.0-rc.1+build.7\"", "version = 2"),
        ("imports = [\"log\", \"http_request\"]", "imports = [\"log\", 3]"),
        ("memory_mib = 256", "memory_mib = \"256\""),
        ("[provides]", "[provides"),
        ("intents = [\"list tickets\"]", "intents = {"),
        ("publisher = \"Acme Works\"", "name = \"twice\""),
    ] {
        let text = with(API_KEY, piece, other);
        let (class, message, line) = refused(&text);
        assert_eq!(class, "parse_error", "{other}: {message}");
        assert_eq!(line, line_of(&text, other), "{other}: {message}");
    }
}

#[test]
fn each_broken_rule_is_a_validation_error_on_its_line() {
    let cases = [
        (API_KEY, "name = \"github://acme/tracker\"", "name = \"github://acme\""),
        (API_KEY, "name = \"github://acme/tracker\"", "name = \"github://acme/x@1.0.0\""),
        (API_KEY, "version = \"2.3.0-rc.1+build.7\"", "version = \"v2.3.0\""),
        (API_KEY, "provenance_hash = \"sha256:aa", "provenance_hash = \"sha256:../../"),
        (API_KEY, "default = \"not_idempotent\"", "default = \"maybe\""),
        (API_KEY, "\"localhost:1234\"", "\"*.example:443\""),
        (API_KEY, "\"localhost:1234\"", "\"localhost\""),
        (API_KEY, "kind = \"api_key\"", "kind = \"password\""),
        (API_KEY, "format = \"Token {key}\"", "format = \"Token\""),
        (API_KEY, "header = \"X-API-Key\"", "header = \"Host\""),
        (API_KEY, "header = \"X-API-Key\"", "header = \"A\\r\\nB\""),
        (API_KEY, "memory_mib = 256", "memory_mib = 2048"),
        (API_KEY, "memory_mib = 256", "memory_mib = -1"),
        (API_KEY, "memory_mib = 256", "memory_mib = 9223372036854775807"),
        (API_KEY, "wall_seconds = 120", "wall_seconds = 0"),
        (OAUTH, "https://id.mail.example/authorize", "http://id.mail.example/authorize"),
        (OAUTH, "http://127.0.0.1:8080/token", "file:///etc/passwd"),
        (OAUTH, "client_id = \"installed-app\"", "client_id = \" \""),
        (OAUTH, "scopes = [\"mail.send\"]", "scopes = []"),
        (OAUTH, "scope = \"send mail\"", "header = \"X-Key\""),
        (OAUTH, "client_secret = \"not-so-secret-42\"", "revocation_url = \"http://a.example/\""),
        (OAUTH, "client_secret = \"not-so-secret-42\"", "device_authorization_url = \"/device\""),
        (SIGV4, "region = \"eu-central-1\"", "region = \"eu/central\""),
        (SIGV4, "service = \"athena\"", "service = \"a\\nb\""),
        (SIGV4, "service = \"athena\"", "format = \"{key}\""),
        (SPAWN, "forwarder = \"builtin://spawn-forwarder\"", "forwarder = \"builtin://shell\""),
        (SPAWN, "origin = \"local\"", "origin = \"tap://x\""),
        (SPAWN, "env_passthrough = [\"HOME\", ", "env_passthrough = [\"1HOME\", "),
        (SPAWN, "cwd = \"~/notes\"", "cwd = \"notes\""),
        (SPAWN, "fs_read = [\"~/notes\"", "fs_read = [\"~/../etc\""),
        (SPAWN, "[capabilities.spawn.operations.list-all]", "[capabilities.spawn.operations.List]"),
        (SPAWN, "max_stdout_bytes = 2048", "max_stdout_bytes = 67108865"),
    ];
    for (text, piece, other) in cases {
        let text = with(text, piece, other);
        let (class, message, line) = refused(&text);
        assert_eq!(class, "validation_error", "{other}: {message}");
        assert_eq!(line, line_of(&text, other), "{other}: {message}");
    }
}

#[test]
fn what_is_required_is_missed() {
    for (text, piece) in [
        (API_KEY, "name = \"github://acme/tracker\"\n"),
        (API_KEY, "default = \"not_idempotent\"\n"),
        (API_KEY, "kind = \"api_key\"\nscope"),
        (OAUTH, "token_url = \"http://127.0.0.1:8080/token\"\n"),
        (SPAWN, "argv = \"tool list {folder} [--limit {n}]\"\n"),
    ] {
        let (class, message, line) = refused(&with(text, piece, "#"));
        assert_eq!(class, "validation_error", "{piece}: {message}");
        assert!(line > 0, "{piece}: {message}");
    }
    assert_eq!(refused("").0, "validation_error");
}

#[test]
fn a_manifest_past_its_bound_is_refused() {
    let text = format!("{API_KEY}# {}\n", "x".repeat(aileron_contract::limits::MANIFEST));
    assert_eq!(refused(&text).0, "parse_error");
}

#[test]
fn a_manifest_that_nobody_could_look_at_is_refused() {
    let scopes = |many: usize, long: usize| {
        let list: Vec<_> = (0..many).map(|it| format!("\"{it}{}\"", "s".repeat(long))).collect();
        OAUTH.replace("[\"mail.send\"]", &format!("[{}]", list.join(",")))
    };
    assert!(parse(scopes(128, 250).as_bytes(), "m").is_ok());
    let problem = |text: String| parse(text.as_bytes(), "m").unwrap_err();
    assert!(problem(scopes(129, 1)).message().contains("lists more than 128"));
    assert!(problem(scopes(1, 256)).message().contains("longer than 256 bytes"));
    // A megabyte is not even read.
    assert!(problem(scopes(10_000, 100)).message().contains("the manifest is longer"));
    let hosts: Vec<_> = (0..65).map(|it| format!("\"h{it}.example:443\"")).collect();
    let hosts = OAUTH.replace("[\"mail.example:443\"]", &format!("[{}]", hosts.join(",")));
    assert!(problem(hosts).message().contains("lists more than 64"));
    let prose = OAUTH.replace("send mail", &"m".repeat(1025));
    assert!(problem(prose).message().contains("capabilities.credential.scope is longer"));
    let unknown = format!("{OAUTH}{} = 1\n", "k".repeat(200_000));
    assert!(problem(unknown).message().len() < 3_000, "and what is said about it is short");
}
