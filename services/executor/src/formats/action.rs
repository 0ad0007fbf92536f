//! Action files (`<name>.md`; `action.md` in a package).

use std::collections::BTreeSet;

use aileron_contract::{
    executor::{ApprovalRule, Input, PreviewRule, Requirement, Step},
    names::{ActionName, Fqn, PackageRef, Version},
};

use super::{Problem, frontmatter, table::Document};
use lenient::Departures;
use references::Declared;

mod inputs;
mod lenient;
mod raw;
mod references;

/// An action file that keeps every rule of the format.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionFile {
    pub name: ActionName,
    pub version: Version,
    /// Where the file was published.
    pub source: PackageRef,
    /// One or more.
    pub requires: Vec<Requirement>,
    pub intent: String,
    pub inputs: Vec<Input>,
    /// One or more; every connector is one of `requires`.
    pub steps: Vec<Step>,
    pub approval: Option<ApprovalRule>,
    /// Markdown after the frontmatter.
    pub body: String,
    /// How the file departs from the published grammar, in sentences; empty when it keeps it.
    pub lenient: Vec<String>,
}

impl ActionFile {
    /// The requirement a step's connector stands for.
    pub fn requirement(&self, connector: &Fqn) -> Option<&Requirement> {
        self.requires.iter().find(|required| required.package.fqn == *connector)
    }

    /// Must a person approve each run?
    pub fn gated(&self) -> bool {
        self.approval.as_ref().is_some_and(|rule| rule.required)
    }

    /// What to show the person before a run, and the connector to ask: the first step's.
    pub fn preview(&self) -> Option<(&Fqn, &PreviewRule)> {
        let rule = self.approval.as_ref()?.preview.as_ref()?;
        Some((&self.steps.first()?.connector, rule))
    }
}

/// Reads an action file. `file` names it in problems. Rules are checked in the published order
/// and the first one broken is told.
pub fn parse(bytes: &[u8], file: &str) -> Result<ActionFile, Problem> {
    let envelope = frontmatter::split(bytes, file)?;
    let document = Document::new("frontmatter", file, &envelope.head, envelope.head_line);
    let raw = raw::Action::read(document.root()?)?;
    document.closed()?;
    let line = envelope.head_line;
    let name = document.required_named(raw.name, "name", line)?;
    let version = document.required_named(raw.version, "version", line)?;
    let source = document.required_named(raw.source, "source", line)?;
    let requires = requirements(&document, raw.requires, line)?;
    let intent = document.required(raw.intent, "match.intent", line)?;
    if intent.is_blank() {
        return Err(document.invalid("match.intent must not be empty", intent.line));
    }
    let mut departures = Departures::default();
    let inputs = inputs::check(&document, raw.inputs, &mut departures)?;
    let declared = Declared { inputs: &inputs, strict: departures.none() };
    let steps = steps(&document, raw.steps, line, &requires, declared)?;
    let approval = raw.approval.map(|rule| approval(&document, rule, declared)).transpose()?;
    Ok(ActionFile {
        name,
        version,
        source,
        requires,
        intent: intent.value,
        inputs,
        steps,
        approval,
        body: envelope.body,
        lenient: departures.sentences(),
    })
}

fn requirements(
    document: &Document<'_>,
    raw: Vec<raw::Requirement>,
    line: u32,
) -> Result<Vec<Requirement>, Problem> {
    if raw.is_empty() {
        return Err(document.invalid("requires.connectors needs at least one entry", line));
    }
    let mut requires: Vec<Requirement> = Vec::with_capacity(raw.len());
    for entry in raw {
        let line = entry.line;
        let fqn = document.required_named(entry.name, "requires.connectors.name", line)?;
        let version =
            document.required_named(entry.version, "requires.connectors.version", line)?;
        let hash = document.required(entry.hash, "requires.connectors.hash", line)?;
        let hash = pinned(document, &hash)?;
        let capabilities =
            document.required(entry.capabilities, "requires.connectors.capabilities", line)?;
        if capabilities.value.is_empty() || capabilities.value.iter().any(|op| op.trim().is_empty())
        {
            let rule = "requires.connectors.capabilities needs at least one operation, none blank";
            return Err(document.invalid(rule, capabilities.line));
        }
        let package = PackageRef { fqn, version };
        if requires.iter().any(|other| other.package.fqn == package.fqn) {
            let message = format!("requires.connectors names {} twice", package.fqn);
            return Err(document.invalid(message, line));
        }
        requires.push(Requirement { package, hash, capabilities: capabilities.value });
    }
    Ok(requires)
}

fn pinned(
    document: &Document<'_>,
    hash: &super::table::Spot<String>,
) -> Result<aileron_contract::names::Sha256Hash, Problem> {
    if hash.value == "sha256:bound-at-release" {
        let message = "requires.connectors.hash is still the placeholder of the publisher's \
                       sources: install the released action instead";
        return Err(document.invalid(message, hash.line));
    }
    document.named(hash, "requires.connectors.hash")
}

fn steps(
    document: &Document<'_>,
    raw: Vec<raw::Step>,
    line: u32,
    requires: &[Requirement],
    inputs: Declared<'_>,
) -> Result<Vec<Step>, Problem> {
    if raw.is_empty() {
        return Err(document.invalid("execute needs at least one step", line));
    }
    let mut ids = BTreeSet::new();
    let mut steps = Vec::with_capacity(raw.len());
    for entry in raw {
        let id = document.required(entry.id, "execute.id", entry.line)?;
        if id.is_blank() {
            return Err(document.invalid("execute.id must not be empty", id.line));
        }
        if !ids.insert(id.value.clone()) {
            let message = format!("execute.id {:?} is used twice", id.value);
            return Err(document.invalid(message, id.line));
        }
        let connector = document.required(entry.connector, "execute.connector", entry.line)?;
        let declared = requires.iter().find(|other| other.package.fqn.as_str() == connector.value);
        let Some(declared) = declared else {
            let message =
                format!("execute.connector {:?} is not in requires.connectors", connector.value);
            return Err(document.invalid(message, connector.line));
        };
        let op = document.required(entry.op, "execute.op", entry.line)?;
        if op.is_blank() {
            return Err(document.invalid("execute.op must not be empty", op.line));
        }
        if let Some(values) = &entry.inputs {
            references::check(document, "execute.inputs", values, inputs)?;
        }
        steps.push(Step {
            id: id.value,
            connector: declared.package.fqn.clone(),
            op: op.value,
            idempotent: entry.idempotent.map(|flag| flag.value),
            inputs: entry.inputs.map(|values| values.value).unwrap_or_default(),
        });
    }
    Ok(steps)
}

fn approval(
    document: &Document<'_>,
    raw: raw::Approval,
    inputs: Declared<'_>,
) -> Result<ApprovalRule, Problem> {
    let required = raw.required.is_some_and(|flag| flag.value);
    let preview = raw.preview.map(|rule| preview(document, rule, inputs)).transpose()?;
    Ok(ApprovalRule { required, preview })
}

fn preview(
    document: &Document<'_>,
    raw: raw::Preview,
    inputs: Declared<'_>,
) -> Result<PreviewRule, Problem> {
    let op = document.required(raw.op, "approval.preview.op", raw.line)?;
    if op.is_blank() {
        return Err(document.invalid("approval.preview.op must not be empty", op.line));
    }
    if let Some(args) = &raw.args {
        references::check(document, "approval.preview.args", args, inputs)?;
    }
    let render = document.required(raw.render, "approval.preview.render", raw.line)?;
    let blank = |text: &str| text.trim().is_empty();
    if render.value.is_empty()
        || render.value.iter().any(|(label, path)| blank(label) || blank(path))
    {
        let rule = "approval.preview.render needs at least one label with a path, none blank";
        return Err(document.invalid(rule, render.line));
    }
    let multiline = raw.multiline.map_or_else(Vec::new, |labels| {
        labels.value.into_iter().map(|label| (label, labels.line)).collect()
    });
    for (label, line) in &multiline {
        if !render.value.iter().any(|(shown, _)| shown == label) {
            let message = format!("approval.preview.multiline names {label:?}, not in render");
            return Err(document.invalid(message, *line));
        }
    }
    Ok(PreviewRule {
        op: op.value,
        args: raw.args.map(|args| args.value).unwrap_or_default(),
        render: render.value,
        multiline: multiline.into_iter().map(|(label, _)| label).collect(),
    })
}
