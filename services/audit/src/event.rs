//! Events as lines and lines as records, in the published shape.

use std::{borrow::Cow, collections::BTreeSet};

use aileron_contract::{
    Error, Reason, Result, Timestamp,
    audit::{Actor, ActorKind, Event, Record},
    limits,
    names::AuditId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// A line that lacks only its time: the writer adds that, so that times follow the order of the
/// log.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) id: AuditId,
    /// The event as it will be recorded, large payload values replaced.
    pub(crate) event: Event,
    head: Vec<u8>,
}

/// What follows the time.
const TAIL: &[u8] = b"\"}}";

/// The longest text of a time, with room.
const TIME_MAX: usize = 40;

impl Draft {
    /// Prepares a line. Payload values that would make it longer than [`limits::AUDIT_LINE`] are
    /// replaced by `{"sha256", "size"}` of their JSON, the largest first; an event that does not
    /// fit even so is refused.
    pub(crate) fn new(id: AuditId, mut event: Event) -> Result<Self> {
        loop {
            let head = head(&id, &event)?;
            if head.len() + TIME_MAX + TAIL.len() <= limits::AUDIT_LINE {
                return Ok(Self { id, event, head });
            }
            if !replace_largest(&mut event.payload) {
                return Err(Error::new(
                    Reason::BodyTooLarge,
                    format!(
                        "the event {} does not fit a line of the log ({} bytes), even with its \
                         large values replaced by their hashes: shorten it",
                        event.kind,
                        limits::AUDIT_LINE
                    ),
                ));
            }
        }
    }

    /// At least the length of the line.
    pub(crate) fn length(&self) -> usize {
        self.head.len() + TIME_MAX + TAIL.len()
    }

    /// Writes the line without its line feed.
    pub(crate) fn write(&self, at: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(at.to_string().as_bytes());
        out.extend_from_slice(TAIL);
    }

    /// The record that the log holds once the line is at `index`.
    pub(crate) fn into_record(self, index: u64, timestamp: Timestamp) -> Record {
        let Event { id: _, kind, actor, payload, trace_id } = self.event;
        Record {
            index,
            id: self.id,
            kind: kind.text().to_owned(),
            timestamp,
            actor,
            payload,
            trace_id,
        }
    }

    /// Is `record` this event, recorded earlier?
    pub(crate) fn is(&self, record: &Record) -> bool {
        let Event { id: _, kind, actor, payload, trace_id } = &self.event;
        record.id == self.id
            && record.kind == kind.text()
            && record.actor == *actor
            && record.payload == *payload
            && record.trace_id == *trace_id
    }
}

#[derive(Serialize, Deserialize)]
struct Line<E> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    event: E,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(rename = "EventID")]
    event_id: String,
    event_type: String,
    actor: Who,
    payload: Option<Map<String, Value>>,
    timestamp: String,
}

#[derive(Serialize, Deserialize)]
struct Who {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
}

/// The line up to the opening quote of its time.
fn head(id: &AuditId, event: &Event) -> Result<Vec<u8>> {
    let Event { id: _, kind, actor, payload, trace_id } = event;
    let line = Line {
        trace_id: trace_id.clone(),
        event: Body {
            event_id: id.to_string(),
            event_type: kind.text().to_owned(),
            actor: Who {
                id: actor.id.clone(),
                kind: actor.kind.text().to_owned(),
                display_name: actor.display_name.clone(),
            },
            payload: Some(payload.clone()),
            timestamp: String::new(),
        },
    };
    let mut text = serde_json::to_vec(&line).map_err(Error::internal)?;
    // Behind the empty time stand its closing quote and the closing braces.
    text.truncate(text.len().saturating_sub(TAIL.len()));
    Ok(text)
}

/// A reference is about that long: replacing shorter values gains nothing.
const REFERENCE: usize = 100;

fn replace_largest(payload: &mut Map<String, Value>) -> bool {
    let sized = |value: &Value| serde_json::to_vec(value).unwrap_or_default();
    let largest =
        payload.values_mut().map(|value| (sized(value), value)).max_by_key(|(text, _)| text.len());
    match largest {
        Some((text, value)) if text.len() > REFERENCE => {
            *value = json!({ "sha256": hex::encode(Sha256::digest(&text)), "size": text.len() });
            true
        }
        _ => false,
    }
}

/// Reads a leaf as a record: an event line, or a message line of older logs, which has no id of
/// its own and gets one from its place. `None` for a leaf that is neither.
pub(crate) fn read(index: u64, leaf: &[u8]) -> Option<Record> {
    match serde_json::from_slice::<Line<Body>>(leaf) {
        Ok(line) => read_event(index, line),
        Err(_) => read_message(index, serde_json::from_slice(leaf).ok()?),
    }
}

/// The id that [`read`] finds in a leaf, without reading all of it; an id for a few leaves that
/// are no records after all, but never none, or another one, for a leaf that is.
pub(crate) fn id(index: u64, leaf: &[u8]) -> Option<Cow<'_, [u8]>> {
    if let Some(id) = written_id(leaf) {
        return Some(Cow::Borrowed(id));
    }
    let record = read(index, leaf)?;
    Some(Cow::Owned(record.id.as_str().as_bytes().to_vec()))
}

/// The id of a line as [`Draft`] writes it. A line that says it twice is no record.
fn written_id(leaf: &[u8]) -> Option<&[u8]> {
    let event =
        leaf.strip_prefix(b"{").map(|rest| match rest.strip_prefix(br#""trace_id":""#) {
            Some(rest) => text(rest).and_then(|(_, rest)| rest.strip_prefix(b",")),
            None => Some(rest),
        })??;
    let (id, _) = text(event.strip_prefix(br#""event":{"EventID":""#)?)?;
    Some(id)
}

/// What stands before the closing quote, and what behind; none when something is escaped.
fn text(from: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = from.iter().position(|c| *c == b'"')?;
    let (text, rest) = from.split_at_checked(end)?;
    (!text.contains(&b'\\')).then_some((text, rest.get(1..)?))
}

fn read_event(index: u64, line: Line<Body>) -> Option<Record> {
    let Line { trace_id, event: Body { event_id, event_type, actor, payload, timestamp } } = line;
    let Who { id, kind, display_name } = actor;
    Some(Record {
        index,
        id: event_id.parse().ok()?,
        kind: event_type,
        timestamp: timestamp.parse().ok()?,
        actor: Actor {
            kind: kind.parse().ok()?,
            id,
            display_name: display_name.filter(|name| !name.is_empty()),
        },
        payload: payload.unwrap_or_default(),
        trace_id,
    })
}

fn read_message(index: u64, mut line: Map<String, Value>) -> Option<Record> {
    let Some(Value::String(kind)) = line.remove("event") else { return None };
    let Some(Value::String(timestamp)) = line.remove("timestamp") else { return None };
    let service = line.get("service").and_then(Value::as_str).unwrap_or("messages").to_owned();
    Some(Record {
        index,
        id: format!("audit-leaf-{index}").parse().ok()?,
        kind,
        timestamp: timestamp.parse().ok()?,
        actor: Actor { kind: ActorKind::Service, id: service, display_name: None },
        payload: line,
        trace_id: None,
    })
}

/// The failure class a record names.
pub(crate) fn class(payload: &Map<String, Value>) -> Option<&str> {
    ["aileron.failure.class", "class"].iter().find_map(|key| payload.get(*key)?.as_str())
}

/// The agent session a record names.
pub(crate) fn session(payload: &Map<String, Value>) -> Option<&str> {
    payload.get("aileron.session.id")?.as_str()
}

/// The connectors and actions a record names, in every place the published events use.
pub(crate) fn connectors(payload: &Map<String, Value>) -> BTreeSet<&str> {
    let flat = [
        "aileron.connector.fqn",
        "aileron.action.fqn",
        "aileron.failure.details.connector",
        "connector_fqn",
        "fqn",
        "details.connector",
    ];
    let nested = ["aileron.failure.details", "details"];
    let named = flat.iter().filter_map(|key| payload.get(*key));
    let inside = nested.iter().filter_map(|key| payload.get(*key)?.get("connector"));
    named.chain(inside).filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use aileron_contract::audit::EventKind;

    use super::*;

    fn event() -> Event {
        let actor = Actor { kind: ActorKind::Human, id: "user".to_owned(), display_name: None };
        Event::new(EventKind::ExecutionFailed, actor)
    }

    fn line(event: Event) -> (Draft, String) {
        let draft = Draft::new("audit-1".parse().unwrap(), event).unwrap();
        let mut line = Vec::new();
        draft.write("2026-11-21T03:04:05.000000006Z".parse().unwrap(), &mut line);
        assert!(line.len() <= draft.length());
        (draft, String::from_utf8(line).unwrap())
    }

    #[test]
    fn a_line_has_the_published_shape_to_the_byte() {
        let (_, text) = line(event().with("aileron.failure.class", "network_error"));
        assert_eq!(
            text,
            r#"{"event":{"EventID":"audit-1","EventType":"execution.failed","Actor":{"id":"user","type":"human"},"Payload":{"aileron.failure.class":"network_error"},"Timestamp":"2026-11-21T03:04:05.000000006Z"}}"#
        );
    }

    #[test]
    fn a_line_reads_back_as_the_event_it_was_written_from() {
        let mut full = event().with("a\n\"b", json!({ "x": [1, null, "ü"] }));
        full.trace_id = Some("4bf9".to_owned());
        full.actor.display_name = Some("Ada".to_owned());
        let (draft, text) = line(full);
        assert!(!text.contains('\n'));
        let record = read(7, text.as_bytes()).unwrap();
        assert!(draft.is(&record));
        assert_eq!(record, draft.into_record(7, record.timestamp));
    }

    #[test]
    fn values_too_large_for_a_line_are_referenced_by_their_hash() {
        let big = "x".repeat(limits::AUDIT_LINE);
        let (draft, text) = line(event().with("small", "kept").with("big", big.clone()));
        let digest = hex::encode(Sha256::digest(format!("\"{big}\"")));
        assert_eq!(draft.event.payload["big"], json!({ "sha256": digest, "size": big.len() + 2 }));
        assert_eq!(draft.event.payload["small"], "kept");
        assert!(text.len() <= limits::AUDIT_LINE);
        let many = (0..5_000).fold(event(), |event, at| event.with(&format!("key-{at}"), "value"));
        let refused = Draft::new("audit-1".parse().unwrap(), many).unwrap_err();
        assert_eq!(refused.reason(), Reason::BodyTooLarge);
    }

    #[test]
    fn older_message_lines_are_records_and_other_lines_are_none() {
        let text = r#"{"timestamp":"2025-01-02T03:04:05Z","session_id":"s","event":"reply_sent","service":"slack","channel":"c"}"#;
        let record = read(3, text.as_bytes()).unwrap();
        assert_eq!((record.kind.as_str(), record.id.as_str()), ("reply_sent", "audit-leaf-3"));
        assert_eq!(record.payload["channel"], "c");
        for other in ["", "{", "[]", "{}", "{\"event\":{}}", "\u{0}", "{\"event\":\"x\"}"] {
            assert_eq!(read(0, other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn the_id_is_the_one_that_reading_all_of_a_line_finds() {
        let mut traced = event();
        traced.trace_id = Some("4bf9".to_owned());
        let quoted =
            Event { trace_id: Some("4\"b,\"event\":{\"EventID\":\"x\"".to_owned()), ..event() };
        let lines = [event(), traced, quoted].map(|event| line(event).1);
        let others = [
            r#"{"timestamp":"2025-01-02T03:04:05Z","event":"reply_sent","service":"slack"}"#,
            r#"{"event":{"EventType":"k","EventID":"audit-1","Actor":{"id":"a","type":"agent"},"Payload":null,"Timestamp":"2025-01-02T03:04:05.5Z"}}"#,
            r#"{"event":{"EventID":"audit\u002d1","EventType":"k","Actor":{"id":"a","type":"agent"},"Payload":null,"Timestamp":"2025-01-02T03:04:05.5Z"}}"#,
        ];
        for line in lines.iter().map(String::as_str).chain(others) {
            let record = read(4, line.as_bytes()).unwrap();
            assert_eq!(id(4, line.as_bytes()).unwrap(), record.id.as_str().as_bytes(), "{line}");
        }
        // A second id does not hide the first: such a line is no record.
        let twice = lines[0].replace("\"EventType\"", "\"EventID\":\"audit-2\",\"EventType\"");
        let again = lines[0].replace("}}", "},\"event\":{\"EventID\":\"audit-2\"}}");
        for line in [twice, again] {
            assert_eq!(read(4, line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn connectors_are_found_wherever_published_events_name_them() {
        let payload = event()
            .with("aileron.action.fqn", "github://a/b")
            .with("aileron.failure.details", json!({ "connector": "github://c/d" }))
            .payload;
        assert_eq!(connectors(&payload), BTreeSet::from(["github://a/b", "github://c/d"]));
    }
}
