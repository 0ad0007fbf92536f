//! A TOML table that is taken apart key by key, remembers lines, and knows what nobody asked for.

use std::{cell::RefCell, ops::Range};

use serde_json::{Map, Number, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Problem, ProblemKind};

/// The largest integer every JSON reader agrees on (RFC 8259, section 6): 2^53.
const MAX_INTEGER: u64 = 1 << 53;

/// A document being read: its file, its lines, and the keys no reader took.
pub(super) struct Document<'a> {
    what: &'static str,
    file: &'a str,
    text: &'a str,
    /// The file's line on which `text` begins.
    first_line: u32,
    /// Where in `text` each line ends.
    breaks: Vec<usize>,
    unknown: RefCell<Vec<(u32, String)>>,
}

impl<'a> Document<'a> {
    /// `what` names the kind of document in messages.
    pub(super) fn new(what: &'static str, file: &'a str, text: &'a str, first_line: u32) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, c)| *c == b'\n').map(|(at, _)| at);
        Self { what, file, text, first_line, breaks: breaks.collect(), unknown: RefCell::default() }
    }

    /// The document's root table; a syntax error is a `parse_error`.
    pub(super) fn root(&self) -> Result<Table<'_>, Problem> {
        let parsed = DeTable::parse(self.text).map_err(|error| {
            let line = error.span().map_or(self.first_line, |span| self.line(&span));
            self.unreadable(&error.message().replace('\n', ", "), line)
        })?;
        Ok(Table::new(self, String::new(), self.first_line, parsed.into_inner()))
    }

    /// Refuses when any dropped table held a key nobody took. Called before values are checked,
    /// so that all unknown keys are named together.
    pub(super) fn closed(&self) -> Result<(), Problem> {
        let mut unknown = self.unknown.take();
        unknown.sort();
        let Some((line, _)) = unknown.first() else { return Ok(()) };
        let keys: Vec<_> = unknown.iter().map(|(_, key)| key.as_str()).collect();
        Err(self.unreadable(&format!("unknown {} key(s): {}", self.what, keys.join(", ")), *line))
    }

    pub(super) fn invalid(&self, message: impl AsRef<str>, line: u32) -> Problem {
        Problem::new(ProblemKind::Validation, message.as_ref(), self.file, line)
    }

    /// The value, or a `validation_error` that names the missing key.
    pub(super) fn required<T>(
        &self,
        value: Option<Spot<T>>,
        key: &str,
        line: u32,
    ) -> Result<Spot<T>, Problem> {
        value.ok_or_else(|| self.invalid(format!("{key} is required"), line))
    }

    /// A text read by the grammar of `T`.
    pub(super) fn named<T>(&self, text: &Spot<String>, key: &str) -> Result<T, Problem>
    where
        T: std::str::FromStr<Err = aileron_contract::Error>,
    {
        text.value
            .parse()
            .map_err(|error: T::Err| self.invalid(format!("{key}: {}", error.public()), text.line))
    }

    /// A required text read by the grammar of `T`.
    pub(super) fn required_named<T>(
        &self,
        text: Option<Spot<String>>,
        key: &str,
        line: u32,
    ) -> Result<T, Problem>
    where
        T: std::str::FromStr<Err = aileron_contract::Error>,
    {
        self.named(&self.required(text, key, line)?, key)
    }

    fn unreadable(&self, message: &str, line: u32) -> Problem {
        Problem::new(ProblemKind::Parse, message, self.file, line)
    }

    fn mistyped(&self, path: &str, wanted: &str, found: &DeValue<'_>, line: u32) -> Problem {
        self.unreadable(&format!("{path} must be {wanted}, not {}", found.type_str()), line)
    }

    fn line(&self, span: &Range<usize>) -> u32 {
        let before = self.breaks.partition_point(|at| *at < span.start);
        self.first_line.saturating_add(u32::try_from(before).unwrap_or(u32::MAX))
    }
}

/// Keys and texts in declaration order.
pub(super) type Pairs = Vec<(String, String)>;

/// A value and the file's line it stands on.
#[derive(Clone, Debug)]
pub(super) struct Spot<T> {
    pub(super) value: T,
    pub(super) line: u32,
}

impl Spot<String> {
    pub(super) fn is_blank(&self) -> bool {
        self.value.trim().is_empty()
    }
}

/// One table. Keys still in it when it is dropped are unknown.
pub(super) struct Table<'a> {
    document: &'a Document<'a>,
    path: String,
    pub(super) line: u32,
    entries: Vec<(String, Spanned<()>, DeValue<'a>)>,
}

impl<'a> Table<'a> {
    fn new(document: &'a Document<'a>, path: String, line: u32, table: DeTable<'a>) -> Self {
        let entries = table.into_iter().map(|(key, value)| {
            let span = Spanned::new(key.span(), ());
            (key.into_inner().into_owned(), span, value.into_inner())
        });
        Self { document, path, line, entries: entries.collect() }
    }

    /// The dotted path of one of this table's keys.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<Spot<String>>, Problem> {
        self.read(key, "a string", |value| match value {
            DeValue::String(text) => Ok(text.into_owned()),
            other => Err(other),
        })
    }

    pub(super) fn flag(&mut self, key: &str) -> Result<Option<Spot<bool>>, Problem> {
        self.read(key, "true or false", |value| match value {
            DeValue::Boolean(flag) => Ok(flag),
            other => Err(other),
        })
    }

    pub(super) fn integer(&mut self, key: &str) -> Result<Option<Spot<i64>>, Problem> {
        self.read(key, "an integer", |value| match integer(&value) {
            Some(number) => Ok(number),
            None => Err(value),
        })
    }

    /// An array of strings.
    pub(super) fn texts(&mut self, key: &str) -> Result<Option<Spot<Vec<String>>>, Problem> {
        self.read(key, "an array of strings", |value| match value {
            DeValue::Array(items) => items
                .into_iter()
                .map(|item| match item.into_inner() {
                    DeValue::String(text) => Ok(text.into_owned()),
                    other => Err(other),
                })
                .collect(),
            other => Err(other),
        })
    }

    pub(super) fn table(&mut self, key: &str) -> Result<Option<Self>, Problem> {
        let path = self.at(key);
        let found = self.read(key, "a table", |value| match value {
            DeValue::Table(table) => Ok(table),
            other => Err(other),
        })?;
        Ok(found.map(|spot| Self::new(self.document, path, spot.line, spot.value)))
    }

    /// An array of tables; none when the key is missing.
    pub(super) fn tables(&mut self, key: &str) -> Result<Vec<Self>, Problem> {
        let path = self.at(key);
        let document = self.document;
        let found = self.read(key, "an array of tables", |value| match value {
            DeValue::Array(items) => items
                .into_iter()
                .map(|item| {
                    let line = document.line(&item.span());
                    match item.into_inner() {
                        DeValue::Table(table) => Ok((line, table)),
                        other => Err(other),
                    }
                })
                .collect::<Result<Vec<_>, _>>(),
            other => Err(other),
        })?;
        let items = found.map(|spot| spot.value).unwrap_or_default();
        Ok(items
            .into_iter()
            .map(|(line, table)| Self::new(document, path.clone(), line, table))
            .collect())
    }

    /// A table whose keys are names and whose values are tables.
    pub(super) fn named_tables(&mut self, key: &str) -> Result<Vec<(String, Self)>, Problem> {
        let Some(mut outer) = self.table(key)? else { return Ok(Vec::new()) };
        let document = self.document;
        std::mem::take(&mut outer.entries)
            .into_iter()
            .map(|(name, span, value)| {
                let (path, line) = (outer.at(&name), document.line(&span.span()));
                match value {
                    DeValue::Table(table) => Ok((name, Self::new(document, path, line, table))),
                    other => Err(document.mistyped(&path, "a table", &other, line)),
                }
            })
            .collect()
    }

    /// A table whose values are strings, in declaration order.
    pub(super) fn pairs(&mut self, key: &str) -> Result<Option<Spot<Pairs>>, Problem> {
        self.read(key, "a table of strings", |value| match value {
            DeValue::Table(table) => table
                .into_iter()
                .map(|(name, item)| match item.into_inner() {
                    DeValue::String(text) => {
                        Ok((name.into_inner().into_owned(), text.into_owned()))
                    }
                    other => Err(other),
                })
                .collect(),
            other => Err(other),
        })
    }

    /// A table of any values, as JSON.
    pub(super) fn object(
        &mut self,
        key: &str,
    ) -> Result<Option<Spot<Map<String, Value>>>, Problem> {
        let wanted = "a table of values that JSON can carry";
        self.read(key, wanted, |value| match value {
            DeValue::Table(table) => object(table),
            other => Err(other),
        })
    }

    /// Takes `key` out of the table and reads it; `reader` gives back what it cannot read.
    fn read<T>(
        &mut self,
        key: &str,
        wanted: &str,
        reader: impl FnOnce(DeValue<'a>) -> Result<T, DeValue<'a>>,
    ) -> Result<Option<Spot<T>>, Problem> {
        let Some(at) = self.entries.iter().position(|(name, ..)| name == key) else {
            return Ok(None);
        };
        let (_, span, value) = self.entries.remove(at);
        let line = self.document.line(&span.span());
        match reader(value) {
            Ok(value) => Ok(Some(Spot { value, line })),
            Err(other) => Err(self.document.mistyped(&self.at(key), wanted, &other, line)),
        }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        let unknown = self
            .entries
            .iter()
            .map(|(name, span, _)| (self.document.line(&span.span()), self.at(name)));
        self.document.unknown.borrow_mut().extend(unknown);
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let DeValue::Integer(number) = value else { return None };
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn object(table: DeTable<'_>) -> Result<Map<String, Value>, DeValue<'_>> {
    table
        .into_iter()
        .map(|(key, value)| Ok((key.into_inner().into_owned(), json(value.into_inner())?)))
        .collect()
}

fn json(value: DeValue<'_>) -> Result<Value, DeValue<'_>> {
    match value {
        DeValue::String(text) => Ok(Value::String(text.into_owned())),
        DeValue::Boolean(flag) => Ok(Value::Bool(flag)),
        DeValue::Datetime(time) => Ok(Value::String(time.to_string())),
        DeValue::Array(items) => items.into_iter().map(|item| json(item.into_inner())).collect(),
        DeValue::Table(table) => object(table).map(Value::Object),
        DeValue::Integer(_) => match integer(&value) {
            Some(number) if number.unsigned_abs() <= MAX_INTEGER => Ok(Value::from(number)),
            _ => Err(value),
        },
        DeValue::Float(ref float) => {
            let number = float.as_str().parse().ok().and_then(Number::from_f64);
            number.map(Value::Number).ok_or(value)
        }
    }
}
