//! `${args.name}` in an author's step inputs.

use serde_json::{Map, Value};

use super::text_of;

/// Fills a table and notes which arguments it used. An entry that is nothing but the placeholder
/// of an argument that was not given is left out; inside a longer text such a placeholder stays
/// as it is written.
pub(super) fn fill_map(
    table: &Map<String, Value>,
    arguments: &Map<String, Value>,
    used: &mut Vec<String>,
) -> Map<String, Value> {
    let mut filled = Map::new();
    for (key, value) in table {
        if let Some(value) = fill(value, arguments, used) {
            filled.insert(key.clone(), value);
        }
    }
    filled
}

fn fill(value: &Value, arguments: &Map<String, Value>, used: &mut Vec<String>) -> Option<Value> {
    match value {
        Value::String(text) => match whole(text) {
            Some(name) => {
                used.push(name.to_owned());
                arguments.get(name).cloned()
            }
            None => Some(Value::String(fill_text(text, arguments, used))),
        },
        Value::Array(items) => {
            Some(items.iter().filter_map(|item| fill(item, arguments, used)).collect())
        }
        Value::Object(table) => Some(Value::Object(fill_map(table, arguments, used))),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.clone()),
    }
}

/// Replaced in one pass from the left, so that a value never becomes a placeholder itself.
fn fill_text(text: &str, arguments: &Map<String, Value>, used: &mut Vec<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        let (before, found) = rest.split_at(start);
        filled.push_str(before);
        if let Some((name, after)) = leading(found) {
            used.push(name.to_owned());
            match arguments.get(name) {
                Some(value) => filled.push_str(&text_of(value)),
                None => filled.push_str(found.strip_suffix(after).unwrap_or_default()),
            }
            rest = after;
        } else {
            filled.push_str(OPEN);
            rest = found.strip_prefix(OPEN).unwrap_or_default();
        }
    }
    filled.push_str(rest);
    filled
}

const OPEN: &str = "${args.";

fn whole(text: &str) -> Option<&str> {
    leading(text).and_then(|(name, after)| after.is_empty().then_some(name))
}

/// The name of a placeholder at the start, and what follows it.
fn leading(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix(OPEN)?.split_once('}')?;
    let first = name.bytes().next()?;
    let word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    (first.is_ascii_lowercase() && name.bytes().all(word)).then_some((name, after))
}
