//! Reads one mapping of the file key by key and keeps every problem with its path.

use serde_yaml_ng::Value;

/// One mapping, by the dotted path it stands at. Keys are taken out as they are read; whatever
/// is left when its reader is done is unknown.
pub(super) struct Section<'p> {
    path: String,
    values: serde_yaml_ng::Mapping,
    problems: &'p mut Vec<String>,
}

impl<'p> Section<'p> {
    /// Reads the whole file.
    pub(super) fn root<T>(
        value: Value,
        problems: &'p mut Vec<String>,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        Self::of(String::new(), value, problems).read(read)
    }

    /// Reads a mapping below this one; empty when absent.
    pub(super) fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let path = self.path_of(key);
        let value = self.values.remove(key).unwrap_or(Value::Null);
        Section::of(path, value, self.problems).read(read)
    }

    fn of(path: String, value: Value, problems: &'p mut Vec<String>) -> Self {
        let values = match value {
            Value::Mapping(values) => values,
            Value::Null => serde_yaml_ng::Mapping::new(),
            _ => {
                let shown = if path.is_empty() { "the file" } else { &path };
                problems.push(format!("{shown}: a mapping is expected"));
                serde_yaml_ng::Mapping::new()
            }
        };
        Self { path, values, problems }
    }

    fn read<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let value = read(&mut self);
        for key in self.values.keys() {
            let shown = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
            let path = self.path_of(&shown);
            self.problems.push(format!("{path}: unknown key"));
        }
        value
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn is_mapping(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(Value::is_mapping)
    }

    /// A text that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.problems.push(format!("{}: needed", self.path_of(key)));
            return None;
        }
        self.text(key, parse)
    }

    /// A text, turned into a value by `parse`, whose error says what is expected.
    pub(super) fn text<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let path = self.path_of(key);
        let raw = match self.values.remove(key)? {
            Value::String(raw) => raw,
            Value::Number(number) => number.to_string(),
            _ => {
                self.problems.push(format!("{path}: a text is expected"));
                return None;
            }
        };
        parse(&raw).map_err(|problem| self.problems.push(format!("{path}: {problem}"))).ok()
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let path = self.path_of(key);
        let flag = self.values.remove(key)?.as_bool();
        if flag.is_none() {
            self.problems.push(format!("{path}: true or false is expected"));
        }
        flag
    }

    /// A list of texts; empty when absent.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let path = self.path_of(key);
        let items = match self.values.remove(key) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Sequence(items)) => items,
            Some(_) => {
                self.problems.push(format!("{path}: a list is expected"));
                return Vec::new();
            }
        };
        let mut parsed = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item.as_str().ok_or_else(|| "a text is expected".to_owned()).and_then(&parse) {
                Ok(value) => parsed.push(value),
                Err(problem) => self.problems.push(format!("{path}[{index}]: {problem}")),
            }
        }
        parsed
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}
