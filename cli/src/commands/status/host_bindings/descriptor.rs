//! A document of binding descriptors, as published: strict keys, and every problem with its field.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_yaml_ng::Value;

/// What a document says, and what is wrong with it. A descriptor with a problem is not among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) descriptors: Vec<Descriptor>,
    pub(super) problems: Vec<String>,
    pub(super) warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: String,
    #[serde(default)]
    bindings: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Descriptor {
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_label: Option<String>,
    credential_ref: String,
    scheme: Scheme,
    #[serde(default)]
    emit_mechanism: Mechanism,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentinel: Option<Sentinel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed_hosts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<Effect>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Scheme {
    Bearer,
    Basic,
    HeaderTemplate,
    QueryParam,
    Sigv4Resign,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Mechanism {
    #[default]
    Inject,
    SentinelSwap,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
struct Sentinel {
    value: String,
    env: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    Read,
    Write,
    Delete,
    Spend,
    ExternalSend,
}

impl Read {
    pub(super) fn of(text: &str) -> Self {
        let mut read = Self::default();
        let Document { version, bindings } = match serde_yaml_ng::from_str(text) {
            Ok(document) => document,
            Err(error) => {
                read.problems.push(error.to_string());
                return read;
            }
        };
        if version != "v1" {
            read.problems.push(format!("version: {version:?} is not v1"));
            return read;
        }
        let mut keys = BTreeSet::new();
        for (place, value) in bindings.into_iter().enumerate() {
            let at = format!("bindings[{place}]");
            let mut problems = Vec::new();
            placeholders(&at, &value, &mut problems);
            match serde_yaml_ng::from_value::<Descriptor>(value) {
                Ok(descriptor) => {
                    // What was never filled in fits no rule: that is told once.
                    if problems.is_empty() {
                        problems.extend(descriptor.problems().map(|it| format!("{at}.{it}")));
                    }
                    if !keys.insert(descriptor.key()) {
                        problems.push(format!("{at}: {} stands here twice", descriptor.key()));
                    }
                    if let Some(id) = descriptor.odd_key_id() {
                        read.warnings.push(format!(
                            "{at}.access_key_id: {id:?} does not look like one (AKIA… or ASIA…)"
                        ));
                    }
                    if problems.is_empty() {
                        read.descriptors.push(descriptor);
                    }
                }
                Err(error) if problems.is_empty() => problems.push(format!("{at}: {error}")),
                Err(_) => {}
            }
            read.problems.extend(problems);
        }
        read
    }
}

impl Descriptor {
    /// What it is for: one of a document, and one of the merged table.
    pub(super) fn key(&self) -> String {
        match (&self.host, &self.kind, &self.identity_label) {
            (Some(host), _, _) => host.to_ascii_lowercase(),
            (None, Some(kind), Some(label)) => format!("{kind} {label}"),
            (None, _, _) => String::new(),
        }
    }

    /// For whom, which credential, how, and by which way.
    pub(super) fn told(&self) -> [String; 4] {
        let scheme = match self.scheme {
            Scheme::Bearer => "bearer",
            Scheme::Basic => "basic",
            Scheme::HeaderTemplate => "header-template",
            Scheme::QueryParam => "query-param",
            Scheme::Sigv4Resign => "sigv4-resign",
        };
        let mechanism = match self.emit_mechanism {
            Mechanism::Inject => "inject",
            Mechanism::SentinelSwap => "sentinel-swap",
        };
        [self.key(), self.credential_ref.clone(), scheme.to_owned(), mechanism.to_owned()]
    }

    fn problems(&self) -> impl Iterator<Item = String> {
        let sigv4 = self.scheme == Scheme::Sigv4Resign;
        let swaps = self.emit_mechanism == Mechanism::SentinelSwap;
        let filled = |field: &Option<String>| field.as_ref().is_some_and(|it| !it.is_empty());
        let identity = filled(&self.kind) && filled(&self.identity_label);
        let needs = |field: &Option<String>, scheme| self.scheme == scheme && !filled(field);
        let template = self.template.as_ref().is_some_and(|it| it.contains("{token}"));
        let header = self.scheme == Scheme::HeaderTemplate;
        let fits = |pattern: &String| is_host(pattern, true);
        let checks = [
            (
                self.host.as_ref().is_some_and(|it| !is_host(it, false)),
                "host: a name like api.example.com or *.example.com is expected, without a port",
            ),
            (
                self.kind.is_some() != self.identity_label.is_some(),
                "identity_label: kind and identity_label belong together",
            ),
            (
                self.host.is_none() && !identity,
                "host: needed, unless kind and identity_label are there",
            ),
            (sigv4 && self.host.is_some(), "host: sigv4-resign has none"),
            (sigv4 && !identity, "kind: sigv4-resign needs kind and identity_label"),
            (
                !is_reference(&self.credential_ref),
                "credential_ref: KIND/SERVICE/IDENTITY or user/SERVICE is expected",
            ),
            (swaps && self.sentinel.is_none(), "sentinel: sentinel-swap needs it"),
            (!swaps && self.sentinel.is_some(), "sentinel: only sentinel-swap has one"),
            (
                self.sentinel.as_ref().is_some_and(|it| it.value.is_empty() || it.env.is_empty()),
                "sentinel: value and env are needed",
            ),
            (needs(&self.username, Scheme::Basic), "username: basic needs it"),
            (header && !filled(&self.header), "header: header-template needs it"),
            (header && !template, "template: header-template needs one with {token}"),
            (needs(&self.query_param, Scheme::QueryParam), "query_param: query-param needs it"),
            (
                needs(&self.access_key_id, Scheme::Sigv4Resign),
                "access_key_id: sigv4-resign needs it",
            ),
            (
                !self.allowed_hosts.iter().all(fits),
                "allowed_hosts: names like api.example.com or api.example.com:443 are expected",
            ),
        ];
        checks.into_iter().filter(|(wrong, _)| *wrong).map(|(_, what)| what.to_owned())
    }

    /// One that Amazon would not have made; only worth a warning, as published.
    fn odd_key_id(&self) -> Option<&str> {
        let id = self.access_key_id.as_deref()?;
        let rest = id.strip_prefix("AKIA").or_else(|| id.strip_prefix("ASIA"));
        let plain = |it: &str| {
            it.len() == 16 && it.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        };
        (!rest.is_some_and(plain)).then_some(id)
    }
}

/// Every text that was never filled in, by its field.
fn placeholders(at: &str, value: &Value, problems: &mut Vec<String>) {
    match value {
        Value::String(text) if text.split_once('<').is_some_and(|(_, rest)| rest.contains('>')) => {
            problems.push(format!("{at}: {text:?} was never filled in"));
        }
        Value::Sequence(items) => {
            for (place, item) in items.iter().enumerate() {
                placeholders(&format!("{at}[{place}]"), item, problems);
            }
        }
        Value::Mapping(fields) => {
            for (key, field) in fields {
                let name = key.as_str().unwrap_or("?");
                placeholders(&format!("{at}.{name}"), field, problems);
            }
        }
        _ => {}
    }
}

/// `name`, or `*.name`; with a port where one may stand.
fn is_host(text: &str, with_port: bool) -> bool {
    let name = match text.split_once(':') {
        Some((name, port)) if with_port && port.parse::<u16>().is_ok_and(|it| it > 0) => name,
        Some(_) => return false,
        None => text,
    };
    let name = name.strip_prefix("*.").unwrap_or(name);
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
    let label = |it: &str| !it.is_empty() && it.len() <= 63 && it.bytes().all(plain);
    name.len() <= 253 && name.split('.').all(label)
}

fn is_reference(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"_-.".contains(&c);
    let segment = |it: &&str| !it.is_empty() && it.bytes().all(plain) && !it.starts_with('.');
    match text.split('/').collect::<Vec<_>>().as_slice() {
        ["user", service] => segment(service),
        ["user", ..] => false,
        parts => parts.len() == 3 && parts.iter().all(segment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entry: &str) -> Read {
        Read::of(&format!("version: v1\nbindings:\n- {{{entry}}}\n"))
    }

    const SIGV4: &str = "kind: aws, identity_label: prod, credential_ref: aws/s3/prod, scheme: \
                         sigv4-resign";

    #[test]
    fn what_the_published_rules_allow_is_read() {
        for entry in [
            "host: '*.example.com', credential_ref: user/x, scheme: bearer",
            "host: x.example, credential_ref: api_key/x/me, scheme: query-param, query_param: k",
            "host: x.example, kind: api_key, identity_label: me, credential_ref: user/x, scheme: \
             basic, username: u, effect: external-send, allowed_hosts: [x.example, 'y.example:8443']",
            &format!("{SIGV4}, access_key_id: AKIA0123456789ABCDEF"),
        ] {
            let read = read(entry);
            assert_eq!((read.descriptors.len(), read.problems.len()), (1, 0), "{entry}: {read:?}");
            assert!(read.warnings.is_empty(), "{read:?}");
        }
        let odd = read(&format!("{SIGV4}, access_key_id: mine"));
        assert_eq!((odd.descriptors.len(), odd.warnings.len()), (1, 1));
    }

    #[test]
    fn what_is_broken_is_named_by_its_field() {
        for (entry, field) in [
            ("host: 'x.example:443', credential_ref: user/x, scheme: bearer", ".host:"),
            ("host: 'a.*.example', credential_ref: user/x, scheme: bearer", ".host:"),
            ("credential_ref: user/x, scheme: bearer", ".host:"),
            (
                "host: x.example, kind: k, credential_ref: user/x, scheme: bearer",
                ".identity_label:",
            ),
            ("host: x.example, credential_ref: user/../x, scheme: bearer", ".credential_ref:"),
            ("host: x.example, credential_ref: x, scheme: bearer", ".credential_ref:"),
            ("host: x.example, credential_ref: user/x, scheme: basic", ".username:"),
            (
                "host: x.example, credential_ref: user/x, scheme: header-template, header: H, \
              template: token",
                ".template:",
            ),
            (
                "host: x.example, credential_ref: user/x, scheme: bearer, emit_mechanism: \
              sentinel-swap",
                ".sentinel:",
            ),
            (
                "host: x.example, credential_ref: user/x, scheme: bearer, sentinel: {value: v, env: \
              E}",
                ".sentinel:",
            ),
            (&format!("{SIGV4}, access_key_id: x, host: x.example"), ".host:"),
            (SIGV4, ".access_key_id:"),
            ("host: <your-host>, credential_ref: user/x, scheme: bearer", ".host: \"<your-host>\""),
            (
                "host: x.example, credential_ref: user/x, scheme: bearer, allowed_hosts: ['<x>']",
                ".allowed_hosts[0]: \"<x>\"",
            ),
            ("host: x.example, credential_ref: user/x, scheme: magic", ": "),
            ("host: x.example, credential_ref: user/x, scheme: bearer, hots: x", ": "),
        ] {
            let read = read(entry);
            assert!(read.descriptors.is_empty(), "{entry}");
            let first = read.problems.first().unwrap();
            assert!(first.starts_with(&format!("bindings[0]{field}")), "{entry}: {first}");
        }
    }

    #[test]
    fn a_document_of_another_version_or_with_one_key_twice_is_told_of() {
        assert_eq!(Read::of("version: v2\n").problems.len(), 1);
        assert_eq!(Read::of("{").problems.len(), 1);
        assert_eq!(Read::of("version: v1\nlayers: []\n").problems.len(), 1);
        let twice = "version: v1\nbindings:\n\
                     - {host: x.example, credential_ref: user/x, scheme: bearer}\n\
                     - {host: X.example, credential_ref: user/y, scheme: bearer}\n";
        let read = Read::of(twice);
        assert_eq!((read.descriptors.len(), read.problems.len()), (1, 1), "{read:?}");
    }
}
