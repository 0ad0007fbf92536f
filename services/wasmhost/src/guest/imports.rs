//! The module `aileron_host`, as published. No function traps on what a guest passes.

use aileron_contract::{failure::Failure, json::visible, limits};
use tokio::sync::oneshot;
use wasmtime::{Caller, Linker};

use super::{Ask, State, memory};
use crate::{
    network::{GuestRequest, GuestResponse},
    report::LogLine,
    verdict,
};

const MODULE: &str = "aileron_host";

const OK: i32 = 0;
/// Denied, failed, or nothing there.
const DENIED: i32 = -1;
/// A bad range, or not the published shape.
const MALFORMED: i32 = -2;
/// No program was started yet.
const NO_SPAWN: i32 = -2;
/// No sandbox for programs on this machine: the process sandbox is not part of this room.
const NO_SANDBOX: i32 = -3;

/// The longest level a log line keeps.
const LEVEL: usize = 32;

/// A guest's own exit, with any code. WASI's own implementation knows codes below 126 only.
#[derive(Debug, thiserror::Error)]
#[error("exited with {0}")]
pub(super) struct Exit(pub(super) u32);

pub(super) fn add_to(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "log",
        |mut caller: Caller<'_, State>, level: u32, level_len: u32, message: u32, len: u32| {
            log(&mut caller, (level, level_len), (message, len));
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "http_request",
        |mut caller: Caller<'_, State>, (offset, len): (u32, u32)| {
            Box::new(async move { http_request(&mut caller, offset, len).await })
        },
    )?;
    linker.func_wrap(MODULE, "http_response_size", |caller: Caller<'_, State>| {
        response(&caller).and_then(|it| i32::try_from(it.body.len()).ok()).unwrap_or(DENIED)
    })?;
    linker.func_wrap(MODULE, "http_response_status", |caller: Caller<'_, State>| {
        response(&caller).map_or(DENIED, |it| i32::from(it.status))
    })?;
    linker.func_wrap(
        MODULE,
        "http_response_read",
        |mut caller: Caller<'_, State>, offset: u32, len: u32| {
            let copied = memory::write_response(&mut caller, offset, len);
            copied.and_then(|count| i32::try_from(count).ok()).unwrap_or(DENIED)
        },
    )?;
    add_spawn(linker)?;
    linker.allow_shadowing(true);
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "proc_exit",
        |code: u32| -> wasmtime::Result<()> { Err(Exit(code).into()) },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Starting programs: linked, because guests may import it, and answered as unavailable.
fn add_spawn(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "spawn", |_: u32, _: u32| NO_SANDBOX)?;
    linker.func_wrap(MODULE, "spawn_op", |_: u32, _: u32, _: u32, _: u32| NO_SANDBOX)?;
    linker.func_wrap(MODULE, "spawn_status", || NO_SPAWN)?;
    linker.func_wrap(MODULE, "spawn_output_size", |_: u32| DENIED)?;
    linker.func_wrap(MODULE, "spawn_output_read", |_: u32, _: u32, _: u32| DENIED)?;
    Ok(())
}

fn log(caller: &mut Caller<'_, State>, level: (u32, u32), message: (u32, u32)) {
    let level = text(caller, level, LEVEL);
    let message = text(caller, message, limits::GUEST_LOG_LINE);
    let line = LogLine { level, message };
    if caller.data().journal.keep(&line) {
        // One line each, whatever the guest wrote: it must not forge lines of the host's log.
        let message = visible(&line.message).replace('\n', "\\n");
        tracing::info!(level = %visible(&line.level), "{message}");
    }
}

/// The text in a range, cut to `max` bytes with a mark; a bad range is empty.
fn text(caller: &mut Caller<'_, State>, (offset, len): (u32, u32), max: usize) -> String {
    let bytes = memory::read(caller, offset, len).unwrap_or_default();
    match bytes.split_at_checked(max) {
        Some((kept, cut)) if !cut.is_empty() => {
            format!("{}[aileron: {} bytes cut]", String::from_utf8_lossy(kept), cut.len())
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

async fn http_request(caller: &mut Caller<'_, State>, offset: u32, len: u32) -> i32 {
    let request = match memory::read(caller, offset, len) {
        None | Some([]) => return MALFORMED,
        Some(json) if json.len() > limits::GUEST_REQUEST => {
            return settle(caller, Err(verdict::request_too_large()));
        }
        Some(json) => GuestRequest::read(json),
    };
    let Some(request) = request else { return MALFORMED };
    if caller.data().http.sent >= limits::GUEST_REQUESTS {
        return settle(caller, Err(verdict::too_many_requests()));
    }
    let outcome = send(caller, request).await;
    settle(caller, outcome)
}

async fn send(
    caller: &mut Caller<'_, State>,
    request: GuestRequest,
) -> Result<GuestResponse, Failure> {
    let http = &mut caller.data_mut().http;
    http.sent = http.sent.saturating_add(1);
    let (reply, answer) = oneshot::channel();
    http.asks.send(Ask { request, reply }).await.map_err(|_| verdict::abandoned())?;
    let response = answer.await.map_err(|_| verdict::abandoned())??;
    match u64::try_from(response.body.len()) {
        Ok(len) if len <= limits::GUEST_RESPONSE => Ok(response),
        _ => Err(verdict::response_too_large()),
    }
}

/// Keeps an answer, or the failure in its place: after a failure there is no response to read.
fn settle(caller: &mut Caller<'_, State>, outcome: Result<GuestResponse, Failure>) -> i32 {
    let http = &mut caller.data_mut().http;
    match outcome {
        Ok(response) => {
            http.status = Some(response.status);
            http.response = Some(response);
            http.sticky = None;
            OK
        }
        Err(failure) => {
            http.response = None;
            http.sticky = Some(failure);
            DENIED
        }
    }
}

fn response<'a>(caller: &'a Caller<'_, State>) -> Option<&'a GuestResponse> {
    caller.data().http.response.as_ref()
}
