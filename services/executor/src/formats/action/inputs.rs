//! What a caller may pass to an action.

use aileron_contract::{
    executor::{Input, InputKind},
    names::InputName,
};

use super::{
    lenient::{self, Departures, Mapped},
    raw,
};
use crate::formats::{
    Problem,
    table::{Document, Spot},
};

/// Checks the declared inputs, in order, and notes where the file departs from the published
/// grammar.
pub(super) fn check(
    document: &Document<'_>,
    raw: Vec<raw::Input>,
    departures: &mut Departures,
) -> Result<Vec<Input>, Problem> {
    let mut inputs: Vec<Input> = Vec::with_capacity(raw.len());
    let mut names = std::collections::BTreeSet::new();
    for entry in raw {
        let line = entry.line;
        let input = input(document, entry, departures)?;
        if !names.insert(input.name.clone()) {
            let message = format!("inputs.name {:?} is used twice", input.name);
            return Err(document.invalid(message, line));
        }
        inputs.push(input);
    }
    Ok(inputs)
}

fn input(
    document: &Document<'_>,
    raw: raw::Input,
    departures: &mut Departures,
) -> Result<Input, Problem> {
    let name = name(document, raw.name, raw.line, departures)?;
    let declared = document.required(raw.kind, "inputs.type", raw.line)?;
    let kind = Meaning::read(document, &declared, "inputs.type")?;
    let description = document.required(raw.description, "inputs.description", raw.line)?;
    if description.is_blank() {
        return Err(document.invalid("inputs.description must not be blank", description.line));
    }
    if let Some(label) = raw.label.as_ref().filter(|label| label.is_blank()) {
        return Err(document.invalid("inputs.label must not be blank", label.line));
    }
    let multiline = raw.multiline.is_some_and(|flag| flag.value);
    if multiline && kind.kind != InputKind::String {
        let rule = "inputs.multiline goes with type \"string\" only";
        return Err(document.invalid(rule, declared.line));
    }
    let items = raw.items.as_ref().map(|items| items_of(document, &kind, items)).transpose()?;
    let shown = shown(&declared.value, &kind, raw.items.as_ref().zip(items.as_ref()));
    if let Some(shown) = &shown {
        departures.kind(shown);
    }
    Ok(Input {
        name,
        kind: kind.kind,
        items: items.map_or(kind.items, |items| Some(items.kind)),
        required: raw.required.is_none_or(|flag| flag.value),
        description: match &shown {
            // Callers that know the description alone see the type as well.
            Some(declared) => format!("{} (type {declared})", description.value),
            None => description.value,
        },
        label: raw.label.map(|label| label.value),
        multiline,
        declared: shown,
    })
}

fn name(
    document: &Document<'_>,
    raw: raw::Text,
    line: u32,
    departures: &mut Departures,
) -> Result<String, Problem> {
    let name = document.required(raw, "inputs.name", line)?;
    match document.named::<InputName>(&name, "inputs.name") {
        Ok(_) => {}
        Err(_) if lenient::is_input_name(&name.value) => departures.name(&name.value),
        Err(problem) => return Err(problem),
    }
    Ok(name.value)
}

/// A type's spelling with its meaning.
struct Meaning {
    kind: InputKind,
    items: Option<InputKind>,
    /// Is the spelling a published one?
    published: bool,
}

impl Meaning {
    /// The one place where a type's spelling gets its meaning.
    fn read(document: &Document<'_>, raw: &Spot<String>, key: &str) -> Result<Self, Problem> {
        match document.named(raw, key) {
            Ok(kind) => Ok(Self { kind, items: None, published: true }),
            Err(problem) => {
                let Mapped { kind, items } = lenient::mapped(&raw.value).ok_or(problem)?;
                Ok(Self { kind, items, published: false })
            }
        }
    }
}

fn items_of(
    document: &Document<'_>,
    array: &Meaning,
    items: &Spot<String>,
) -> Result<Meaning, Problem> {
    if array.kind != InputKind::Array {
        let rule = "inputs.items_type goes with type \"array\" only";
        return Err(document.invalid(rule, items.line));
    }
    let kind = Meaning::read(document, items, "inputs.items_type")?;
    if kind.kind == InputKind::Array {
        let rule = "inputs.items_type cannot be \"array\"";
        return Err(document.invalid(rule, items.line));
    }
    Ok(kind)
}

/// The type as its author wrote it; none when all of it is published.
fn shown(
    declared: &str,
    kind: &Meaning,
    items: Option<(&Spot<String>, &Meaning)>,
) -> Option<String> {
    match items {
        None => (!kind.published).then(|| declared.to_owned()),
        Some((_, items)) if kind.published && items.published => None,
        Some((items, _)) => Some(format!("{declared} of {}", items.value)),
    }
}
