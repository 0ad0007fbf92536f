//! What a person approves: a digest over the exact call, and the card that shows it. Pure.

use std::collections::BTreeMap;

use aileron_contract::{
    Result, Timestamp,
    executor::{Field, Input},
    json::{self, visible},
    names::{BindingName, Fqn, HostPort, SessionId, Sha256Hash},
};
use serde_json::{Map, Value, json};

use crate::{arguments, packages::catalog::Installed};

/// Separates these digests from all others of the house.
const DOMAIN: &str = "aileron/approval/v1";

/// A credential as it would be joined now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) connector: Fqn,
    /// None when nothing, or more than one thing, is bound.
    pub(crate) binding: Option<BindingName>,
    /// Where the binding's consent lets it go.
    pub(crate) hosts: Vec<HostPort>,
}

/// What an approval covers besides the action itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Covered<'a> {
    pub(crate) arguments: &'a Map<String, Value>,
    pub(crate) credentials: &'a [Credential],
    pub(crate) session: Option<&'a SessionId>,
    pub(crate) expires_at: Timestamp,
}

/// SHA-256 over the RFC 8785 form of the action's bytes (by hash), its connectors' bytes, what
/// each guest will get, the credentials, the session and the end of the approval. The place of
/// the preview is fixed in the form, so that one may join it without a second version.
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
                "args": arguments::of_step(step, covered.arguments),
            })
        })
        .collect();
    let credentials: Vec<Value> = covered.credentials.iter().map(credential_form).collect();
    json::digest(
        DOMAIN,
        &json!({
            "action": { "name": action.name.as_str(), "hash": installed.hash.to_string() },
            "connectors": connectors,
            "steps": steps,
            "preview": null,
            "bindings": credentials,
            "session": covered.session.map(SessionId::as_str),
            "expires_at": covered.expires_at.to_string(),
        }),
    )
}

/// A digest of the credentials alone, to tell a changed binding from a changed file.
pub(crate) fn credentials_digest(credentials: &[Credential]) -> Result<Sha256Hash> {
    let credentials: Vec<Value> = credentials.iter().map(credential_form).collect();
    json::digest("aileron/approval-credentials/v1", &credentials)
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

    fn input(name: &str, kind: InputKind, required: bool) -> Input {
        Input {
            name: name.to_owned(),
            kind,
            items: None,
            required,
            description: "d".to_owned(),
            label: (name == "to").then(|| "Recipient".to_owned()),
            multiline: name == "text",
        }
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
