use std::time::Duration;

use aileron_contract::credential::CredentialKind;

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
    assert_eq!(need.kind, CredentialKind::ApiKey);
    assert_eq!(need.template.to_string(), "X-API-Key: Token {key}");
    assert_eq!(manifest.limits.memory, 256 * 1024 * 1024);
    assert_eq!(manifest.limits.wall, Duration::from_mins(2));
    assert_eq!((manifest.origin, manifest.forwarder), (Origin::Published, false));
}

#[test]
fn an_oauth_client_secret_is_kept_and_not_shown() {
    let manifest = read(OAUTH);
    let oauth2 = manifest.credential.as_ref().unwrap().oauth2.as_ref().unwrap();
    let secret = oauth2.client_secret().unwrap();
    assert!(secret.expose(|bytes| bytes == b"not-so-secret-42"));
    assert!(!format!("{manifest:?}").contains("not-so-secret"));
    assert_eq!(manifest.need().unwrap().template.to_string(), "Authorization: Bearer {key}");
}

#[test]
fn signing_and_spawning_manifests_are_read() {
    let signing = read(SIGV4).credential.unwrap().sigv4.unwrap();
    assert_eq!(signing.service.as_deref(), Some("athena"));
    let manifest = read(SPAWN);
    assert_eq!((manifest.origin, manifest.forwarder), (Origin::Local, true));
    let spawn = manifest.spawn.unwrap();
    assert_eq!(spawn.operations[0].name, "list-all");
    assert_eq!((spawn.max_stdout, spawn.max_stderr), (2048, 256 * 1024));
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
