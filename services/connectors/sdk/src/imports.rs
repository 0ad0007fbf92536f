//! The runtime's functions, made safe. Off WebAssembly the host of a test takes their place;
//! without one nothing is logged and every request fails.

use crate::{Error, Result};

pub(crate) fn log(level: &str, message: &str) {
    raw::log(level.as_bytes(), message.as_bytes());
}

pub(crate) fn http_request(envelope: &[u8]) -> i32 {
    raw::http_request(envelope)
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

    pub(super) fn log(level: &[u8], message: &[u8]) {
        let ((level, level_len), (message, len)) = (span(level), span(message));
        // SAFETY: the runtime checks both ranges itself and only reads them.
        unsafe { host::log(level, level_len, message, len) }
    }

    pub(super) fn http_request(request: &[u8]) -> i32 {
        let (request, len) = span(request);
        // SAFETY: the runtime checks the range itself and only reads it.
        unsafe { host::http_request(request, len) }
    }

    pub(super) fn http_response_read(body: &mut [u8]) -> i32 {
        let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
        // SAFETY: the runtime writes at most `len` bytes, and the slice is borrowed mutably.
        unsafe { host::http_response_read(body.as_mut_ptr(), len) }
    }

    /// Where bytes lie and how many there are. An empty slice has a valid address as well. Memory is
    /// of 32 bits, so neither number is ever cut.
    fn span(bytes: &[u8]) -> (*const u8, u32) {
        (bytes.as_ptr(), u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod raw {
    use crate::testing::current;

    pub(super) fn log(level: &[u8], message: &[u8]) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        current(|host| host.log(&text(level), &text(message)));
    }

    pub(super) fn http_request(request: &[u8]) -> i32 {
        current(|host| host.http_request(request)).unwrap_or(-1)
    }

    pub(super) fn http_response_size() -> i32 {
        let size = current(|host| host.response().map(|(_, body)| body.len())).flatten();
        size.and_then(|size| i32::try_from(size).ok()).unwrap_or(-1)
    }

    pub(super) fn http_response_status() -> i32 {
        let status = current(|host| host.response().map(|(status, _)| *status)).flatten();
        status.map_or(-1, i32::from)
    }

    pub(super) fn http_response_read(to: &mut [u8]) -> i32 {
        let read = current(|host| {
            let (_, body) = host.response()?;
            let (to, from) = (to.get_mut(..body.len())?, body);
            to.copy_from_slice(from);
            i32::try_from(from.len()).ok()
        });
        read.flatten().unwrap_or(-1)
    }
}
