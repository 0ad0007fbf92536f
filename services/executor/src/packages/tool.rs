//! What agents are shown of an action: the published shape of a tool. A file that stays the same
//! may still be shown in another way by a later version of this program, and a person who accepted
//! one wording has not accepted another.

use aileron_contract::{
    Error, Result,
    executor::{Input, InputKind},
    json,
    names::{Sha256Hash, Version},
};
use serde_json::{Map, Value, json};

use super::records::ToolRecord;
use crate::formats::{action::ActionFile, lock};

/// An action as a tool.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tool {
    name: String,
    version: Version,
    description: String,
    input_schema: Value,
}

impl Tool {
    pub(super) fn of(file: &ActionFile) -> Self {
        Self {
            name: lock::tool_name(&file.name),
            version: file.version.clone(),
            description: file.intent.clone(),
            input_schema: schema(&file.inputs),
        }
    }

    /// Its hashes, as records and the lockfile carry them.
    pub(super) fn record(&self) -> Result<ToolRecord> {
        Ok(ToolRecord {
            version: self.version.clone(),
            description: Sha256Hash::of(&[self.description.as_bytes()]),
            input_schema: Sha256Hash::of(&[&json::canonical(&self.input_schema)?]),
        })
    }

    /// Its text, for people to compare.
    pub(super) fn text(&self) -> Result<String> {
        let Self { name, version, description, input_schema } = self;
        let shown = json!({
            "tool": name,
            "version": version.to_string(),
            "description": description,
            "input_schema": input_schema,
        });
        let mut text = serde_json::to_string_pretty(&shown).map_err(Error::internal)?;
        text.push('\n');
        Ok(text)
    }
}

/// The JSON schema of the inputs. Arrays always say what they hold, because strict hosts take a
/// string for granted otherwise.
fn schema(inputs: &[Input]) -> Value {
    if inputs.is_empty() {
        return json!({ "type": "object" });
    }
    let mut properties = Map::new();
    for input in inputs {
        let mut property = Map::new();
        property.insert("type".to_owned(), input.kind.text().into());
        property.insert("description".to_owned(), input.description.as_str().into());
        if let Some(declared) = &input.declared {
            property.insert("declared".to_owned(), declared.as_str().into());
        }
        if input.kind == InputKind::Array {
            let items =
                input.items.map_or_else(|| json!({}), |kind| json!({ "type": kind.text() }));
            property.insert("items".to_owned(), items);
        }
        properties.insert(input.name.clone(), Value::Object(property));
    }
    let required = inputs.iter().filter(|input| input.required);
    let required: Vec<&str> = required.map(|input| input.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::action;

    fn file(more: &str) -> ActionFile {
        let hash = Sha256Hash::new([1; 32]);
        let text = format!(
            "+++\nname = \"list-notes\"\nversion = \"1.0.0\"\n\
             source = \"github://acme/notes/actions/list-notes@1.0.0\"\n\n\
             [match]\nintent = \"read notes\"\n\n\
             [[requires.connectors]]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\n\
             hash = \"{hash}\"\ncapabilities = [\"list\"]\n\n\
             [[execute]]\nid = \"list\"\nconnector = \"github://acme/notes\"\nop = \"list\"\n{more}\
             +++\n# Notes\n"
        );
        action::parse(text.as_bytes(), "action.md").unwrap()
    }

    const INPUTS: &str = "\n[[inputs]]\nname = \"tags\"\ntype = \"array\"\nitems_type = \"string\"\n\
                          required = false\ndescription = \"labels\"\n\n\
                          [[inputs]]\nname = \"id\"\ntype = \"string\"\ndescription = \"which\"\n";

    #[test]
    fn a_tool_has_the_published_shape() {
        assert_eq!(Tool::of(&file("")).input_schema, json!({ "type": "object" }));
        let tool = Tool::of(&file(INPUTS));
        assert_eq!((tool.name.as_str(), tool.description.as_str()), ("list_notes", "read notes"));
        assert_eq!(
            tool.input_schema,
            json!({
                "type": "object",
                "properties": {
                    "tags": {
                        "type": "array", "description": "labels", "items": { "type": "string" },
                    },
                    "id": { "type": "string", "description": "which" },
                },
                "required": ["id"],
            })
        );
    }

    #[test]
    fn each_part_of_what_is_shown_has_a_hash_of_its_own() {
        let (plain, other) = (file(INPUTS), file(&INPUTS.replace("which", "any")));
        let (plain, other) =
            (Tool::of(&plain).record().unwrap(), Tool::of(&other).record().unwrap());
        assert_eq!(plain.description, Sha256Hash::of(&[b"read notes"]));
        assert_eq!(plain.description, other.description);
        assert_ne!(plain.input_schema, other.input_schema);
        assert_eq!(
            Tool::of(&file("")).record().unwrap().input_schema,
            Sha256Hash::of(&[br#"{"type":"object"}"#])
        );
    }
}
