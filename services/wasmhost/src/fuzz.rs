//! Doors for fuzzing: the two texts a guest writes, read without a guest.

use std::time::Duration;

use aileron_contract::{failure::Failure, limits};
use serde_json::{Map, Value};

use crate::{
    GuestRequest, Limits,
    guest::{End, Finished},
    verdict,
};

/// Reads a guest's request envelope.
pub fn request(json: &[u8]) -> Option<GuestRequest> {
    GuestRequest::read(json)
}

/// What the caller is told of a guest that wrote `stdout` and exited with `code`, after an answer
/// with `status`.
pub fn answer(
    stdout: &[u8],
    code: u32,
    status: Option<u16>,
) -> Result<Option<Map<String, Value>>, Failure> {
    let finished = Finished { end: End::Exited(code), sticky: None, status, starved: false };
    let limits = Limits { memory: limits::GUEST_MEMORY, wall: Duration::from_secs(1) };
    verdict::outcome(finished, (stdout.to_vec(), 0), "", &limits)
}
