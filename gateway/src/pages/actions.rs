//! Actions: what is installed, whether it may be called, and a form that calls it.

use aileron_contract::{
    Context, Reason,
    executor::{Action, Actions, Call, Input, InputKind, Started},
    json,
    names::ActionName,
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::{
    answer::{Problem, Result, page},
    drift::{self, Found},
    form::Fields,
    frame::Frame,
    runs::{failed, link},
    signed::{Named, Posted, Signed},
    text::{encoded, said, short, shown},
};
use crate::Shared;

pub(super) async fn list(State(shared): State<Shared>, signed: Signed) -> Result<Response> {
    let actions = shared.services.executor.actions(&signed.context).await?;
    let frame = signed.frame(&shared).await?;
    Ok(page(frame.around("Actions", false, all(&actions, &frame))))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(Named { name }): Path<Named>,
) -> Result<Response> {
    let action = find(&shared, &signed, &name).await?;
    let changed = match action.pinned {
        Some(false) => drift::found(&shared, &signed, Some(action.name.clone())).await?,
        Some(true) | None => None,
    };
    let frame = signed.frame(&shared).await?;
    let title = action.name.to_string();
    Ok(page(frame.around(&title, false, one(&action, changed.as_ref(), &frame))))
}

pub(super) async fn enable(
    State(shared): State<Shared>,
    Path(Named { name }): Path<Named>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let name: ActionName = name.parse().map_err(back)?;
    let enabled = match fields.needed("enabled")?.as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(Problem::new(Reason::InvalidBody, "enabled: true or false")),
    };
    shared.services.executor.set_enabled(&signed.context, name, enabled).await.map_err(back)?;
    Ok(signed.on_to("actions"))
}

/// Calls the action. A form that is sent twice calls once: it carries a key of its own.
pub(super) async fn run(
    State(shared): State<Shared>,
    Path(Named { name }): Path<Named>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let action = find(&shared, &signed, &name).await?;
    let key = fields.needed("key")?.parse()?;
    let identity = fields.filled("identity").map(|raw| raw.parse()).transpose()?;
    let arguments = arguments(&action, &mut fields)?;
    let within = Context { idempotency_key: Some(key), ..signed.context.clone() };
    let call = Call { action: action.name.clone(), arguments, identity };
    match shared.services.executor.run(&within, call).await.map_err(back)? {
        Started::Done(done) => Ok(signed.on_to(&link(&done.run))),
        Started::Pending(pending) => {
            Ok(signed.on_to(&format!("approvals?focus={}", encoded(pending.id.as_ref()))))
        }
        Started::Failed(failure) => {
            let frame = signed.frame(&shared).await?;
            let content = html! {
                h1 { (said(&action.name)) }
                (failed(&failure))
                p { a.button href=(at(&action.name)) { "Back to the action" } }
            };
            Ok(page(frame.around("The call failed", false, content)))
        }
    }
}

async fn find(shared: &Shared, signed: &Signed, name: &str) -> Result<Action> {
    let name: ActionName = name.parse().map_err(back)?;
    shared.services.executor.action(&signed.context, name).await.map_err(back)
}

fn back(error: aileron_contract::Error) -> Problem {
    Problem::from(error).back_to("actions", "Back to the actions")
}

fn at(name: &ActionName) -> String {
    format!("actions/{}", encoded(name.as_str()))
}

/// What the person typed, as the kinds of the inputs say. What was left empty was not said.
fn arguments(action: &Action, fields: &mut Fields) -> Result<Map<String, Value>> {
    let mut arguments = Map::new();
    for input in &action.inputs {
        let Some(typed) = fields.take(&format!("in-{}", input.name)) else { continue };
        if typed.is_empty() {
            continue;
        }
        arguments.insert(input.name.clone(), value(input, typed)?);
    }
    Ok(arguments)
}

fn value(input: &Input, typed: String) -> Result<Value> {
    let text = input.declared.is_none() && input.kind == InputKind::String;
    if text {
        return Ok(Value::String(typed));
    }
    let read = json::strict(typed.trim().as_bytes());
    // Of an unpublished type nothing is known but what the person types.
    if input.declared.is_some() {
        return Ok(read.unwrap_or(Value::String(typed)));
    }
    read.map_err(|error| {
        let public = format!("{}: a value of type {}: {}", input.name, input.kind, error.public());
        Problem::new(Reason::ValidationError, public)
    })
}

fn all(actions: &Actions, frame: &Frame) -> Markup {
    html! {
        h1 { "Actions" }
        @for warning in &actions.warnings { p.notice.warn { (shown(warning)) } }
        @if actions.items.is_empty() {
            p.empty { "No action is installed. " code { "aileron hub search" } " finds some." }
        } @else {
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { "Action" }
                            th scope="col" { "What it does" }
                            th scope="col" { "Version" }
                            th scope="col" { "May be called" }
                        }
                    }
                    tbody { @for action in &actions.items { (row(action, frame)) } }
                }
            }
            p.quiet { "Agents see a change when they ask for their tools the next time." }
        }
        @if !actions.load_errors.is_empty() {
            h2 { "Files that cannot be used" }
            ul.list {
                @for error in &actions.load_errors {
                    li { code { (shown(&error.file)) } " " (shown(&error.message)) }
                }
            }
        }
    }
}

fn row(action: &Action, frame: &Frame) -> Markup {
    let (now, then) = if action.enabled { ("On", "false") } else { ("Off", "true") };
    html! {
        tr {
            th scope="row" { a href=(at(&action.name)) { (said(&action.name)) } }
            td {
                (shown(&action.intent))
                @if action.pinned == Some(false) {
                    p.bad { "Changed since you accepted it: it will not run. " a href="drift" { "See how" } }
                }
            }
            td { (said(&action.version)) }
            td {
                form method="post" action={ (at(&action.name)) "/enabled" } {
                    (frame.token())
                    input type="hidden" name="enabled" value=(then);
                    button role="switch" aria-checked=(action.enabled)
                        aria-label={ (action.name) " may be called" } { (now) }
                }
            }
        }
    }
}

fn one(action: &Action, changed: Option<&Found>, frame: &Frame) -> Markup {
    let gated = action.approval.as_ref().is_some_and(|rule| rule.required);
    html! {
        h1 { (said(&action.name)) }
        p { (shown(&action.intent)) }
        @match action.pinned {
            Some(true) => {},
            Some(false) => {
                p.notice.bad { "The file is not the one you accepted, and will not run." }
                (drift::cards(changed, frame))
            },
            None => p.notice.warn { "While the vault is locked nobody can say whether it changed." },
        }
        @for sentence in &action.lenient { p.notice.warn { (shown(sentence)) } }
        dl.facts {
            dt { "Version" } dd { (said(&action.version)) }
            dt { "Source" } dd { (said(&action.source)) }
            dt { "Hash" } dd { code title=(action.hash) { (short(&action.hash)) } }
            dt { "File" } dd { code { (shown(&action.path)) } }
            dt { "Approval" } dd { @if gated { "asks you each time" } @else { "runs by itself" } }
            dt { "Enabled" } dd { @if action.enabled { "yes" } @else { "no" } }
            @for requirement in &action.requires {
                dt { "Connector" } dd { (said(&requirement.package)) }
            }
        }
        h2 { "Run it" }
        form.stack method="post" action={ (at(&action.name)) "/run" } {
            (frame.token())
            input type="hidden" name="key" value=(uuid::Uuid::new_v4().to_string());
            @for input in &action.inputs { (field(input)) }
            button.primary { "Run " (said(&action.name)) }
        }
        h2 { "What its author says" }
        pre tabindex="0" { (shown(&action.body)) }
    }
}

/// One input: the browser is told what is needed, and the service checks it.
fn field(input: &Input) -> Markup {
    let id = format!("in-{}", input.name);
    let hint = format!("hint-{}", input.name);
    let label = input.label.as_deref().unwrap_or(&input.name);
    let known = input.declared.is_none();
    html! {
        div {
            label for=(id) {
                (shown(label))
                @if !input.required { span.quiet { " (optional)" } }
            }
            @match input.kind {
                InputKind::Boolean if known => {
                    select id=(id) name=(id) required[input.required] aria-describedby=(hint) {
                        option value="" { "–" }
                        option value="true" { "true" }
                        option value="false" { "false" }
                    }
                }
                InputKind::Integer | InputKind::Number if known => {
                    input id=(id) name=(id) inputmode="decimal" required[input.required]
                        aria-describedby=(hint);
                }
                InputKind::String if known && !input.multiline => {
                    input id=(id) name=(id) required[input.required] aria-describedby=(hint);
                }
                _ => {
                    textarea id=(id) name=(id) required[input.required] aria-describedby=(hint) {}
                }
            }
            p.quiet id=(hint) {
                (shown(&input.description))
                @if matches!(input.kind, InputKind::Array | InputKind::Object) { " (JSON)" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(kind: InputKind, declared: Option<&str>) -> Input {
        Input {
            name: "x".to_owned(),
            kind,
            items: None,
            required: true,
            description: String::new(),
            label: None,
            multiline: false,
            declared: declared.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_typed_becomes_a_value_of_the_inputs_kind() {
        let read = |kind, typed: &str| value(&input(kind, None), typed.to_owned()).ok();
        assert_eq!(read(InputKind::String, "12"), Some("12".into()));
        assert_eq!(read(InputKind::Integer, " 12 "), Some(12.into()));
        assert_eq!(read(InputKind::Boolean, "true"), Some(true.into()));
        assert_eq!(read(InputKind::Array, "[1]"), Some(serde_json::json!([1])));
        assert_eq!(read(InputKind::Integer, "twelve"), None);
        assert_eq!(read(InputKind::Object, "{\"a\":1,\"a\":2}"), None);
        let unknown = value(&input(InputKind::String, Some("date")), "today".to_owned());
        assert_eq!(unknown.ok(), Some("today".into()));
    }
}
