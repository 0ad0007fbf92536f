//! `${args.name}` inside the texts of a table.

use aileron_contract::executor::Input;
use serde_json::{Map, Value};

use super::lenient::is_input_name;
use crate::formats::{
    Problem,
    table::{Document, Spot},
};

const OPEN: &str = "${args.";

/// What a reference may name, and how it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared<'a> {
    pub(super) inputs: &'a [Input],
    /// A reference is written in the published grammar; else capital letters are allowed.
    pub(super) strict: bool,
}

/// Refuses when a reference names no declared input.
pub(super) fn check(
    document: &Document<'_>,
    key: &str,
    values: &Spot<Map<String, Value>>,
    inputs: Declared<'_>,
) -> Result<(), Problem> {
    let unknown = values.value.values().find_map(|value| undeclared(value, inputs));
    match unknown {
        Some(name) => {
            let message = format!("{key} refers to ${{args.{name}}}, which inputs do not declare");
            Err(document.invalid(message, values.line))
        }
        None => Ok(()),
    }
}

fn undeclared<'v>(value: &'v Value, declared: Declared<'_>) -> Option<&'v str> {
    match value {
        Value::String(text) => {
            let unknown = |name: &&str| declared.inputs.iter().all(|input| input.name != **name);
            references(text, declared.strict).find(unknown)
        }
        Value::Array(items) => items.iter().find_map(|item| undeclared(item, declared)),
        Value::Object(fields) => fields.values().find_map(|item| undeclared(item, declared)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The names in `${args.name}`; text of another shape is not a reference.
fn references(text: &str, strict: bool) -> impl Iterator<Item = &str> {
    text.split(OPEN).skip(1).filter_map(move |rest| {
        let (name, _) = rest.split_once('}')?;
        (is_published(name) || (!strict && is_input_name(name))).then_some(name)
    })
}

fn is_published(name: &str) -> bool {
    let mut bytes = name.bytes();
    let head = bytes.next().is_some_and(|c| c.is_ascii_lowercase());
    head && bytes.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_references_count() {
        let text = "a ${args.one} ${args.Two} ${args.a-b} ${args.x${args.three}";
        assert_eq!(references(text, true).collect::<Vec<_>>(), ["one", "three"]);
        assert_eq!(references(text, false).collect::<Vec<_>>(), ["one", "Two", "three"]);
    }
}
