//! The keys of an action's frontmatter, before any rule but their types.

use serde_json::{Map, Value};

use crate::formats::{
    Problem,
    table::{Pairs, Spot, Table},
};

pub(super) type Text = Option<Spot<String>>;

pub(super) struct Action {
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) source: Text,
    pub(super) requires: Vec<Requirement>,
    pub(super) intent: Text,
    pub(super) inputs: Vec<Input>,
    pub(super) steps: Vec<Step>,
    pub(super) approval: Option<Approval>,
}

pub(super) struct Requirement {
    pub(super) line: u32,
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) hash: Text,
    pub(super) capabilities: Option<Spot<Vec<String>>>,
}

pub(super) struct Input {
    pub(super) line: u32,
    pub(super) name: Text,
    pub(super) kind: Text,
    pub(super) required: Option<Spot<bool>>,
    pub(super) description: Text,
    pub(super) label: Text,
    pub(super) multiline: Option<Spot<bool>>,
    pub(super) items: Text,
}

pub(super) struct Step {
    pub(super) line: u32,
    pub(super) id: Text,
    pub(super) connector: Text,
    pub(super) op: Text,
    pub(super) idempotent: Option<Spot<bool>>,
    pub(super) inputs: Option<Spot<Map<String, Value>>>,
}

pub(super) struct Approval {
    pub(super) required: Option<Spot<bool>>,
    pub(super) preview: Option<Preview>,
}

pub(super) struct Preview {
    pub(super) line: u32,
    pub(super) op: Text,
    pub(super) args: Option<Spot<Map<String, Value>>>,
    pub(super) render: Option<Spot<Pairs>>,
    pub(super) multiline: Option<Spot<Vec<String>>>,
}

impl Action {
    pub(super) fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        let requires = match table.table("requires")? {
            Some(mut requires) => each(requires.tables("connectors")?, Requirement::read)?,
            None => Vec::new(),
        };
        let intent = match table.table("match")? {
            Some(mut intent) => intent.text("intent")?,
            None => None,
        };
        Ok(Self {
            name: table.text("name")?,
            version: table.text("version")?,
            source: table.text("source")?,
            requires,
            intent,
            inputs: each(table.tables("inputs")?, Input::read)?,
            steps: each(table.tables("execute")?, Step::read)?,
            approval: table.table("approval")?.map(Approval::read).transpose()?,
        })
    }
}

impl Requirement {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        Ok(Self {
            line: table.line,
            name: table.text("name")?,
            version: table.text("version")?,
            hash: table.text("hash")?,
            capabilities: table.texts("capabilities")?,
        })
    }
}

impl Input {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        Ok(Self {
            line: table.line,
            name: table.text("name")?,
            kind: table.text("type")?,
            required: table.flag("required")?,
            description: table.text("description")?,
            label: table.text("label")?,
            multiline: table.flag("multiline")?,
            items: table.text("items_type")?,
        })
    }
}

impl Step {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        Ok(Self {
            line: table.line,
            id: table.text("id")?,
            connector: table.text("connector")?,
            op: table.text("op")?,
            idempotent: table.flag("idempotent")?,
            inputs: table.object("inputs")?,
        })
    }
}

impl Approval {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        Ok(Self {
            required: table.flag("required")?,
            preview: table.table("preview")?.map(Preview::read).transpose()?,
        })
    }
}

impl Preview {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        Ok(Self {
            line: table.line,
            op: table.text("op")?,
            args: table.object("args")?,
            render: table.pairs("render")?,
            multiline: table.texts("multiline")?,
        })
    }
}

fn each<'a, T>(
    tables: Vec<Table<'a>>,
    read: fn(Table<'a>) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    tables.into_iter().map(read).collect()
}
