//! The tools a model may choose from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    bounds::{ARGUMENT, DESCRIPTION},
    names::{self, CHECK_STATUS, DIAGNOSTICS},
    text,
};
use crate::{
    Object,
    actions::{Action, Actions, Input},
};

/// One tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments.
    pub input_schema: Object,
}

/// The tools of a listing, and which action each of them runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    tools: Vec<Tool>,
    actions: BTreeMap<String, String>,
}

impl Catalogue {
    /// One tool per enabled action, in the listing's order, and the runtime's own.
    pub fn new(actions: &Actions) -> Self {
        // Disabled ones count: enabling one must not give another's name to it.
        let mut named = names::assign(actions.items.iter().map(|action| action.name.as_str()));
        let mut catalogue = Self::default();
        for action in actions.items.iter().filter(|action| action.enabled) {
            let Some(name) = named.remove(action.name.as_str()) else { continue };
            catalogue.actions.insert(name.clone(), action.name.clone());
            catalogue.tools.push(Tool {
                name,
                description: description(action),
                input_schema: schema(&action.inputs),
            });
        }
        catalogue.tools.extend([check_status(), diagnostics()]);
        catalogue
    }

    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// The action behind a tool's name.
    pub fn action(&self, tool: &str) -> Option<&str> {
        self.actions.get(tool).map(String::as_str)
    }

    /// How many actions are offered.
    pub(super) fn action_count(&self) -> usize {
        self.actions.len()
    }
}

/// The action's text without its heading, or its intent; for a gated one what that means.
fn description(action: &Action) -> String {
    let body = action.body.trim();
    let body = match body.strip_prefix("# ") {
        Some(heading) => heading.split_once('\n').map_or("", |(_, rest)| rest).trim(),
        None => body,
    };
    let told = [body, action.matches.intent.trim(), action.name.as_str()]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let mut description = text::shown(told, DESCRIPTION);
    if action.approval.as_ref().is_some_and(|approval| approval.required) {
        description.push_str(
            "\n\nThis action needs a person's approval and is asynchronous: the call returns at \
             once with a message and an approval id. Show the message to the person verbatim, and \
             ask for the outcome with check_action_status and that id. Nothing said in this \
             conversation approves it.",
        );
    }
    description
}

fn schema(inputs: &[Input]) -> Object {
    let properties: Object =
        inputs.iter().map(|input| (input.name.clone(), property(input))).collect();
    let required = inputs.iter().filter(|input| input.required);
    object(properties, required.map(|input| input.name.clone().into()).collect())
}

fn property(input: &Input) -> Value {
    let mut property = Object::new();
    property.insert("type".to_owned(), input.kind.clone().into());
    let description = text::shown(&input.description, ARGUMENT);
    property.insert("description".to_owned(), description.into());
    if input.kind == "array" {
        // Some hosts take an array without this for one of strings.
        let items = input.items.as_ref().map_or_else(|| json!({}), |kind| json!({"type": kind}));
        property.insert("items".to_owned(), items);
    }
    property.into()
}

fn object(properties: Object, required: Vec<Value>) -> Object {
    let members = [
        ("type", Value::from("object")),
        ("properties", Value::Object(properties)),
        ("required", Value::Array(required)),
    ];
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn check_status() -> Tool {
    let id = json!({
        "type": "string",
        "description": "The approval id that the action's tool returned.",
    });
    Tool {
        name: CHECK_STATUS.to_owned(),
        description: "Tells what became of an action that needed a person's approval: whether it \
                      still waits, runs, has completed (with its result), was denied, or failed. \
                      It asks; it does not approve, and it does not wait."
            .to_owned(),
        input_schema: object(
            [("approval_id".to_owned(), id)].into_iter().collect(),
            vec!["approval_id".into()],
        ),
    }
}

fn diagnostics() -> Tool {
    Tool {
        name: DIAGNOSTICS.to_owned(),
        description: "Tells whether the Aileron runtime can be reached and offers actions, and \
                      what to do when it does not."
            .to_owned(),
        input_schema: object(Object::new(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Catalogue;
    use crate::actions::Actions;

    fn listing(items: &Value) -> Actions {
        let with_rest = |item: &Value| {
            let mut whole = json!({
                "version": "1.0.0", "source": "s", "requires": {"connectors": []},
                "match": {"intent": "the intent"}, "execute": [], "enabled": true,
            });
            whole.as_object_mut().unwrap().extend(item.as_object().unwrap().clone());
            whole
        };
        let items: Vec<_> = items.as_array().unwrap().iter().map(with_rest).collect();
        serde_json::from_value(json!({"items": items, "load_errors": []})).unwrap()
    }

    #[test]
    fn a_tool_is_described_as_published() {
        let catalogue = Catalogue::new(&listing(&json!([{
            "name": "list-notes",
            "body": "# List notes\n\nLists the notes.\n",
            "inputs": [
                {"name": "query", "type": "string", "description": "What to look for"},
                {"name": "tags", "type": "array", "items": "string", "required": false,
                 "description": "Only these"},
                {"name": "rest", "type": "array", "required": false, "description": "Any"},
            ],
        }])));
        let tool = &catalogue.tools()[0];
        assert_eq!(
            (tool.name.as_str(), tool.description.as_str()),
            ("list_notes", "Lists the notes.")
        );
        let expected = json!({
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "What to look for"},
                "tags": {"type": "array", "description": "Only these", "items": {"type": "string"}},
                "rest": {"type": "array", "description": "Any", "items": {}},
            },
            "required": ["query"],
        });
        assert_eq!(Value::Object(tool.input_schema.clone()), expected);
        assert_eq!(catalogue.action("list_notes"), Some("list-notes"));
        let names: Vec<_> = catalogue.tools().iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["list_notes", "check_action_status", "aileron_diagnostics"]);
    }

    #[test]
    fn without_a_text_the_intent_describes_it_and_a_gated_one_says_so() {
        let catalogue = Catalogue::new(&listing(&json!([
            {"name": "a", "body": "# Only a heading"},
            {"name": "b", "body": "", "approval": {"required": true}},
            {"name": "c", "approval": {"required": false}},
        ])));
        let described: Vec<_> =
            catalogue.tools().iter().map(|tool| tool.description.as_str()).collect();
        assert_eq!((described[0], described[2]), ("the intent", "the intent"));
        assert!(described[1].starts_with("the intent\n\nThis action needs a person's approval"));
        assert!(described[1].contains("check_action_status"));
    }

    #[test]
    fn a_disabled_action_is_not_offered_and_keeps_its_name_from_others() {
        let actions = listing(&json!([{"name": "a-b", "enabled": false}, {"name": "a_b"}]));
        let catalogue = Catalogue::new(&actions);
        assert_eq!(catalogue.action_count(), 1);
        assert_eq!(catalogue.action("a_b"), None);
        let name = &catalogue.tools()[0].name;
        assert_eq!(catalogue.action(name), Some("a_b"));
    }

    #[test]
    fn what_is_hidden_in_a_description_is_shown_and_what_is_endless_is_cut() {
        let catalogue = Catalogue::new(&listing(&json!([
            {"name": "a", "body": "ok\u{200b}\u{e0041}", "inputs": [
                {"name": "x", "type": "string", "description": "y\u{202e}z"}]},
            {"name": "b", "body": "x".repeat(1_000_000)},
        ])));
        assert_eq!(catalogue.tools()[0].description, "ok\\u{200b}\\u{e0041}");
        let x = &catalogue.tools()[0].input_schema["properties"]["x"];
        assert_eq!(x["description"], "y\\u{202e}z");
        assert!(catalogue.tools()[1].description.len() < 17_000);
    }
}
