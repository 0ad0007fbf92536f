//! The runtime's functions, made safe. Off WebAssembly there is no runtime: nothing is logged
//! and every request fails.

use crate::{Error, Result};

pub(crate) fn log(level: &str, message: &str) {
    let (level, level_len) = span(level.as_bytes());
    let (message, message_len) = span(message.as_bytes());
    raw::log(level, level_len, message, message_len);
}

pub(crate) fn http_request(envelope: &[u8]) -> i32 {
    let (envelope, len) = span(envelope);
    raw::http_request(envelope, len)
}

pub(crate) fn http_status() -> Result<u16> {
    u16::try_from(raw::http_response_status()).map_err(|_| no_response())
}

pub(crate) fn http_body() -> Result<Vec<u8>> {
    let len = usize::try_from(raw::http_response_size()).map_err(|_| no_response())?;
    let mut body = vec![0; len];
    match usize::try_from(raw::http_response_read(&mut body)) {
        Ok(read) if read == len => Ok(body),
        _ => Err(no_response()),
    }
}

fn no_response() -> Error {
    Error::runtime("the runtime has no response to read")
}

/// Where bytes lie and how many there are. An empty slice has a valid address as well. Memory is
/// of 32 bits, so neither number is ever cut.
fn span(bytes: &[u8]) -> (*const u8, u32) {
    (bytes.as_ptr(), u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "calls into the runtime")]
mod raw {
    mod host {
        #[link(wasm_import_module = "aileron_host")]
        unsafe extern "C" {
            pub(super) fn log(level: *const u8, level_len: u32, message: *const u8, len: u32);
            pub(super) fn http_request(request: *const u8, len: u32) -> i32;
            pub(crate) safe fn http_response_size() -> i32;
            pub(crate) safe fn http_response_status() -> i32;
            pub(super) fn http_response_read(to: *mut u8, len: u32) -> i32;
        }
    }

    pub(super) use host::{http_response_size, http_response_status};

    pub(super) fn log(level: *const u8, level_len: u32, message: *const u8, len: u32) {
        // SAFETY: the runtime checks both ranges itself and only reads them.
        unsafe { host::log(level, level_len, message, len) }
    }

    pub(super) fn http_request(request: *const u8, len: u32) -> i32 {
        // SAFETY: the runtime checks the range itself and only reads it.
        unsafe { host::http_request(request, len) }
    }

    pub(super) fn http_response_read(body: &mut [u8]) -> i32 {
        let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
        // SAFETY: the runtime writes at most `len` bytes, and the slice is borrowed mutably.
        unsafe { host::http_response_read(body.as_mut_ptr(), len) }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod raw {
    pub(super) fn log(_: *const u8, _: u32, _: *const u8, _: u32) {}

    pub(super) fn http_request(_: *const u8, _: u32) -> i32 {
        -1
    }

    pub(super) fn http_response_size() -> i32 {
        -1
    }

    pub(super) fn http_response_status() -> i32 {
        -1
    }

    pub(super) fn http_response_read(_: &mut [u8]) -> i32 {
        -1
    }
}
