//! Entries of the Hub: one YAML file each, schemas closed. A repetition by alias is bounded like
//! everything else: each text and each list has a length of its own, checked before it is copied.

use aileron_contract::{
    json, limits,
    publishers::{ActionOffer, ConnectorOffer, HubEntry, HubKind, HubOffer, SuiteOffer},
};
use serde::Deserialize;

use self::fields::{
    ActionName, Category, ConnectorName, Description, Intent, KeyAddress, List, Pattern, Publisher,
    Scalar, SuiteName,
};
use super::{Problem, ProblemKind};

mod fields;

/// A problem's message; the rest is cut with a mark.
const MESSAGE: usize = 300;

/// Reads an entry; its conflicts with others are not looked for here. `file` names it in problems.
pub fn parse(kind: HubKind, bytes: &[u8], file: &str) -> Result<HubEntry, Problem> {
    let refused = |message: String| Problem::new(ProblemKind::Parse, message, file, 0);
    if bytes.len() > limits::HUB_ENTRY {
        return Err(refused(format!("the entry is longer than {} bytes", limits::HUB_ENTRY)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused("the entry is not UTF-8".into()))?;
    if let Some(what) = costly(text) {
        return Err(refused(format!("the entry has {what}, which no entry needs")));
    }
    let read = match kind {
        HubKind::Connector => serde_yaml_ng::from_str(text).map(Connector::into_entry),
        HubKind::Action => serde_yaml_ng::from_str(text).map(Action::into_entry),
        HubKind::Suite => serde_yaml_ng::from_str(text).map(Suite::into_entry),
    };
    read.map_err(|error| {
        let line = error.location().and_then(|at| u32::try_from(at.line()).ok()).unwrap_or(0);
        Problem::new(ProblemKind::Validation, message(&error.to_string()), file, line)
    })
}

/// Brackets of an entry: its lists have none or two, its sentences some.
const BRACKETS: usize = 64;

/// What costs the reader of YAML time that grows with the square of the file.
fn costly(text: &str) -> Option<&'static str> {
    if text.bytes().filter(|c| b"[{".contains(c)).count() > BRACKETS {
        return Some("more than 64 brackets");
    }
    text.lines().any(|line| line.starts_with('%')).then_some("a directive")
}

/// The reader's words without its place, which is told apart; nothing in them steers a terminal.
fn message(text: &str) -> String {
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    let mut shown: String = text.chars().take(MESSAGE).collect();
    if text.chars().nth(MESSAGE).is_some() {
        shown.push('…');
    }
    json::visible(&shown.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connector {
    fqn: Scalar<ConnectorName>,
    description: Scalar<Description<200>>,
    publisher_github: Scalar<Publisher>,
    key_url: Scalar<KeyAddress>,
    release_pattern: Scalar<Pattern>,
}

impl Connector {
    fn into_entry(self) -> HubEntry {
        let Self { fqn, description, publisher_github, key_url, release_pattern } = self;
        HubEntry {
            fqn: fqn.0,
            description: description.0,
            publisher: publisher_github.0,
            offer: HubOffer::Connector(ConnectorOffer {
                key_url: key_url.0,
                release_pattern: release_pattern.0,
            }),
            conflicts: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    fqn: Scalar<ActionName>,
    description: Scalar<Description<1000>>,
    publisher_github: Scalar<Publisher>,
    connector_fqn: Scalar<ConnectorName>,
    #[serde(default)]
    intents: Option<List<Intent, 64>>,
    #[serde(default)]
    category: Option<Scalar<Category>>,
}

impl Action {
    fn into_entry(self) -> HubEntry {
        let Self { fqn, description, publisher_github, connector_fqn, intents, category } = self;
        HubEntry {
            fqn: fqn.0,
            description: description.0,
            publisher: publisher_github.0,
            offer: HubOffer::Action(ActionOffer {
                connector: connector_fqn.0,
                intents: intents.map(|list| list.0).unwrap_or_default(),
                category: category.map(|text| text.0),
            }),
            conflicts: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    fqn: Scalar<SuiteName>,
    description: Scalar<Description<1000>>,
    publisher_github: Scalar<Publisher>,
    member_actions: fields::Filled<ActionName, { limits::HUB_MEMBERS }>,
    #[serde(default)]
    connectors_required: Option<fields::Unique<ConnectorName, 256>>,
    #[serde(default)]
    category: Option<Scalar<Category>>,
}

impl Suite {
    fn into_entry(self) -> HubEntry {
        let Self {
            fqn,
            description,
            publisher_github,
            member_actions,
            connectors_required,
            category,
        } = self;
        HubEntry {
            fqn: fqn.0,
            description: description.0,
            publisher: publisher_github.0,
            offer: HubOffer::Suite(SuiteOffer {
                members: member_actions.0,
                connectors: connectors_required.map(|list| list.0).unwrap_or_default(),
                category: category.map(|text| text.0),
            }),
            conflicts: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
