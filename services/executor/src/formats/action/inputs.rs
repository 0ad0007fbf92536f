//! What a caller may pass to an action.

use aileron_contract::{
    executor::{Input, InputKind},
    names::InputName,
};

use super::raw;
use crate::formats::{
    Problem,
    table::{Document, Spot},
};

/// Checks the declared inputs, in order.
pub(super) fn check(document: &Document<'_>, raw: Vec<raw::Input>) -> Result<Vec<Input>, Problem> {
    let mut inputs: Vec<Input> = Vec::with_capacity(raw.len());
    let mut names = std::collections::BTreeSet::new();
    for entry in raw {
        let line = entry.line;
        let input = input(document, entry)?;
        if !names.insert(input.name.clone()) {
            let message = format!("inputs.name {:?} is used twice", input.name);
            return Err(document.invalid(message, line));
        }
        inputs.push(input);
    }
    Ok(inputs)
}

fn input(document: &Document<'_>, raw: raw::Input) -> Result<Input, Problem> {
    let name: InputName = document.required_named(raw.name, "inputs.name", raw.line)?;
    let kind = document.required(raw.kind, "inputs.type", raw.line)?;
    let kind_line = kind.line;
    let kind = kind_of(document, &kind, "inputs.type")?;
    let description = document.required(raw.description, "inputs.description", raw.line)?;
    if description.is_blank() {
        return Err(document.invalid("inputs.description must not be blank", description.line));
    }
    if let Some(label) = raw.label.as_ref().filter(|label| label.is_blank()) {
        return Err(document.invalid("inputs.label must not be blank", label.line));
    }
    let multiline = raw.multiline.is_some_and(|flag| flag.value);
    if multiline && kind != InputKind::String {
        let rule = "inputs.multiline goes with type \"string\" only";
        return Err(document.invalid(rule, kind_line));
    }
    let items = match &raw.items {
        Some(items) if kind != InputKind::Array => {
            let rule = "inputs.items_type goes with type \"array\" only";
            return Err(document.invalid(rule, items.line));
        }
        Some(items) => match kind_of(document, items, "inputs.items_type")? {
            InputKind::Array => {
                let rule = "inputs.items_type cannot be \"array\"";
                return Err(document.invalid(rule, items.line));
            }
            kind => Some(kind),
        },
        None => None,
    };
    Ok(Input {
        name: name.as_str().to_owned(),
        kind,
        items,
        required: raw.required.is_none_or(|flag| flag.value),
        description: description.value,
        label: raw.label.map(|label| label.value),
        multiline,
    })
}

/// The one place where a type's spelling gets its meaning.
fn kind_of(document: &Document<'_>, raw: &Spot<String>, key: &str) -> Result<InputKind, Problem> {
    document.named(raw, key)
}
