//! A call's arguments: checked against what the action declares, then joined with what its author
//! fixed. Pure.

use aileron_contract::{
    executor::{Input, InputKind, PreviewRule, Step},
    failure::{Boundary, Class, Failure},
    limits,
};
use serde_json::{Map, Value};

mod template;

/// The arguments as the action declares them: nothing missing, nothing of another type, nothing
/// undeclared. A null for an input is the same as leaving it out. All problems are told at once.
pub(crate) fn check(
    inputs: &[Input],
    arguments: Map<String, Value>,
) -> Result<Map<String, Value>, Failure> {
    let mut problems = Vec::new();
    let size = serde_json::to_string(&arguments).map_or(usize::MAX, |text| text.len());
    if size > limits::ARGUMENTS {
        problems.push(format!("the arguments are longer than {} bytes", limits::ARGUMENTS));
    }
    let given: Map<String, Value> =
        arguments.into_iter().filter(|(_, value)| !value.is_null()).collect();
    for input in inputs {
        match given.get(&input.name) {
            None if input.required => problems.push(format!("{} is missing", input.name)),
            Some(value) => problems.extend(misfit(input, value)),
            None => {}
        }
    }
    for name in given.keys() {
        if !inputs.iter().any(|input| input.name == *name) {
            let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
            problems.push(format!("\"{shown}\" is not an input of this action"));
        }
    }
    if problems.is_empty() {
        return Ok(given);
    }
    let listed = problems.join("; ");
    let problems: Vec<Value> = problems.into_iter().map(Value::from).collect();
    Err(Failure::new(
        Class::ValidationError,
        Boundary::Action,
        format!("the arguments do not fit the declared inputs: {listed}"),
    )
    .detail("problems", problems))
}

/// The arguments one step's guest gets. The author's inputs come first, with `${args.name}`
/// replaced; they are never overridden. Arguments that the step's inputs do not mention are
/// passed on under their own names, as published.
pub(crate) fn of_step(
    step: &Step,
    inputs: &[Input],
    arguments: &Map<String, Value>,
) -> Map<String, Value> {
    let mut template = template::Template::new(inputs, arguments);
    let mut joined = template.fill_map(&step.inputs);
    let used = template.used();
    for (name, value) in arguments {
        if !step.inputs.contains_key(name) && !used.contains(name) {
            joined.insert(name.clone(), value.clone());
        }
    }
    joined
}

/// The arguments of a preview: its author's, with `${args.name}` replaced. Nothing is passed on
/// that they do not mention.
pub(crate) fn of_preview(
    rule: &PreviewRule,
    inputs: &[Input],
    arguments: &Map<String, Value>,
) -> Map<String, Value> {
    template::Template::new(inputs, arguments).fill_map(&rule.args)
}

fn misfit(input: &Input, value: &Value) -> Option<String> {
    // The type is its author's own, and its nearest published one a guess.
    if input.declared.is_some() {
        return None;
    }
    if !fits(input.kind, value) {
        return Some(format!("{} must be {}", input.name, article(input.kind)));
    }
    let (kind, items) = (input.items?, value.as_array()?);
    let wrong = items.iter().position(|item| !fits(kind, item))?;
    Some(format!("{}[{wrong}] must be {}", input.name, article(kind)))
}

fn fits(kind: InputKind, value: &Value) -> bool {
    match kind {
        InputKind::String => value.is_string(),
        // JSON has one kind of number: 5.0 is an integer.
        InputKind::Integer => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|x| x.fract() == 0.0)
        }
        InputKind::Number => value.is_number(),
        InputKind::Boolean => value.is_boolean(),
        InputKind::Array => value.is_array(),
        InputKind::Object => value.is_object(),
    }
}

fn article(kind: InputKind) -> String {
    match kind {
        InputKind::Integer | InputKind::Array | InputKind::Object => format!("an {kind}"),
        InputKind::String | InputKind::Number | InputKind::Boolean => format!("a {kind}"),
    }
}

/// A value inside a longer text, and on a card: text as it is, whole numbers without a fraction,
/// anything else as JSON.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(x) if number.is_f64() && x.fract() == 0.0 => format!("{x:.0}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fakes::input;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn step(inputs: Value) -> Step {
        Step {
            id: "s".to_owned(),
            connector: "github://a/b".parse().unwrap(),
            op: "op".to_owned(),
            idempotent: None,
            inputs: map(inputs),
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let mut list = input("list", InputKind::Array, false);
        list.items = Some(InputKind::String);
        let inputs = [
            input("title", InputKind::String, true),
            input("count", InputKind::Integer, true),
            input("flag", InputKind::Boolean, false),
            list,
        ];
        let failure = check(
            &inputs,
            map(json!({"count": 1.5, "flag": "yes", "list": ["a", 1], "channel": "#evil"})),
        )
        .unwrap_err();
        assert_eq!((failure.class, failure.boundary), (Class::ValidationError, Boundary::Action));
        for part in ["title is missing", "count must be an integer", "flag must be a boolean"] {
            assert!(failure.message.contains(part), "{}", failure.message);
        }
        assert!(failure.message.contains("list[1] must be a string"));
        assert!(failure.message.contains("\"channel\" is not an input"));
    }

    #[test]
    fn null_is_the_same_as_leaving_an_input_out() {
        let inputs = [input("a", InputKind::String, false), input("b", InputKind::String, true)];
        assert_eq!(
            check(&inputs, map(json!({"a": null, "b": "x"}))).unwrap(),
            map(json!({"b": "x"}))
        );
        assert!(check(&inputs, map(json!({"b": null}))).is_err());
    }

    #[test]
    fn arguments_past_their_bound_are_refused() {
        let inputs = [input("a", InputKind::String, true)];
        assert!(check(&inputs, map(json!({"a": "x".repeat(limits::ARGUMENTS)}))).is_err());
    }

    #[test]
    fn what_the_author_fixed_wins_over_the_caller() {
        let step = step(json!({"channel": "#safe", "text": "${args.text}", "limit": 5}));
        let given = map(json!({"channel": "#evil", "text": "hi", "limit": 100}));
        assert_eq!(
            of_step(&step, &[], &given),
            map(json!({"channel": "#safe", "text": "hi", "limit": 5}))
        );
    }

    #[test]
    fn a_whole_placeholder_keeps_its_type_and_one_in_a_text_becomes_text() {
        let step = step(json!({
            "n": "${args.n}", "deep": {"list": ["${args.tags}", "#${args.n}"]},
            "note": "${args.n} of ${args.f}, ${args.tags}"
        }));
        let given = map(json!({"n": 5, "f": 2.0, "tags": ["a", "b"]}));
        assert_eq!(
            of_step(&step, &[], &given),
            map(json!({
                "n": 5, "deep": {"list": [["a", "b"], "#5"]}, "note": "5 of 2, [\"a\",\"b\"]"
            }))
        );
    }

    #[test]
    fn an_unset_optional_input_leaves_no_key_and_no_wrong_value() {
        let step = step(json!({"a": "${args.x}", "b": ["${args.x}", 1], "c": "see ${args.x}"}));
        assert_eq!(of_step(&step, &[], &Map::new()), map(json!({"b": [1], "c": "see ${args.x}"})));
    }

    #[test]
    fn arguments_no_step_input_mentions_are_passed_on() {
        let step = step(json!({"query": "${args.q}"}));
        let given = map(json!({"q": "x", "page": 2}));
        assert_eq!(of_step(&step, &[], &given), map(json!({"query": "x", "page": 2})));
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_is_not_replaced_again() {
        let step = step(json!({"a": "${args.x}", "b": "<${args.x}>"}));
        let given = map(json!({"x": "${args.y}", "y": "secret"}));
        let joined = of_step(&step, &[], &given);
        assert_eq!(joined["a"], "${args.y}");
        assert_eq!(joined["b"], "<${args.y}>");
    }

    #[test]
    fn types_of_an_api_are_not_enforced_but_bounds_and_names_are() {
        let lenient = |name: &str, kind| Input {
            declared: Some("IssueFilter".to_owned()),
            ..input(name, kind, false)
        };
        let inputs = [lenient("filter", InputKind::Object), lenient("first", InputKind::Integer)];
        let given = map(json!({"filter": "text", "first": [1.5]}));
        assert_eq!(check(&inputs, given.clone()).unwrap(), given);
        assert!(check(&inputs, map(json!({"Filter": {}}))).is_err());
        let long = "x".repeat(limits::ARGUMENTS);
        assert!(check(&inputs, map(json!({"filter": long}))).is_err());
    }

    #[test]
    fn capital_letters_make_a_placeholder_only_of_a_declared_input() {
        let step = step(json!({"a": "${args.teamId}", "b": "<${args.teamId}>", "c": "${args.Ti}"}));
        let given = map(json!({"teamId": "T1"}));
        let inputs = [input("teamId", InputKind::String, false)];
        let joined = of_step(&step, &inputs, &given);
        assert_eq!(joined, map(json!({"a": "T1", "b": "<T1>", "c": "${args.Ti}"})));
        let left_out = of_step(&step, &inputs, &Map::new());
        assert_eq!(left_out, map(json!({"b": "<${args.teamId}>", "c": "${args.Ti}"})));
        // A strict file declares no such input: there it is text, as it always was.
        assert_eq!(of_step(&step, &[], &Map::new()), step.inputs);
    }

    proptest! {
        #[test]
        fn fixed_inputs_survive_whatever_the_caller_sends(
            given in proptest::collection::hash_map("[a-c]", "\\PC{0,12}", 0..4)
        ) {
            let step = step(json!({"a": "fixed", "b": {"c": 1}}));
            let given: Map<String, Value> =
                given.into_iter().map(|(key, text)| (key, Value::from(text))).collect();
            let joined = of_step(&step, &[], &given);
            prop_assert_eq!(&joined["a"], "fixed");
            prop_assert_eq!(&joined["b"], &json!({"c": 1}));
        }
    }
}
