//! What is read although the published grammar does not know it. Action files that were generated
//! from an API's own description carry its type names (`DateTime`, `IssueFilter`) and its capital
//! letters in the names of inputs. Such a file is read leniently: its types are mapped to the
//! nearest published ones, shown, and not enforced. A file that needs none of this is read as
//! strictly as ever.
//!
//! How a type is mapped, the first rule that fits:
//! 1. `[T]` is an array of what T is mapped to; `!` (never null) behind a type says nothing here.
//! 2. A published word in other letters is that word: `String`, `Boolean`, `Object`.
//! 3. `Int` is an integer, `Float` a number, `ID` a string.
//! 4. `JSON`, `JSONObject`, and names that end in `Filter`, `Comparator` or `Input` are objects.
//! 5. Everything else is a string: dates, identifiers, enumerations.
//!
//! Type names of an API begin with a capital letter. One that does not is an author's mistake, and
//! refused as before.

use aileron_contract::executor::InputKind;

/// A type as the file is read: the nearest published one, with the kind of an array's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) kind: InputKind,
    pub(super) items: Option<InputKind>,
}

/// As with other names.
const LONGEST: usize = 128;

/// Maps a type the published grammar does not know; none when it is no type's name.
pub(super) fn mapped(raw: &str) -> Option<Mapped> {
    if raw.len() > LONGEST {
        return None;
    }
    let bare = raw.strip_suffix('!').unwrap_or(raw);
    match bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(items) => {
            let items = mapped(items)?.kind;
            // The format knows no arrays of arrays: what is in the inner ones is left open.
            let items = Some(items).filter(|kind| *kind != InputKind::Array);
            Some(Mapped { kind: InputKind::Array, items })
        }
        None => named(bare).map(|kind| Mapped { kind, items: None }),
    }
}

fn named(name: &str) -> Option<InputKind> {
    let (first, rest) = name.as_bytes().split_first()?;
    let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
    if !first.is_ascii_uppercase() || !rest.iter().all(word) {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    if let Ok(kind) = lower.parse() {
        return Some(kind);
    }
    let structured = ["Filter", "Comparator", "Input"].iter().any(|end| name.ends_with(end));
    Some(match lower.as_str() {
        "int" => InputKind::Integer,
        "float" => InputKind::Number,
        "json" | "jsonobject" => InputKind::Object,
        _ if structured => InputKind::Object,
        _ => InputKind::String,
    })
}

/// Would this be an input's name if capital letters were allowed?
pub(super) fn is_input_name(raw: &str) -> bool {
    let first = raw.bytes().next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_');
    first && raw.len() <= LONGEST && raw.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

/// In which ways a file departs from the published grammar: sentences for a person, each once.
#[derive(Debug, Default)]
pub(super) struct Departures {
    names: Vec<String>,
    types: Vec<String>,
}

impl Departures {
    pub(super) fn name(&mut self, name: &str) {
        once(&mut self.names, name);
    }

    pub(super) fn kind(&mut self, declared: &str) {
        once(&mut self.types, declared);
    }

    pub(super) fn none(&self) -> bool {
        self.names.is_empty() && self.types.is_empty()
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if !self.types.is_empty() {
            let types = some_of(&self.types);
            sentences.push(format!("types that are shown but not enforced: {types}"));
        }
        if !self.names.is_empty() {
            let names = some_of(&self.names);
            sentences.push(format!("input names outside the published grammar: {names}"));
        }
        sentences
    }
}

fn once(seen: &mut Vec<String>, found: &str) {
    if !seen.iter().any(|other| other == found) {
        seen.push(found.to_owned());
    }
}

/// A file may declare thousands: a sentence names a few.
fn some_of(all: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use InputKind::{Array, Boolean, Integer, Number, Object, String as Text};
    use proptest::prelude::*;

    use super::*;

    fn kinds(raw: &str) -> Option<(InputKind, Option<InputKind>)> {
        mapped(raw).map(|Mapped { kind, items }| (kind, items))
    }

    #[test]
    fn types_of_an_api_are_mapped_to_the_nearest_published_one() {
        for (raw, kind, items) in [
            ("String", Text, None),
            ("STRING", Text, None),
            ("Boolean!", Boolean, None),
            ("Int", Integer, None),
            ("Integer", Integer, None),
            ("Float", Number, None),
            ("Number", Number, None),
            ("ID", Text, None),
            ("UUID", Text, None),
            ("DateTime", Text, None),
            ("TimelessDate", Text, None),
            ("PaginationOrderBy", Text, None),
            ("JSON", Object, None),
            ("JSONObject!", Object, None),
            ("IssueFilter", Object, None),
            ("StringComparator", Object, None),
            ("IssueCreateInput!", Object, None),
            ("Array", Array, None),
            ("[String!]!", Array, Some(Text)),
            ("[IssueFilter]", Array, Some(Object)),
            ("[[Int]]", Array, None),
        ] {
            assert_eq!(kinds(raw), Some((kind, items)), "{raw}");
        }
    }

    #[test]
    fn what_is_no_type_name_stays_refused() {
        for raw in [
            "",
            "list",
            "strng",
            "int",
            "dateTime",
            "!",
            "[]",
            "[String",
            "String]",
            "Str ing",
            "String!!",
            "Ünit",
            "String\u{202e}",
            "../x",
            "[[[list]]]",
        ] {
            assert_eq!(kinds(raw), None, "{raw}");
        }
        assert_eq!(kinds(&"A".repeat(LONGEST + 1)), None);
        assert_eq!(kinds(&"[".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_cannot_disguise_itself(raw in "[\\[A-Z]?\\PC{0,12}[\\]!]?") {
            if mapped(&raw).is_some() {
                prop_assert!(raw.bytes().all(|c| c.is_ascii_alphanumeric() || b"_[]!".contains(&c)));
            }
            if is_input_name(&raw) {
                prop_assert!(raw.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'));
            }
        }

        #[test]
        fn published_input_names_are_names_in_the_wider_grammar_too(raw in "[a-z][a-z0-9_]{0,40}") {
            prop_assert!(is_input_name(&raw));
        }
    }
}
