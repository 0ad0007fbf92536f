//! What may leave with a span, and nothing else.
//!
//! Spans are written by every room and serve the log as well; some of what they say is for the
//! log alone. So this is a list of what leaves, not of what stays: a new attribute is exported
//! once it stands here. None of them holds an argument, a result, a text somebody wrote, a header
//! or an address below its host.

use std::time::Duration;

use aileron_contract::limits;
use opentelemetry::{
    KeyValue, StringValue, Value,
    trace::{SpanKind, Status},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// Attributes that are exported. Names of the semantic conventions where these have one, else the
/// published ones.
pub(super) const ATTRIBUTES: [&str; 31] = [
    "aileron.action.name",
    "aileron.action.steps_count",
    "aileron.approval.action",
    "aileron.approval.decision",
    "aileron.approval.id",
    "aileron.approval.kind",
    WAITED,
    "aileron.audit.id",
    "aileron.audit.type",
    "aileron.capability.kind",
    "aileron.connector.fqn",
    "aileron.connector.hash",
    "aileron.connector.op",
    "aileron.egress.sent",
    "aileron.failure.boundary",
    "aileron.failure.class",
    "aileron.failure.retriable",
    "aileron.run.id",
    "aileron.run.outcome",
    SESSION,
    "error.type",
    "gen_ai.operation.name",
    "gen_ai.tool.name",
    METHOD,
    "http.response.status_code",
    "http.route",
    "mcp.method.name",
    "rpc.method",
    "rpc.system",
    "server.address",
    "server.port",
];

/// How long an approval waited, on a span that is made when the wait is over.
const WAITED: &str = "aileron.approval.wait_ms";
const SESSION: &str = "aileron.session.id";
const METHOD: &str = "http.request.method";

const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/// The span as it leaves.
pub(super) fn vetted(mut span: SpanData) -> SpanData {
    let of_a_caller = span.span_kind == SpanKind::Server;
    span.attributes.retain(|attribute| {
        let key = attribute.key.as_str();
        // At the door the session is what a header says, and nobody has checked it.
        ATTRIBUTES.contains(&key) && !(of_a_caller && key == SESSION)
    });
    for attribute in &mut span.attributes {
        bounded(attribute);
    }
    if let Some(waited) = span.attributes.iter().find_map(waited)
        && let Some(start) = span.end_time.checked_sub(waited)
    {
        span.start_time = start;
    }
    // Events are lines of the log.
    span.events = SpanEvents::default();
    let mut links = SpanLinks::default();
    links.links = std::mem::take(&mut span.links.links);
    links.links.truncate(limits::TRACE_LINKS);
    for link in &mut links.links {
        link.attributes.clear();
    }
    span.links = links;
    span.dropped_attributes_count = 0;
    if let Status::Error { description } = &span.status
        && !description.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')
    {
        span.status = Status::error("");
    }
    if span.name.len() > limits::TRACE_TEXT {
        span.name = cut(&span.name).to_owned().into();
    }
    span
}

fn bounded(attribute: &mut KeyValue) {
    let method = attribute.key.as_str() == METHOD;
    match &mut attribute.value {
        Value::String(text) if method && !METHODS.contains(&text.as_str()) => {
            *text = StringValue::from("_OTHER");
        }
        Value::String(text) if text.as_str().len() > limits::TRACE_TEXT => {
            *text = StringValue::from(cut(text.as_str()).to_owned());
        }
        Value::Bool(_) | Value::I64(_) | Value::F64(_) | Value::String(_) => {}
        other => *other = Value::from("…"),
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(limits::TRACE_TEXT)).unwrap_or_default()
}

fn waited(attribute: &KeyValue) -> Option<Duration> {
    match attribute.value {
        Value::I64(milliseconds) if attribute.key.as_str() == WAITED => {
            u64::try_from(milliseconds).ok().map(Duration::from_millis)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::{
        InstrumentationScope, SpanId, TraceFlags, TraceId,
        trace::{Event, Link, SpanContext, TraceState},
    };

    use super::*;

    fn span(kind: SpanKind, attributes: Vec<KeyValue>) -> SpanData {
        let now = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: kind,
            name: "a".into(),
            start_time: now,
            end_time: now,
            attributes,
            dropped_attributes_count: 1,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    fn keys(span: &SpanData) -> Vec<&str> {
        span.attributes.iter().map(|it| it.key.as_str()).collect()
    }

    #[test]
    fn what_is_not_on_the_list_stays() {
        let all = ["http.route", "error", "aileron.arguments", "url.full", SESSION, "request_id"];
        let all = || all.map(|key| KeyValue::new(key, "canary")).to_vec();
        assert_eq!(keys(&vetted(span(SpanKind::Internal, all()))), ["http.route", SESSION]);
        assert_eq!(keys(&vetted(span(SpanKind::Server, all()))), ["http.route"]);
    }

    #[test]
    fn words_of_others_do_not_leave_by_another_way() {
        let mut written = span(SpanKind::Client, vec![KeyValue::new(METHOD, "CANARY")]);
        written.attributes.push(KeyValue::new("http.route", "é".repeat(limits::TRACE_TEXT)));
        let list = vec![StringValue::from("canary")];
        let list = Value::Array(opentelemetry::Array::String(list));
        written.attributes.push(KeyValue::new("error.type", list));
        written.events.events.push(Event::with_name("canary"));
        let id = SpanId::from_bytes([1; 8]);
        let trace = TraceId::from_bytes([1; 16]);
        let context =
            SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::default());
        let link = Link::new(context, vec![KeyValue::new("http.route", "canary")], 0);
        written.links.links = vec![link; limits::TRACE_LINKS + 1];
        written.status = Status::error("Canary, and more");
        written.name = "a".repeat(limits::TRACE_TEXT + 1).into();
        let left = vetted(written);
        let text = format!("{left:?}");
        assert!(!text.to_lowercase().contains("canary"), "{text}");
        assert!(text.contains("_OTHER") && left.links.links.len() == limits::TRACE_LINKS);
        assert_eq!(left.attributes[1].value.as_str().len(), limits::TRACE_TEXT);
        assert_eq!(left.name.len(), limits::TRACE_TEXT);
        let mut failed = span(SpanKind::Client, Vec::new());
        failed.status = Status::error("network_error");
        assert_eq!(vetted(failed).status, Status::error("network_error"));
    }

    #[test]
    fn a_wait_begins_when_it_began() {
        let waited = vetted(span(SpanKind::Internal, vec![KeyValue::new(WAITED, 1_500_i64)]));
        let lasted = waited.end_time.duration_since(waited.start_time).unwrap();
        assert_eq!(lasted, Duration::from_millis(1_500));
        for odd in [-1, i64::MAX] {
            let odd = vetted(span(SpanKind::Internal, vec![KeyValue::new(WAITED, odd)]));
            assert!(odd.start_time <= odd.end_time);
        }
    }

    #[test]
    fn the_manual_names_everything_that_leaves() {
        let manual = include_str!("../../../../gateway/docs/telemetry.md");
        let mut named = Vec::new();
        let mut whole = "";
        for word in manual.split('`').skip(1).step_by(2) {
            // After a whole name its neighbours stand with their ends alone.
            if let (Some(end), Some((family, _))) = (word.strip_prefix('.'), whole.rsplit_once('.'))
            {
                named.push(format!("{family}.{end}"));
            } else {
                whole = if word.contains('.') { word } else { whole };
                named.push(word.to_owned());
            }
        }
        let told = |attribute: &str| {
            named.iter().any(|it| {
                it.strip_suffix('*').map_or(it == attribute, |all| attribute.starts_with(all))
            })
        };
        let silent: Vec<_> = ATTRIBUTES.into_iter().filter(|it| !told(it)).collect();
        assert!(silent.is_empty(), "gateway/docs/telemetry.md does not name {silent:?}");
    }

    #[test]
    fn the_list_is_in_order_and_says_nothing_twice() {
        assert!(ATTRIBUTES.is_sorted_by(|a, b| a < b), "{ATTRIBUTES:?}");
    }
}
