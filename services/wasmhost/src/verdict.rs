//! From how a guest ended to what its caller is told.

use aileron_contract::{
    failure::{Boundary, Class, Failure},
    limits,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use wasmtime::Trap;

use crate::{
    guest::{End, Finished},
    host::Limits,
};

mod refusals;
pub(crate) use refusals::*;

/// How much of standard error a failure message quotes.
const QUOTED: usize = 256;

/// The longest class name of a guest's own that is kept.
const CLASS_NAME: usize = 64;

/// The published answer of a guest. Unknown fields are ignored.
#[derive(Default, Deserialize)]
struct Answer {
    output: Option<Map<String, Value>>,
    error: Option<GuestError>,
}

#[derive(Deserialize)]
struct GuestError {
    class: Option<String>,
    message: Option<String>,
}

/// What the call came to. A failed request the guest did not follow by a successful one wins over
/// whatever the guest wrote; then its own error; then how it ended.
pub(crate) fn outcome(
    finished: Finished,
    stdout: (Vec<u8>, u64),
    stderr: &str,
    limits: &Limits,
) -> Result<Option<Map<String, Value>>, Failure> {
    let Finished { end, sticky, status, starved } = finished;
    let (stdout, dropped) = stdout;
    if dropped > 0 {
        return Err(limit("stdout", &mebibytes(limits::GUEST_STDOUT)));
    }
    if let Some(failure) = sticky {
        return Err(failure);
    }
    match end {
        End::Exited(0) => match read(&stdout)? {
            Answer { error: Some(error), .. } => Err(own_error(error, status)),
            Answer { output, error: None } => Ok(output),
        },
        End::Exited(code) => Err(match read(&stdout) {
            Ok(Answer { error: Some(error), .. }) => own_error(error, status),
            _ if starved => limit("memory", &memory(limits)),
            _ => broken(format!("connector exited {code}; stderr: {}", tail(stderr)))
                .detail("exit_code", code),
        }),
        End::Trapped(Trap::StackOverflow) => Err(limit("stack", &mebibytes(limits::GUEST_STACK))),
        End::Trapped(_) | End::Stopped(_) | End::NotStarted(_) if starved => {
            Err(limit("memory", &memory(limits)))
        }
        End::Trapped(trap) => {
            let text = trap.to_string();
            Err(broken(format!("connector trapped: {text}")).detail("trap", text))
        }
        End::Stopped(text) => Err(broken(format!("connector was stopped: {}", cut(&text)))),
        End::NotStarted(text) => Err(load_failed(&text)),
    }
}

fn read(stdout: &[u8]) -> Result<Answer, Failure> {
    if stdout.trim_ascii().is_empty() {
        return Ok(Answer::default());
    }
    serde_json::from_slice(stdout).map_err(|error| {
        broken(format!(
            "connector stdout is not a valid JSON envelope: {}",
            cut(&error.to_string())
        ))
    })
}

/// A guest's own error. It may say that its upstream failed; the other classes state facts only
/// the host knows, so a guest that uses one of them is quoted, not believed.
fn own_error(error: GuestError, status: Option<u16>) -> Failure {
    let class = error.class.unwrap_or_default();
    let message = cut(&error.message.unwrap_or_default());
    if class == Class::ExternalApiError.text() {
        let failure = Failure::new(Class::ExternalApiError, Boundary::External, message);
        return match status {
            Some(status) => failure
                .retriable(status == 429 || (500..600).contains(&status))
                .detail("status", status),
            None => failure,
        };
    }
    let failure = broken(message);
    if class.is_empty() || class == Class::ConnectorRuntimeError.text() {
        failure
    } else {
        failure.detail(REPORTED_CLASS, class.chars().take(CLASS_NAME).collect::<String>())
    }
}

/// The end of standard error, on a character's boundary.
fn tail(stderr: &str) -> String {
    let start = (stderr.len().saturating_sub(QUOTED)..=stderr.len())
        .find(|index| stderr.is_char_boundary(*index))
        .unwrap_or_default();
    let mark = if start > 0 { "..." } else { "" };
    format!("{mark}{}", stderr.get(start..).unwrap_or_default())
}

/// A guest's sentence, cut with a mark.
fn cut(text: &str) -> String {
    if text.len() <= limits::GUEST_MESSAGE {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.len().saturating_add(c.len_utf8()) > limits::GUEST_MESSAGE {
            break;
        }
        kept.push(c);
    }
    kept.push_str("...");
    kept
}

#[cfg(test)]
mod tests;
