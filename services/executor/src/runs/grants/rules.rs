//! Which calls a grant covers: one rule for each input of its action. Pure.

use std::collections::BTreeSet;

use aileron_contract::{
    Error, Reason, Result,
    executor::{Field, GrantRule, GrantedArgument, Input},
    json,
};
use serde_json::{Map, Value};

use super::record::TermsArgument;
use crate::{approval, arguments};

/// The rules of a request, one for each input in declared order. All problems are told at once:
/// an input without a rule, a rule without an input, a value that does not fit.
pub(super) fn checked(
    inputs: &[Input],
    given: Vec<(String, GrantRule)>,
) -> Result<Vec<TermsArgument>> {
    let mut problems = Vec::new();
    let pinned = pinned(inputs, &given, &mut problems);
    let find = |input: &Input| {
        given.iter().find(|(name, _)| *name == input.name).map(|(_, rule)| rule.clone())
    };
    let mut arguments = Vec::new();
    for input in inputs {
        match find(input) {
            Some(GrantRule::LeftOut) if input.required => {
                problems.push(format!("{} cannot be left out", input.name));
            }
            Some(rule) => {
                let (name, label) = (input.name.clone(), input.label.clone());
                arguments.push(TermsArgument { name, label, rule });
            }
            None => problems.push(format!(
                "{} has no rule: say which value it must have, that it is left out, or that \
                 anything will do",
                input.name
            )),
        }
    }
    let relaxed: Vec<Input> =
        inputs.iter().map(|input| Input { required: false, ..input.clone() }).collect();
    let known = pinned.into_iter().filter(|(name, _)| relaxed.iter().any(|it| it.name == *name));
    if let Err(misfit) = arguments::check(&relaxed, known.collect()) {
        problems.push(misfit.message);
    }
    if problems.is_empty() {
        return Ok(arguments);
    }
    Err(Error::new(
        Reason::ValidationError,
        format!("the rules do not fit the action's inputs: {}", problems.join("; ")),
    ))
}

/// The values that calls must have.
fn pinned(
    inputs: &[Input],
    given: &[(String, GrantRule)],
    problems: &mut Vec<String>,
) -> Map<String, Value> {
    let mut seen = BTreeSet::new();
    let mut pinned = Map::new();
    for (name, rule) in given {
        if !seen.insert(name) {
            problems.push(format!("{} has two rules", shown(name)));
        }
        if !inputs.iter().any(|input| input.name == *name) {
            problems.push(format!("{} is not an input of this action", shown(name)));
        }
        match rule {
            GrantRule::Exactly(Value::Null) => {
                problems.push(format!("{name} is null: to have it left out, say so"));
            }
            GrantRule::Exactly(value) => drop(pinned.insert(name.clone(), value.clone())),
            GrantRule::LeftOut | GrantRule::Any => {}
        }
    }
    pinned
}

/// The arguments of a call as they were granted, or none when the call is not covered. A pinned
/// argument gets the value that the person saw, however the caller spelled it. `call` was checked
/// against the action's inputs: what was left out is not in it.
pub(super) fn fit(
    rules: &[TermsArgument],
    call: &Map<String, Value>,
) -> Result<Option<Map<String, Value>>> {
    let mut granted = Map::new();
    for TermsArgument { name, rule, .. } in rules {
        match (rule, call.get(name)) {
            (GrantRule::Exactly(value), Some(given)) if same(value, given)? => {
                granted.insert(name.clone(), value.clone());
            }
            (GrantRule::LeftOut | GrantRule::Any, None) => {}
            (GrantRule::Any, Some(given)) => drop(granted.insert(name.clone(), given.clone())),
            (GrantRule::Exactly(_) | GrantRule::LeftOut, _) => return Ok(None),
        }
    }
    let covered = call.keys().all(|name| rules.iter().any(|rule| rule.name == *name));
    Ok(covered.then_some(granted))
}

/// The rule for a person's eyes.
pub(super) fn told(argument: &TermsArgument) -> GrantedArgument {
    let TermsArgument { name, label, rule } = argument;
    let label = label.as_deref().unwrap_or(name);
    let field = match rule {
        GrantRule::Exactly(value) => {
            let multiline = value.as_str().is_some_and(|text| text.contains('\n'));
            approval::line(label, multiline, Some(value))
        }
        GrantRule::LeftOut | GrantRule::Any => {
            Field { missing: false, ..approval::line(label, false, None) }
        }
    };
    GrantedArgument { name: name.clone(), rule: rule.clone(), field }
}

fn same(one: &Value, other: &Value) -> Result<bool> {
    Ok(json::canonical(one)? == json::canonical(other)?)
}

fn shown(name: &str) -> String {
    let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use aileron_contract::executor::InputKind;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fakes::input;

    fn inputs() -> Vec<Input> {
        vec![
            input("title", InputKind::String, true),
            input("count", InputKind::Number, false),
            input("meta", InputKind::Object, false),
        ]
    }

    fn rules(title: GrantRule, count: GrantRule, meta: GrantRule) -> Vec<(String, GrantRule)> {
        vec![("meta".to_owned(), meta), ("title".to_owned(), title), ("count".to_owned(), count)]
    }

    fn exactly(value: Value) -> GrantRule {
        GrantRule::Exactly(value)
    }

    fn call(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn refusal(given: Vec<(String, GrantRule)>) -> String {
        checked(&inputs(), given).unwrap_err().public().to_owned()
    }

    #[test]
    fn every_input_has_a_rule_and_every_rule_an_input() {
        let all = rules(exactly(json!("x")), GrantRule::Any, GrantRule::LeftOut);
        let names: Vec<_> =
            checked(&inputs(), all.clone()).unwrap().into_iter().map(|rule| rule.name).collect();
        assert_eq!(names, ["title", "count", "meta"]);
        let mut fewer = all.clone();
        fewer.remove(0);
        assert!(refusal(fewer).contains("meta has no rule"));
        let mut more = all.clone();
        more.push(("extra\u{202e}".to_owned(), GrantRule::Any));
        assert!(refusal(more).contains("\"extra\\u{202e}\" is not an input"));
        let mut twice = all;
        twice.push(("count".to_owned(), GrantRule::LeftOut));
        assert!(refusal(twice).contains("\"count\" has two rules"));
    }

    #[test]
    fn a_pinned_value_fits_its_input() {
        let with = |title, count| rules(title, count, GrantRule::Any);
        assert!(
            refusal(with(exactly(json!(1)), GrantRule::Any)).contains("title must be a string")
        );
        assert!(refusal(with(exactly(json!("x")), exactly(json!("1")))).contains("a number"));
        assert!(refusal(with(exactly(Value::Null), GrantRule::Any)).contains("title is null"));
        assert!(refusal(with(GrantRule::LeftOut, GrantRule::Any)).contains("cannot be left out"));
        let long = exactly(json!("x".repeat(aileron_contract::limits::ARGUMENTS)));
        assert!(refusal(with(long, GrantRule::Any)).contains("longer than"));
    }

    #[test]
    fn only_the_same_value_fits_and_a_number_is_a_number() {
        let rules =
            checked(&inputs(), rules(exactly(json!("x")), exactly(json!(1)), GrantRule::Any));
        let rules = rules.unwrap();
        let fits = |value: Value| fit(&rules, &call(value)).unwrap();
        let granted = fits(json!({"title": "x", "count": 1.0, "meta": {"a": 1}})).unwrap();
        // However it was spelled, the call gets what the person saw.
        assert_eq!(granted["count"].to_string(), "1");
        for other in [
            json!({"title": "x", "count": "1"}),
            json!({"title": "x", "count": 1.000_000_1}),
            json!({"title": "x", "count": true}),
            json!({"title": "x", "count": [1]}),
            json!({"title": "x"}),
            json!({"title": "X", "count": 1}),
            json!({"title": "x ", "count": 1}),
            json!({"title": "x", "count": 1, "extra": 1}),
            json!({"count": 1}),
        ] {
            assert_eq!(fits(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn the_order_of_keys_makes_no_difference_and_the_order_of_items_does() {
        let pinned = exactly(json!({"a": 1, "b": [1, 2]}));
        let rules = checked(&inputs(), rules(exactly(json!("x")), GrantRule::LeftOut, pinned));
        let rules = rules.unwrap();
        let fits = |meta: &str| {
            let call = format!(r#"{{"title":"x","meta":{meta}}}"#);
            fit(&rules, &json::object(call.as_bytes()).unwrap()).unwrap().is_some()
        };
        assert!(fits(r#"{"b":[1,2],"a":1}"#));
        for other in [
            r#"{"b":[2,1],"a":1}"#,
            r#"{"a":1}"#,
            r#"{"a":1,"b":[1,2],"c":null}"#,
            r#"{"a":1,"b":[1,2,null]}"#,
        ] {
            assert!(!fits(other), "{other}");
        }
        let call = call(json!({"title": "x", "count": 1, "meta": {"a": 1, "b": [1, 2]}}));
        assert_eq!(fit(&rules, &call).unwrap(), None, "what is to be left out is not given");
    }

    proptest! {
        #[test]
        fn what_is_pinned_reaches_the_call_unchanged(
            pinned in "\\PC{0,12}", given in "\\PC{0,12}", other in "[a-z]{1,8}"
        ) {
            let rules = checked(
                &inputs(),
                rules(exactly(json!(pinned)), GrantRule::Any, GrantRule::LeftOut),
            ).unwrap();
            let mut call = call(json!({"title": given}));
            prop_assert_eq!(fit(&rules, &call).unwrap().is_some(), given == pinned);
            call.insert("title".to_owned(), json!(pinned));
            let declared = inputs().iter().any(|input| input.name == other);
            call.insert(other.clone(), json!(1));
            prop_assert_eq!(
                fit(&rules, &call).unwrap().is_some(),
                declared && other == "count"
            );
        }
    }
}
