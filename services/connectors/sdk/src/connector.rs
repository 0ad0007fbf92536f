//! One call: read from standard input, handed to an operation, answered on standard output.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Error, Result, arguments};

/// An operation whose arguments and output have been brought to JSON.
pub type Operation = fn(Map<String, Value>) -> Result<Value>;

/// The operations of a connector, by name; made by [`connector!`](crate::connector).
#[derive(Clone, Copy, Debug)]
pub struct Connector {
    operations: &'static [(&'static str, Operation)],
}

#[derive(Debug, Deserialize)]
struct Call {
    op: String,
    #[serde(default)]
    args: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Output(Value),
    Error(Error),
}

impl Connector {
    /// A connector of these operations; of two with the same name the first one runs.
    pub const fn new(operations: &'static [(&'static str, Operation)]) -> Self {
        Self { operations }
    }

    /// Runs one operation: what the runtime asks for, and what tests ask for.
    pub fn call(&self, op: &str, arguments: Map<String, Value>) -> Result<Value> {
        if let Some((_, operation)) = self.operations.iter().find(|(name, _)| *name == op) {
            return operation(arguments);
        }
        let known: Vec<_> = self.operations.iter().map(|(name, _)| *name).collect();
        let known = known.join(", ");
        Err(Error::unknown_op(format!("there is no operation {op:?}, only: {known}")))
    }

    /// Carries out the call that the runtime hands to this instance, and writes the answer. The
    /// exit code says whether the call succeeded.
    pub fn run(&self) -> ExitCode {
        let call = io::read_to_string(io::stdin())
            .map_err(|error| Error::bad_input(format!("the call cannot be read: {error}")));
        let answer = match call.and_then(|text| self.carry_out(&text)) {
            Ok(output) => Answer::Output(output),
            Err(error) => Answer::Error(error),
        };
        let mut stdout = io::stdout().lock();
        let written = serde_json::to_writer(&mut stdout, &answer)
            .map_err(io::Error::from)
            .and_then(|()| stdout.flush());
        let succeeded = matches!(answer, Answer::Output(_)) && written.is_ok();
        if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn carry_out(&self, text: &str) -> Result<Value> {
        let call: Call = serde_json::from_str(text).map_err(|error| {
            Error::bad_input(format!("the call is not the expected JSON: {error}"))
        })?;
        self.call(&call.op, call.args)
    }
}

/// Runs a typed function as an operation. [`connector!`](crate::connector) writes the call.
pub fn operate<A: DeserializeOwned, O: Serialize>(
    operation: impl FnOnce(A) -> Result<O>,
    arguments: Map<String, Value>,
) -> Result<Value> {
    let output = operation(arguments::read(arguments)?)?;
    match serde_json::to_value(output) {
        Ok(output @ Value::Object(_)) => Ok(output),
        Ok(_) => Err(Error::runtime("the output must be a JSON object")),
        Err(error) => Err(Error::runtime(format!("the output is not JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Double {
        n: u32,
    }

    #[derive(Serialize)]
    struct Doubled {
        n: u32,
    }

    fn double(arguments: Double) -> Result<Doubled> {
        let doubled = arguments.n.checked_mul(2);
        doubled.map(|n| Doubled { n }).ok_or_else(|| Error::bad_input("n is too large"))
    }

    fn list(_: crate::NoArguments) -> Result<Vec<u32>> {
        crate::Request::get("https://a.example").send().map(|_| Vec::new()).or(Ok(vec![1, 2]))
    }

    fn fail(_: crate::NoArguments) -> Result<Doubled> {
        Err(Error::external_api("down"))
    }

    crate::connector!(double, "list-all" => list, fail,);

    fn class(text: &str) -> &'static str {
        CONNECTOR.carry_out(text).expect_err("the call fails").class()
    }

    #[test]
    fn the_operation_of_the_calls_name_runs() {
        let answer = CONNECTOR.carry_out(r#"{"op":"double","args":{"n":4}}"#);
        assert_eq!(answer, Ok(json!({"n": 8})));
        // The macro's `main` is not run by tests; that it is there is enough.
        let _: fn() -> ExitCode = main;
    }

    #[test]
    fn whatever_goes_wrong_has_a_class() {
        assert_eq!(class(r#"{"op":"fail","args":{}}"#), "external_api_error");
        assert_eq!(class(r#"{"op":"other"}"#), "unknown_op");
        assert_eq!(class(r#"{"op":"double","args":{"n":"x"}}"#), "bad_input");
        assert_eq!(class("{"), "bad_input");
        assert_eq!(class(r#"{"op":"list-all"}"#), "connector_runtime_error");
    }

    #[test]
    fn an_unknown_operation_is_told_the_known_ones() {
        let error = CONNECTOR.call("other", Map::new()).expect_err("there is none");
        assert_eq!(
            error.message(),
            "there is no operation \"other\", only: double, list-all, fail"
        );
    }
}
