//! `${args.name}` in an author's step inputs.

use aileron_contract::executor::Input;
use serde_json::{Map, Value};

use super::text_of;

/// Fills in arguments, and notes which of them it used.
pub(super) struct Template<'a> {
    inputs: &'a [Input],
    arguments: &'a Map<String, Value>,
    used: Vec<String>,
}

impl<'a> Template<'a> {
    pub(super) fn new(inputs: &'a [Input], arguments: &'a Map<String, Value>) -> Self {
        Self { inputs, arguments, used: Vec::new() }
    }

    /// The arguments that took some placeholder's place.
    pub(super) fn used(self) -> Vec<String> {
        self.used
    }

    /// Fills a table. An entry that is nothing but the placeholder of an argument that was not
    /// given is left out; inside a longer text such a placeholder stays as it is written.
    pub(super) fn fill_map(&mut self, table: &Map<String, Value>) -> Map<String, Value> {
        let mut filled = Map::new();
        for (key, value) in table {
            if let Some(value) = self.fill(value) {
                filled.insert(key.clone(), value);
            }
        }
        filled
    }

    fn fill(&mut self, value: &Value) -> Option<Value> {
        match value {
            Value::String(text) => match self.whole(text) {
                Some(name) => {
                    self.used.push(name.to_owned());
                    self.arguments.get(name).cloned()
                }
                None => Some(Value::String(self.fill_text(text))),
            },
            Value::Array(items) => Some(items.iter().filter_map(|item| self.fill(item)).collect()),
            Value::Object(table) => Some(Value::Object(self.fill_map(table))),
            Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        }
    }

    /// Replaced in one pass from the left, so that a value never becomes a placeholder itself.
    fn fill_text(&mut self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(OPEN) {
            let (before, found) = rest.split_at(start);
            filled.push_str(before);
            if let Some((name, after)) = self.leading(found) {
                self.used.push(name.to_owned());
                match self.arguments.get(name) {
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

    fn whole<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.leading(text).and_then(|(name, after)| after.is_empty().then_some(name))
    }

    /// The name of a placeholder at the start, and what follows it. A name with capital letters
    /// is one when such an input is declared, which only a lenient file can do.
    fn leading<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let (name, after) = text.strip_prefix(OPEN)?.split_once('}')?;
        let first = name.bytes().next()?;
        let word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        let published = first.is_ascii_lowercase() && name.bytes().all(word);
        let declared = || self.inputs.iter().any(|input| input.name == name);
        (published || declared()).then_some((name, after))
    }
}

const OPEN: &str = "${args.";
