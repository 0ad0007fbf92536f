//! One call: read from standard input, handed to an operation, answered on standard output.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Error, Result};

/// A call under way. Operations are offered in turn; the one of the call's name runs.
#[derive(Debug)]
pub struct Connector {
    call: Result<Call>,
    answer: Option<Result<Value>>,
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
    /// Reads the call the runtime hands to this instance.
    pub fn start() -> Self {
        let call = io::read_to_string(io::stdin())
            .map_err(|error| Error::bad_input(format!("the call cannot be read: {error}")))
            .and_then(|text| read(&text));
        Self { call, answer: None }
    }

    /// Offers an operation. Its arguments are read into `A`; its result must be a JSON object.
    #[must_use]
    pub fn operation<A: DeserializeOwned, O: Serialize>(
        mut self,
        name: &str,
        operation: impl FnOnce(A) -> Result<O>,
    ) -> Self {
        if let Ok(call) = &mut self.call
            && self.answer.is_none()
            && call.op == name
        {
            self.answer = Some(run(std::mem::take(&mut call.args), operation));
        }
        self
    }

    /// Writes the answer. The exit code says whether the call succeeded.
    pub fn finish(self) -> ExitCode {
        let answer = self.answer();
        let succeeded = matches!(answer, Answer::Output(_));
        let mut stdout = io::stdout().lock();
        let written = serde_json::to_writer(&mut stdout, &answer)
            .map_err(io::Error::from)
            .and_then(|()| stdout.flush());
        if succeeded && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn answer(self) -> Answer {
        let answer = self.call.and_then(|call| {
            self.answer.unwrap_or_else(|| {
                Err(Error::unknown_op(format!("there is no operation {:?}", call.op)))
            })
        });
        match answer {
            Ok(output) => Answer::Output(output),
            Err(error) => Answer::Error(error),
        }
    }
}

fn read(text: &str) -> Result<Call> {
    serde_json::from_str(text)
        .map_err(|error| Error::bad_input(format!("the call is not the expected JSON: {error}")))
}

fn run<A: DeserializeOwned, O: Serialize>(
    args: Map<String, Value>,
    operation: impl FnOnce(A) -> Result<O>,
) -> Result<Value> {
    let args = serde_json::from_value(Value::Object(args))
        .map_err(|error| Error::bad_input(format!("the arguments do not fit: {error}")))?;
    let output = serde_json::to_value(operation(args)?)
        .map_err(|error| Error::runtime(format!("the output is not JSON: {error}")))?;
    match output {
        Value::Object(_) => Ok(output),
        _ => Err(Error::runtime("the output must be a JSON object")),
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

    fn answer(call: &str) -> Value {
        let connector = Connector { call: read(call), answer: None }
            .operation("double", |args: Double| Ok(Doubled { n: args.n * 2 }))
            .operation("list", |_: Map<String, Value>| Ok([1, 2]))
            .operation("fail", |_: Map<String, Value>| -> Result<Doubled> {
                Err(Error::external_api("down"))
            });
        json!(connector.answer())
    }

    #[test]
    fn the_operation_of_the_calls_name_runs() {
        assert_eq!(answer(r#"{"op":"double","args":{"n":4}}"#), json!({"output": {"n": 8}}));
    }

    #[test]
    fn whatever_goes_wrong_has_a_class() {
        let class = |call| answer(call)["error"]["class"].clone();
        assert_eq!(class(r#"{"op":"fail","args":{}}"#), "external_api_error");
        assert_eq!(class(r#"{"op":"other"}"#), "unknown_op");
        assert_eq!(class(r#"{"op":"double","args":{"n":"x"}}"#), "bad_input");
        assert_eq!(class("{"), "bad_input");
        assert_eq!(class(r#"{"op":"list"}"#), "connector_runtime_error");
    }
}
