//! Holds one call to its memory.

use aileron_contract::limits;
use wasmtime::ResourceLimiter;

pub(crate) struct Meter {
    memory: u64,
    refused: bool,
}

impl Meter {
    pub(crate) fn new(memory: u64) -> Self {
        Self { memory, refused: false }
    }

    /// Was the guest ever refused memory? By itself no failure: it may have coped.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = u64::try_from(desired).is_ok_and(|desired| desired <= self.memory);
        self.refused |= !allowed;
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= limits::GUEST_TABLE)
    }
}
