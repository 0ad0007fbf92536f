//! What a person approves: a digest over the exact call, and the card that shows it. Pure.

pub(crate) mod changes;

use std::collections::BTreeMap;

use aileron_contract::{
    Result, Timestamp,
    bindings::BindingStatus,
    executor::{Field, Input, Preview},
    json::{self, visible},
    names::{BindingName, Fqn, HostPort, Identity, SessionId, Sha256Hash},
};
use serde_json::{Map, Value, json};

use crate::{arguments, packages::catalog::Installed, runs::Shown};

/// Separates these digests from all others of the house.
const DOMAIN: &str = "aileron/approval/v1";

/// A credential as it would be joined now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) connector: Fqn,
    /// None when nothing is bound, or several things are and egress does not choose, or chooses
    /// by the host of the request.
    pub(crate) binding: Option<BindingName>,
    /// Where the binding's consent lets it go.
    pub(crate) hosts: Vec<HostPort>,
    /// Of the binding. An approval is for one call, and does not cover it; a grant does.
    pub(crate) status: Option<BindingStatus>,
    /// When a person last agreed to the binding; likewise.
    pub(crate) agreed_at: Option<Timestamp>,
}

/// What an approval covers besides the action itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Covered<'a> {
    pub(crate) arguments: &'a Map<String, Value>,
    pub(crate) identity: Option<&'a Identity>,
    pub(crate) credentials: &'a [Credential],
    /// What the person was shown of what the call would act upon.
    pub(crate) preview: Option<&'a Shown>,
    pub(crate) session: Option<&'a SessionId>,
    pub(crate) expires_at: Timestamp,
}

/// SHA-256 over the RFC 8785 form of the action's bytes (by hash), its connectors' bytes, what
/// each guest will get, what was shown of what it would act upon, the credentials, the session and
/// the end of the approval. The identity is in it where one was asked for, so that calls without one have the digest they had
/// before there was any.
pub(crate) fn digest(installed: &Installed, covered: Covered<'_>) -> Result<Sha256Hash> {
    let action = &installed.file;
    let connectors: Vec<Value> = action
        .requires
        .iter()
        .map(|needed| {
            json!({
                "package": needed.package.to_string(),
                "hash": needed.hash.to_string(),
                "capabilities": needed.capabilities,
            })
        })
        .collect();
    let steps: Vec<Value> = action
        .steps
        .iter()
        .map(|step| {
            json!({
                "id": step.id,
                "connector": step.connector.as_str(),
                "op": step.op,
                "args": arguments::of_step(step, &action.inputs, covered.arguments),
            })
        })
        .collect();
    let credentials: Vec<Value> = covered.credentials.iter().map(credential_form).collect();
    let mut form = json!({
        "action": { "name": action.name.as_str(), "hash": installed.hash.to_string() },
        "connectors": connectors,
        "steps": steps,
        "preview": covered.preview.map(preview_form),
        "bindings": credentials,
        "session": covered.session.map(SessionId::as_str),
        "expires_at": covered.expires_at.to_string(),
    });
    if let (Some(identity), Some(members)) = (covered.identity, form.as_object_mut()) {
        members.insert("identity".to_owned(), identity.as_str().into());
    }
    json::digest(DOMAIN, &form)
}

/// A digest of the credentials alone, to tell a changed binding from a changed file.
pub(crate) fn credentials_digest(credentials: &[Credential]) -> Result<Sha256Hash> {
    let credentials: Vec<Value> = credentials.iter().map(credential_form).collect();
    json::digest("aileron/approval-credentials/v1", &credentials)
}

/// Was the person shown the same? Why a preview is unavailable makes no difference: nothing was
/// shown either way.
pub(crate) fn same_preview(one: &Shown, other: &Shown) -> bool {
    preview_form(one) == preview_form(other)
}

fn preview_form(shown: &Shown) -> Value {
    let line = |field: &Field| {
        json!({
            "label": field.label,
            "value": field.value,
            "missing": field.missing,
            "multiline": field.multiline,
        })
    };
    let fields = match &shown.preview {
        Preview::Fields(fields) => Value::Array(fields.iter().map(line).collect()),
        Preview::Unavailable(_) => Value::Null,
    };
    json!({ "salt": shown.salt, "fields": fields })
}

fn credential_form(credential: &Credential) -> Value {
    json!({
        "connector": credential.connector.as_str(),
        "binding": credential.binding.as_ref().map(BindingName::as_str),
        "hosts": credential.hosts.iter().map(HostPort::to_string).collect::<Vec<_>>(),
    })
}

/// The lines of a card, in declared order: missing required inputs are marked, missing optional
/// ones left out. Nothing on it can hide or reorder itself.
pub(crate) fn fields(inputs: &[Input], arguments: &Map<String, Value>) -> Vec<Field> {
    let field = |input: &Input| {
        let label = visible(input.label.as_deref().unwrap_or(&input.name));
        match arguments.get(&input.name).filter(|value| !value.is_null()) {
            Some(value) => Some(shown(label, input.multiline, value)),
            None if input.required => {
                Some(Field { label, value: None, missing: true, multiline: false })
            }
            None => None,
        }
    };
    inputs.iter().filter_map(field).collect()
}

/// The lines of a card whose action is gone, sorted by name.
pub(crate) fn bare_fields(arguments: &Map<String, Value>) -> Vec<Field> {
    let sorted: BTreeMap<_, _> = arguments.iter().collect();
    sorted.into_iter().map(|(name, value)| shown(visible(name), false, value)).collect()
}

/// One line under a label, as it stands on a card; missing without a value.
pub(crate) fn line(label: &str, multiline: bool, value: Option<&Value>) -> Field {
    let label = visible(label);
    match value.filter(|value| !value.is_null()) {
        Some(value) => shown(label, multiline, value),
        None => Field { label, value: None, missing: true, multiline: false },
    }
}

fn shown(label: String, multiline: bool, value: &Value) -> Field {
    let nested = value.is_array() || value.is_object();
    let text = if nested {
        serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
    } else {
        arguments::text_of(value)
    };
    Field { label, value: Some(visible(&text)), missing: false, multiline: nested || multiline }
}

#[cfg(test)]
mod tests {
    use aileron_contract::executor::InputKind;

    use super::*;
    use crate::fakes;

    fn input(name: &str, kind: InputKind, required: bool) -> Input {
        Input {
            label: (name == "to").then(|| "Recipient".to_owned()),
            multiline: name == "text",
            ..fakes::input(name, kind, required)
        }
    }

    fn installed() -> Installed {
        let text = format!(
            "+++\nname = \"gated\"\nversion = \"1.0.0\"\nsource = \
             \"github://acme/notes/actions/gated@1.0.0\"\n[match]\nintent = \"i\"\n\
             [[requires.connectors]]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\n\
             hash = \"{}\"\ncapabilities = [\"create\"]\n[[inputs]]\nname = \"title\"\n\
             type = \"string\"\ndescription = \"d\"\n[[execute]]\nid = \"s0\"\n\
             connector = \"github://acme/notes\"\nop = \"create\"\n+++\nbody\n",
            Sha256Hash::new([2; 32])
        );
        Installed {
            file: std::sync::Arc::new(
                crate::formats::action::parse(text.as_bytes(), "gated.md").unwrap(),
            ),
            hash: Sha256Hash::new([1; 32]),
            path: std::path::PathBuf::new(),
            enabled: true,
            pinned: Some(true),
        }
    }

    #[test]
    fn the_digest_without_an_identity_is_the_one_it_always_was() {
        let arguments = json!({ "title": "x" });
        let credentials = [Credential {
            connector: "github://acme/notes".parse().unwrap(),
            binding: Some("api_key/notes/me".parse().unwrap()),
            hosts: vec!["notes.example:443".parse().unwrap()],
            status: None,
            agreed_at: None,
        }];
        let (session, identity) = ("s1".parse().unwrap(), "me".parse().unwrap());
        let covered = Covered {
            arguments: arguments.as_object().unwrap(),
            identity: None,
            credentials: &credentials,
            preview: None,
            session: Some(&session),
            expires_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        // Computed from the form by another program.
        assert_eq!(
            digest(&installed(), covered).unwrap().hex(),
            "ad1805da8e418784884a10a709190a4081f3e2574a0016157a4d0e9d2273ae76"
        );
        assert_eq!(
            digest(&installed(), Covered { identity: Some(&identity), ..covered }).unwrap().hex(),
            "b4fd809913a298692c5348a59e01bbda25cbf78dbed8c3876e2b506b7c3e747c"
        );
    }

    #[test]
    fn the_digest_covers_what_the_person_was_shown() {
        let arguments = Map::new();
        let of = |preview: Option<&Shown>| {
            let expires_at = "2026-01-01T00:00:00Z".parse().unwrap();
            let covered = Covered {
                arguments: &arguments,
                identity: None,
                credentials: &[],
                preview,
                session: None,
                expires_at,
            };
            digest(&installed(), covered).unwrap()
        };
        let shown = |salt: &str, value: &str| Shown {
            salt: salt.to_owned(),
            preview: Preview::Fields(vec![line("To", false, Some(&json!(value)))]),
        };
        let none = |why: &str| Shown {
            salt: "a".to_owned(),
            preview: Preview::Unavailable(why.to_owned()),
        };
        let before = of(Some(&shown("a", "Ann")));
        assert_eq!(before, of(Some(&shown("a", "Ann"))));
        for other in [None, Some(&shown("a", "Bob")), Some(&shown("b", "Ann")), Some(&none("x"))] {
            assert_ne!(before, of(other));
        }
        assert_eq!(of(Some(&none("timeout"))), of(Some(&none("no answer"))));
    }

    #[test]
    fn a_card_shows_declared_inputs_in_order_and_hides_nothing() {
        let inputs = [
            input("to", InputKind::String, true),
            input("text", InputKind::String, true),
            input("cc", InputKind::String, false),
            input("count", InputKind::Number, true),
            input("meta", InputKind::Object, true),
        ];
        let arguments = json!({
            "count": 3.0, "to": "a\u{202e}b", "meta": {"k": ["\u{200b}"]}
        });
        let fields = fields(&inputs, arguments.as_object().unwrap());
        let lines: Vec<_> = fields
            .iter()
            .map(|f| (f.label.as_str(), f.value.as_deref(), f.missing, f.multiline))
            .collect();
        assert_eq!(
            lines,
            [
                ("Recipient", Some("a\\u{202e}b"), false, false),
                ("text", None, true, false),
                ("count", Some("3"), false, false),
                ("meta", Some("{\n  \"k\": [\n    \"\\u{200b}\"\n  ]\n}"), false, true),
            ]
        );
    }
}
