//! `aileron action run`.

use aileron_api::{
    Object,
    actions::{Input, RunPending},
    client::{Answer, Error, RunOutcome},
};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

use super::binding::{self, Lacking};
use crate::{
    arguments::RunArguments,
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    terminal,
};

pub(super) async fn run(arguments: &RunArguments, connection: &Connection<'_>) -> Result<Exit> {
    let args = call_arguments(arguments, connection).await?;
    connection.ready_vault().await?;
    let mut answer = called(arguments, connection, &args).await;
    if let Err(error) = &answer
        && !arguments.json
        && let Some(connector) = unbound(error)
        && bound_now(connection, error, &connector, arguments).await?
    {
        // Refused before anything was sent: the same call, for the first time.
        answer = called(arguments, connection, &args).await;
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            if let (true, Some(refusal)) = (arguments.json, error.api()) {
                connection.printer.data(&refusal.raw);
            }
            let recorded = error.api().and_then(|refusal| refusal.failure.as_ref());
            if let Some(id) = recorded.and_then(|failure| failure.audit_id.as_ref()) {
                connection.printer.say(format!("recorded: aileron audit show {id}"));
            }
            return Err(error.into());
        }
    };
    if arguments.json {
        connection.printer.data(&answer.raw);
    }
    match answer.value {
        RunOutcome::Done(done) => {
            if let Some(path) = &arguments.audit_id_out {
                std::fs::write(path, format!("{}\n", done.audit_id))
                    .map_err(|error| Failure::file("write", path, error))?;
            }
            if !arguments.json {
                connection.printer.data("wrapped output:");
                connection.printer.data(done.result.unwrap_or_default());
            }
            Ok(Exit::Done)
        }
        RunOutcome::Pending(pending) => {
            if !arguments.json {
                explain(connection, &pending);
            }
            Ok(Exit::NotYet)
        }
    }
}

async fn called(
    arguments: &RunArguments,
    connection: &Connection<'_>,
    args: &RawValue,
) -> Result<Answer<RunOutcome>, Error> {
    let key = arguments.idempotency_key.as_deref();
    let _working = connection.printer.working("running");
    let asked = (args, arguments.identity.as_deref());
    connection.client.run_action_as_written(&arguments.name, asked, key).await
}

/// The connector that has no credential at all, when that is why a call failed. Of several
/// bindings the runtime does not choose: another one would not help.
fn unbound(error: &Error) -> Option<String> {
    let failure = error.api()?.failure.as_ref()?;
    let details = failure.details.as_ref()?;
    let none = details.get("candidates")?.as_array()?.is_empty();
    let connector = details.get("connector")?.as_str()?;
    (failure.class == "binding_required" && none).then(|| connector.to_owned())
}

/// Offers the person at the terminal to bind what is missing.
async fn bound_now(
    connection: &Connection<'_>,
    error: &Error,
    connector: &str,
    arguments: &RunArguments,
) -> Result<bool> {
    if !terminal::present() {
        return Ok(false);
    }
    connection.printer.cross(error.to_string());
    let person = connection.person(None).await?;
    let lacking = Lacking { fqn: connector, identity: arguments.identity.as_deref() };
    let bound = Box::pin(binding::offer_to(lacking, connection, &person, false)).await;
    person.leave().await;
    bound
}

fn explain(connection: &Connection<'_>, pending: &RunPending) {
    connection.printer.say("approval needed: the action has not run");
    if let Some(url) = &pending.review_url {
        connection.printer.say(format!("  review it at {url}, or here:"));
    }
    connection.printer.say(format!("  aileron approval approve {}", pending.approval_id));
    connection.printer.data(&pending.approval_id);
}

/// The arguments as they go to the runtime, which reads them more strictly than we do.
async fn call_arguments(
    arguments: &RunArguments,
    connection: &Connection<'_>,
) -> Result<Box<RawValue>> {
    if let Some(text) = &arguments.args {
        return as_written(text);
    }
    let object = converted(arguments, connection).await?;
    to_raw_value(&object).map_err(|error| Failure::plain(format!("--arg: {error}")))
}

fn as_written(text: &str) -> Result<Box<RawValue>> {
    serde_json::from_str::<Object>(text)
        .and_then(|_object| RawValue::from_string(text.to_owned()))
        .map_err(|error| Failure::plain(format!("--args is not a JSON object: {error}")))
}

async fn converted(arguments: &RunArguments, connection: &Connection<'_>) -> Result<Object> {
    if arguments.arg.is_empty() {
        return Ok(Object::new());
    }
    let declared = connection.client.action(&arguments.name).await?.value.inputs;
    typed(&arguments.arg, &declared)
}

/// `KEY=VALUE` pairs, each value of the type that its input declares.
pub(super) fn typed(pairs: &[String], declared: &[Input]) -> Result<Object> {
    let mut object = Object::new();
    for pair in pairs {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::plain(format!("--arg {pair:?}: KEY=VALUE is expected")))?;
        let input = declared.iter().find(|input| input.name == key);
        if object.insert(key.to_owned(), convert(key, value, input)?).is_some() {
            return Err(Failure::plain(format!("--arg {key} is given twice")));
        }
    }
    Ok(object)
}

/// Text becomes the declared type; an undeclared argument stays text, for the runtime to refuse.
/// A type of the author's own is only a hint: what does not fit stays text.
fn convert(key: &str, value: &str, input: Option<&Input>) -> Result<Value> {
    let kind = input.map_or("string", |input| input.kind.as_str());
    if kind == "string" {
        return Ok(Value::String(value.to_owned()));
    }
    let parsed: Option<Value> = serde_json::from_str(value).ok();
    let fits = |value: &Value| match kind {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    let hint = input.is_some_and(|input| input.declared_type.is_some());
    parsed
        .filter(fits)
        .or_else(|| hint.then(|| Value::String(value.to_owned())))
        .ok_or_else(|| Failure::plain(format!("--arg {key}: {value:?} is not of type {kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(kind: &str) -> Input {
        serde_json::from_value(serde_json::json!({
            "name": "k", "type": kind, "description": "d", "required": true, "multiline": false
        }))
        .unwrap()
    }

    #[test]
    fn arguments_given_as_json_are_passed_on_unread() {
        let twice = r#"{"a": 1, "a": 9007199254740993}"#;
        assert_eq!(as_written(twice).unwrap().get(), twice);
        for text in ["[]", "", "{", "{}{}", "1"] {
            assert!(as_written(text).is_err(), "{text}");
        }
    }

    #[test]
    fn arguments_take_their_declared_type() {
        for (kind, text, value) in [
            ("string", "1", serde_json::json!("1")),
            ("integer", "1", serde_json::json!(1)),
            ("number", "1.5", serde_json::json!(1.5)),
            ("boolean", "true", serde_json::json!(true)),
            ("array", "[1]", serde_json::json!([1])),
            ("object", "{\"a\":1}", serde_json::json!({"a": 1})),
        ] {
            assert_eq!(convert("k", text, Some(&input(kind))).unwrap(), value, "{kind}");
        }
        assert!(convert("k", "1.5", Some(&input("integer"))).is_err());
        assert!(convert("k", "yes", Some(&input("boolean"))).is_err());
    }

    #[test]
    fn a_type_of_the_authors_own_is_a_hint() {
        let hint = Input { declared_type: Some("Int".to_owned()), ..input("integer") };
        assert_eq!(convert("k", "1", Some(&hint)).unwrap(), serde_json::json!(1));
        assert_eq!(convert("k", "one", Some(&hint)).unwrap(), serde_json::json!("one"));
    }
}
