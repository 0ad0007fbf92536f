//! What a gated call would act upon, asked for by the runtime before a person decides, and once more
//! before the call runs. It goes to the person's card and nowhere else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aileron_contract::{
    Error, Result,
    executor::{Field, Preview, PreviewRule},
    failure::{Class, Failure},
    json, limits,
};
use aileron_wasmhost::{Call, Limits};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{
    Record,
    door::Door,
    engine::Engine,
    plan::Plan,
    record::Shown,
    step::{misnamed, module},
    text::principal_text,
};
use crate::{
    approval::{self, Credential},
    arguments,
};

/// The longest reason a card gives for a missing preview.
const REASON: usize = 500;

/// Callers and actions remembered within one minute; past it no previews are fetched.
const REMEMBERED: usize = 4_096;

const MINUTE: Duration = Duration::from_mins(1);

impl Engine {
    /// What a new approval shows; none when the action has no preview.
    pub(super) async fn first_preview(
        &self,
        record: &Record,
        plan: &Plan,
        credentials: &[Credential],
    ) -> Result<Option<Shown>> {
        if plan.installed.file.preview().is_none() {
            return Ok(None);
        }
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|cause| Error::internal(cause.to_string()))?;
        let salt = hex::encode(salt);
        if self.previews.admit(record, Instant::now()) {
            return Ok(self.preview(record, plan, credentials, salt).await);
        }
        let why = "too many previews were asked for within a minute".to_owned();
        Ok(Some(Shown { salt, preview: Preview::Unavailable(why) }))
    }

    /// What the approval would show now. Not counted: a person's decision comes before each.
    pub(super) async fn preview(
        &self,
        record: &Record,
        plan: &Plan,
        credentials: &[Credential],
        salt: String,
    ) -> Option<Shown> {
        let (connector, rule) = plan.installed.file.preview()?;
        let span = tracing::info_span!(
            "aileron.action.preview",
            aileron.action.name = %record.action,
            aileron.connector.fqn = %connector,
            aileron.connector.op = rule.op,
        );
        let answer = Box::pin(self.ask(record, plan, credentials, rule)).instrument(span).await;
        let preview = match answer.and_then(|answer| fields(rule, &answer)) {
            Ok(fields) => Preview::Fields(fields),
            Err(why) => Preview::Unavailable(json::visible(&why).chars().take(REASON).collect()),
        };
        Some(Shown { salt, preview })
    }

    /// Calls the preview's operation in the same sandbox, with the same credential, as the first
    /// step would be called.
    async fn ask(
        &self,
        record: &Record,
        plan: &Plan,
        credentials: &[Credential],
        rule: &PreviewRule,
    ) -> Result<Map<String, Value>, String> {
        let step = &plan.first;
        let file = &plan.installed.file;
        let granted = file.requirement(&step.package.fqn);
        if !granted.is_some_and(|granted| granted.capabilities.contains(&rule.op)) {
            return Err(format!("the action does not declare the operation {:?}", rule.op));
        }
        let loaded = self.parts.library.connector(step.hash).await;
        let loaded = loaded.map_err(|error| error.public().to_owned())?;
        if loaded.package != step.package {
            return Err(misnamed(step, &loaded).message);
        }
        // Compiling is bounded by itself, and not the call's to pay for.
        self.parts.guest.prepare(module(&loaded)).await.map_err(|failure| told(&failure))?;
        let wall = limits::PREVIEW_WALL.min(loaded.manifest.limits.wall);
        let of_step = |known: &&Credential| known.connector == step.package.fqn;
        let door = Arc::new(Door {
            egress: Arc::clone(&self.parts.egress),
            journal: None,
            connector: Arc::clone(&loaded),
            binding: credentials.iter().find(of_step).and_then(|known| known.binding.clone()),
            session: record.session.clone(),
            // Installed actions declare it to be: else the action would not have been offered.
            repeatable: true,
            deadline: Instant::now() + wall,
            seen: Mutex::default(),
        });
        let call = Call {
            op: rule.op.clone(),
            args: arguments::of_preview(rule, &file.inputs, &record.arguments),
            limits: Limits { memory: loaded.manifest.limits.memory, wall },
        };
        let calling = self.parts.guest.call(module(&loaded), call, door);
        // A place among the guests under way may take longer than the call itself.
        let report = tokio::time::timeout(wall, calling).await.map_err(|_| TIMEOUT.to_owned())?;
        report.outcome.map(Option::unwrap_or_default).map_err(|failure| told(&failure))
    }
}

/// How many previews were fetched within a minute, for whom and for which action.
#[derive(Debug, Default)]
pub(super) struct Previews(Mutex<HashMap<String, (Instant, u32)>>);

impl Previews {
    /// May one more be fetched? Both counts go up only together.
    fn admit(&self, record: &Record, now: Instant) -> bool {
        // Entries are written whole: a panic elsewhere leaves nothing half done here.
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.retain(|_, (began, _)| now.saturating_duration_since(*began) < MINUTE);
        // A program may name any session: what it is known by is its token.
        let bounds = [
            (format!("caller {}", principal_text(&record.principal)), limits::PREVIEWS_CALLER),
            (format!("action {}", record.action), limits::PREVIEWS_ACTION),
        ];
        let left = |(key, most): &(String, u32)| counted.get(key).is_none_or(|(_, n)| n < most);
        if counted.len() >= REMEMBERED || !bounds.iter().all(left) {
            return false;
        }
        for (key, _) in bounds {
            let (_, count) = counted.entry(key).or_insert((now, 0));
            *count = count.saturating_add(1);
        }
        true
    }
}

const TIMEOUT: &str = "timeout";

fn told(failure: &Failure) -> String {
    let limit = failure.details.as_ref().and_then(|details| details.get("limit")?.as_str());
    if failure.class == Class::ResourceLimitExceeded && limit == Some("wall_time") {
        return TIMEOUT.to_owned();
    }
    failure.message.clone()
}

/// The lines of the card, in the author's order.
fn fields(rule: &PreviewRule, answer: &Map<String, Value>) -> Result<Vec<Field>, String> {
    let line = |(label, path): &(String, String)| {
        approval::line(label, rule.multiline.contains(label), walk(answer, path))
    };
    let fields: Vec<Field> = rule.render.iter().map(line).collect();
    let size: usize = fields.iter().filter_map(|field| field.value.as_ref()).map(String::len).sum();
    if size > limits::PREVIEW_TEXT {
        return Err(format!("it is longer than {} KiB", limits::PREVIEW_TEXT / 1024));
    }
    Ok(fields)
}

/// Objects by key; lists of `{name, value}` by name, other lists by place.
fn walk<'v>(answer: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    let mut segments = path.split('.');
    let mut at = answer.get(segments.next()?)?;
    for segment in segments {
        at = match at {
            Value::Object(members) => members.get(segment)?,
            Value::Array(items) => item(items, segment)?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        };
    }
    Some(at)
}

fn item<'v>(items: &'v [Value], segment: &str) -> Option<&'v Value> {
    let pair = |item: &'v Value| Some((item.get("name")?.as_str()?, item.get("value")?));
    if items.iter().any(|item| pair(item).is_some()) {
        return items.iter().filter_map(pair).find(|(name, _)| *name == segment).map(|it| it.1);
    }
    items.get(segment.parse::<usize>().ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rule(render: &[(&str, &str)]) -> PreviewRule {
        PreviewRule {
            op: "get".to_owned(),
            args: Map::new(),
            render: render.iter().map(|(l, p)| ((*l).to_owned(), (*p).to_owned())).collect(),
            multiline: vec!["Body".to_owned()],
        }
    }

    fn lines(render: &[(&str, &str)], answer: &Value) -> Vec<(String, Option<String>, bool)> {
        let fields = fields(&rule(render), answer.as_object().unwrap()).unwrap();
        fields.into_iter().map(|it| (it.label, it.value, it.multiline)).collect()
    }

    #[test]
    fn a_path_goes_through_objects_named_pairs_and_places() {
        let answer = json!({
            "message": { "headers": [
                { "name": "subject", "value": "no" },
                { "name": "Subject", "value": "Hi\u{202e}" },
                { "name": "0", "value": "zero" },
            ] },
            "to": ["Ann", { "mail": "b@example" }],
            "count": 3.0, "none": null, "open": true,
        });
        let render = [
            ("Subject", "message.headers.Subject"),
            ("Zero", "message.headers.0"),
            ("First", "to.0"),
            ("Second", "to.1.mail"),
            ("Count", "count"),
            ("Open", "open"),
            ("None", "none"),
            ("Beyond", "to.2"),
            ("Deep", "count.x"),
            ("Body", "message"),
        ];
        let shown = lines(&render, &answer);
        let values: Vec<_> = shown.iter().map(|(_, value, _)| value.as_deref()).collect();
        assert_eq!(
            values[..9],
            [
                Some("Hi\\u{202e}"),
                Some("zero"),
                Some("Ann"),
                Some("b@example"),
                Some("3"),
                Some("true"),
                None,
                None,
                None,
            ]
        );
        assert!(shown.last().unwrap().2, "what the author calls multiline is");
    }

    #[test]
    fn a_preview_longer_than_a_card_is_none() {
        let answer = json!({ "text": "x".repeat(limits::PREVIEW_TEXT + 1) });
        assert!(fields(&rule(&[("T", "text")]), answer.as_object().unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn any_path_through_any_answer_ends(path in ".{0,40}", keys in "[a-c0-2.]{0,12}") {
            let answer = json!({ "a": [[{ "name": "b", "value": [1] }], { "b": { "c": 2 } }] });
            let answer = answer.as_object().unwrap();
            for path in [path, keys] {
                if let Some(found) = walk(answer, &path) {
                    prop_assert!(answer.contains_key(path.split('.').next().unwrap()));
                    prop_assert!(!found.is_null());
                }
            }
        }
    }
}
