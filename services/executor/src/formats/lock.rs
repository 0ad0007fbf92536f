//! The lockfile (`actions.lock`): what is installed here as persons accepted it, for people, for
//! version control and for other programs. One text for one content: entries are sorted, and the
//! form is fixed, so that two of them can be compared line by line.

use std::collections::{BTreeMap, BTreeSet};

use aileron_contract::{
    limits,
    names::{ActionName, PackageRef, Sha256Hash, Version},
};

use super::{
    Problem, ProblemKind,
    table::{Document, Spot, Table},
};

/// The only version there is.
const VERSION: i64 = 1;

const HEADING: &str = "\
# What is installed here, as it was accepted. Aileron writes this file and goes by records of its
# own: an edit here changes nothing but is noticed (aileron action drift).
";

/// What a lockfile says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    pub actions: BTreeMap<ActionName, LockedAction>,
    /// By package and hash: two entries may be of one version.
    pub connectors: BTreeSet<(PackageRef, Sha256Hash)>,
}

/// An installed action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedAction {
    pub source: PackageRef,
    pub version: Version,
    /// Of its file.
    pub hash: Sha256Hash,
    /// None for one that was accepted before these were recorded.
    pub tool: Option<LockedTool>,
}

/// What an agent is shown of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedTool {
    /// Of the intent.
    pub description: Sha256Hash,
    /// Of the schema's RFC 8785 form.
    pub input_schema: Sha256Hash,
}

impl Lock {
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.connectors.is_empty()
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = format!("{HEADING}version = {VERSION}\n");
        // Names, versions and hashes hold nothing that a basic string would have to escape.
        for (package, hash) in &self.connectors {
            let PackageRef { fqn, version } = package;
            let entry = [("fqn", fqn.to_string()), ("version", version.to_string())];
            table(&mut text, "connectors", &entry);
            line(&mut text, "hash", &hash.to_string());
        }
        for (name, action) in &self.actions {
            let LockedAction { source, version, hash, tool } = action;
            let entry = [
                ("name", name.to_string()),
                ("source", source.to_string()),
                ("version", version.to_string()),
                ("hash", hash.to_string()),
            ];
            table(&mut text, "actions", &entry);
            if let Some(LockedTool { description, input_schema }) = tool {
                line(&mut text, "tool", &tool_name(name));
                line(&mut text, "description", &description.to_string());
                line(&mut text, "input_schema", &input_schema.to_string());
            }
        }
        text
    }
}

/// The name of an action as agents are shown it.
pub fn tool_name(name: &ActionName) -> String {
    name.as_str().replace('-', "_")
}

/// Reads a lockfile. `file` names it in problems.
pub fn parse(bytes: &[u8], file: &str) -> Result<Lock, Problem> {
    let refused = |message: &str| Problem::new(ProblemKind::Parse, message, file, 0);
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limits::LOCK_FILE {
        return Err(refused(&format!("the lock is longer than {} bytes", limits::LOCK_FILE)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused("the lock is not UTF-8"))?;
    let document = Document::new("lock", file, text, 1);
    let mut root = document.root()?;
    let version = document.required(root.integer("version")?, "version", 1)?;
    if version.value != VERSION {
        // Before unknown keys are: a later version may well have some.
        let message = format!("version must be {VERSION}: a later program wrote this lock");
        return Err(document.invalid(message, version.line));
    }
    let connectors = root.tables("connectors")?.into_iter().map(RawConnector::read);
    let connectors = connectors.collect::<Result<Vec<_>, _>>()?;
    let actions = root.tables("actions")?.into_iter().map(RawAction::read);
    let actions = actions.collect::<Result<Vec<_>, _>>()?;
    drop(root);
    document.closed()?;
    let mut lock = Lock::default();
    for raw in connectors {
        let line = raw.line;
        let entry = raw.check(&document)?;
        if !lock.connectors.insert(entry) {
            return Err(document.invalid("connectors holds the same entry twice", line));
        }
    }
    for raw in actions {
        let line = raw.line;
        let (name, action) = raw.check(&document)?;
        if lock.actions.contains_key(&name) {
            return Err(document.invalid(format!("actions holds {name} twice"), line));
        }
        lock.actions.insert(name, action);
    }
    Ok(lock)
}

type Text = Option<Spot<String>>;

struct RawConnector {
    line: u32,
    fqn: Text,
    version: Text,
    hash: Text,
}

impl RawConnector {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        let (fqn, version) = (table.text("fqn")?, table.text("version")?);
        Ok(Self { line: table.line, fqn, version, hash: table.text("hash")? })
    }

    fn check(self, document: &Document<'_>) -> Result<(PackageRef, Sha256Hash), Problem> {
        let Self { line, fqn, version, hash } = self;
        let fqn = document.required_named(fqn, "connectors.fqn", line)?;
        let version = document.required_named(version, "connectors.version", line)?;
        let hash = document.required_named(hash, "connectors.hash", line)?;
        Ok((PackageRef { fqn, version }, hash))
    }
}

struct RawAction {
    line: u32,
    name: Text,
    source: Text,
    version: Text,
    hash: Text,
    tool: Text,
    description: Text,
    input_schema: Text,
}

impl RawAction {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        Ok(Self {
            line: table.line,
            name: table.text("name")?,
            source: table.text("source")?,
            version: table.text("version")?,
            hash: table.text("hash")?,
            tool: table.text("tool")?,
            description: table.text("description")?,
            input_schema: table.text("input_schema")?,
        })
    }

    fn check(self, document: &Document<'_>) -> Result<(ActionName, LockedAction), Problem> {
        let Self { line, name, source, version, hash, tool, description, input_schema } = self;
        let name: ActionName = document.required_named(name, "actions.name", line)?;
        let tool = match (tool, description, input_schema) {
            (None, None, None) => None,
            (tool, description, input_schema) => {
                let tool = document.required(tool, "actions.tool", line)?;
                if tool.value != tool_name(&name) {
                    let message = format!("actions.tool must be {}", tool_name(&name));
                    return Err(document.invalid(message, tool.line));
                }
                let description =
                    document.required_named(description, "actions.description", line)?;
                let input_schema =
                    document.required_named(input_schema, "actions.input_schema", line)?;
                Some(LockedTool { description, input_schema })
            }
        };
        let source = document.required_named(source, "actions.source", line)?;
        let version = document.required_named(version, "actions.version", line)?;
        let hash = document.required_named(hash, "actions.hash", line)?;
        Ok((name, LockedAction { source, version, hash, tool }))
    }
}

fn table(text: &mut String, name: &str, entries: &[(&str, String)]) {
    text.extend(["\n[[", name, "]]\n"]);
    for (key, value) in entries {
        line(text, key, value);
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    text.extend([key, " = \"", value, "\"\n"]);
}
