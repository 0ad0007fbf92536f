//! `${args.name}` inside the texts of a table.

use aileron_contract::executor::Input;
use serde_json::{Map, Value};

use crate::formats::{
    Problem,
    table::{Document, Spot},
};

const OPEN: &str = "${args.";

/// Refuses when a reference names no declared input.
pub(super) fn check(
    document: &Document<'_>,
    key: &str,
    values: &Spot<Map<String, Value>>,
    inputs: &[Input],
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

fn undeclared<'v>(value: &'v Value, inputs: &[Input]) -> Option<&'v str> {
    match value {
        Value::String(text) => {
            references(text).find(|name| inputs.iter().all(|input| input.name != *name))
        }
        Value::Array(items) => items.iter().find_map(|item| undeclared(item, inputs)),
        Value::Object(fields) => fields.values().find_map(|item| undeclared(item, inputs)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The names in `${args.name}`; text of another shape is not a reference.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split(OPEN).skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let mut bytes = name.bytes();
        let head = bytes.next().is_some_and(|c| c.is_ascii_lowercase());
        let rest = bytes.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
        (head && rest).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_references_count() {
        let found: Vec<_> = references("a ${args.one} ${args.Two} ${args.x${args.three}").collect();
        assert_eq!(found, ["one", "three"]);
    }
}
