//! `aileron connector test`: one call of a module that nobody has installed.

use serde_json::{Map, Value, json};

use super::done;
use crate::{
    arguments::TestArguments,
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    runtime::author::{self, Tried, Upstream},
};

pub(super) async fn run(arguments: TestArguments, printer: Printer) -> Result<Exit> {
    let args: Map<String, Value> = serde_json::from_str(&arguments.args)
        .map_err(|error| Failure::plain(format!("--args is no JSON object: {error}")))?;
    let upstream = match (arguments.server, arguments.replay) {
        (Some(url), _) => Upstream::Server { url, record: arguments.record },
        (None, Some(path)) => Upstream::Recording(path),
        (None, None) => Upstream::Nobody,
    };
    let trial = author::Trial { op: arguments.op, args, upstream };
    let working = printer.working("compiling and running the module");
    let tried = Box::pin(author::trial(&arguments.project, trial)).await;
    drop(working);
    let tried = done(tried)?;
    if arguments.json {
        printer.data(whole(&tried).to_string());
        return Ok(if tried.outcome.is_ok() { Exit::Done } else { Exit::Failed });
    }
    talk(&tried, printer);
    match tried.outcome {
        Ok(output) => {
            let output = output.map_or(Value::Null, Value::Object);
            printer.data(format!("{output:#}"));
            Ok(Exit::Done)
        }
        Err((class, message)) => Err(Failure::of_run(&format!("{class}: {message}"))),
    }
}

/// What happened on the way.
fn talk(tried: &Tried, printer: Printer) {
    for exchange in &tried.requests {
        let credential = match &exchange.credential {
            Some(kind) => format!(" with {kind}"),
            None => String::new(),
        };
        let answer = exchange.answer.as_ref();
        let status = answer.map_or("no answer".to_owned(), |answer| answer.status.to_string());
        printer.say(format!("request: {} {}{credential}: {status}", exchange.method, exchange.url));
    }
    for (level, message) in &tried.logs {
        printer.say(format!("log: {level}: {message}"));
    }
    for line in tried.stderr.lines() {
        printer.say(format!("stderr: {line}"));
    }
    printer.say(format!(
        "took: {} ms; one call may take {} s and {} MiB",
        tried.elapsed.as_millis(),
        tried.wall.as_secs(),
        tried.memory / (1024 * 1024)
    ));
}

fn whole(tried: &Tried) -> Value {
    let (output, error) = match &tried.outcome {
        Ok(output) => (json!(output), Value::Null),
        Err((class, message)) => (Value::Null, json!({"class": class, "message": message})),
    };
    let logs: Vec<_> = tried
        .logs
        .iter()
        .map(|(level, message)| json!({"level": level, "message": message}))
        .collect();
    json!({
        "output": output,
        "error": error,
        "requests": tried.requests,
        "logs": logs,
        "stderr": tried.stderr,
        "elapsed_ms": u64::try_from(tried.elapsed.as_millis()).unwrap_or(u64::MAX),
        "limits": {"wall_seconds": tried.wall.as_secs(), "memory_bytes": tried.memory},
    })
}
