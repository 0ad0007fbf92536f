//! An entry of the Hub: read or refused with a line of it, and the same when it is written anew.
#![no_main]

use aileron_contract::publishers::{HubEntry, HubKind, HubOffer};
use aileron_executor::formats::hub;
use serde_json::json;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((kind, text)) = bytes.split_first() else { return };
    let kind = HubKind::ALL[usize::from(*kind) % HubKind::ALL.len()];
    match hub::parse(kind, text, "entry.yaml") {
        Err(problem) => {
            assert!(!problem.message().is_empty());
            assert!(!problem.message().chars().any(char::is_control), "{problem}");
        }
        Ok(entry) => {
            assert!(!entry.description.chars().any(char::is_control), "{entry:?}");
            // JSON is YAML, spelled as strictly as it gets.
            let again = ascii(&written(&entry).to_string());
            assert_eq!(hub::parse(kind, again.as_bytes(), "entry.yaml"), Ok(entry), "{again}");
        }
    }
});

fn written(entry: &HubEntry) -> serde_json::Value {
    let mut object = json!({
        "fqn": entry.fqn.as_str(),
        "description": entry.description,
        "publisher_github": entry.publisher,
    });
    match &entry.offer {
        HubOffer::Connector(offer) => {
            object["key_url"] = offer.key_url.as_str().into();
            object["release_pattern"] = offer.release_pattern.as_str().into();
        }
        HubOffer::Action(offer) => {
            object["connector_fqn"] = offer.connector.as_str().into();
            object["intents"] = offer.intents.clone().into();
            object["category"] = offer.category.clone().into();
        }
        HubOffer::Suite(offer) => {
            let texts = |names: &[aileron_contract::names::Fqn]| {
                names.iter().map(ToString::to_string).collect::<Vec<_>>()
            };
            object["member_actions"] = texts(&offer.members).into();
            object["connectors_required"] = texts(&offer.connectors).into();
            object["category"] = offer.category.clone().into();
        }
    }
    object
}

/// What is printable everywhere, spelled as YAML spells it.
fn ascii(text: &str) -> String {
    let mut spelled = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            spelled.push(c);
        } else {
            spelled.push_str(&format!("\\U{:08x}", u32::from(c)));
        }
    }
    spelled
}
