//! A guest's memory, by the offsets the guest gives. Nothing here can trap: a bad range is None.

use wasmtime::{Caller, Extern, Memory};

use super::State;

fn exported(caller: &mut Caller<'_, State>) -> Option<Memory> {
    caller.get_export("memory").and_then(Extern::into_memory)
}

/// The bytes from `offset` on, `len` of them.
pub(super) fn read<'a>(
    caller: &'a mut Caller<'_, State>,
    offset: u32,
    len: u32,
) -> Option<&'a [u8]> {
    let memory = exported(caller)?;
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    memory.data(caller).get(start..end)
}

/// Copies the response's first bytes, at most `len`, to `offset`. None without a response.
pub(super) fn write_response(
    caller: &mut Caller<'_, State>,
    offset: u32,
    len: u32,
) -> Option<usize> {
    let memory = exported(caller);
    let room = usize::try_from(len).ok()?;
    let body = &caller.data().http.response.as_ref()?.body;
    // A cheap handle on the same bytes, because the memory is borrowed below.
    let body = body.slice(..body.len().min(room));
    if body.is_empty() {
        return Some(0);
    }
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(body.len())?;
    memory?.data_mut(caller).get_mut(start..end)?.copy_from_slice(&body);
    Some(body.len())
}
