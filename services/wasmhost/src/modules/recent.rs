//! The modules in memory, bounded in number and in bytes.

use std::collections::HashMap;

use aileron_contract::{limits, names::Sha256Hash};

use super::Making;

#[derive(Default)]
pub(super) struct Recent {
    slots: HashMap<Sha256Hash, Slot>,
    /// Counts uses; the slot with the lowest was used longest ago.
    uses: u64,
}

struct Slot {
    making: Making,
    used: u64,
}

impl Recent {
    /// The module's making, which is now the one used last.
    pub(super) fn making(&mut self, hash: &Sha256Hash) -> Option<Making> {
        self.uses = self.uses.saturating_add(1);
        let slot = self.slots.get_mut(hash)?;
        slot.used = self.uses;
        Some(slot.making.clone())
    }

    pub(super) fn insert(&mut self, hash: Sha256Hash, making: Making) {
        self.uses = self.uses.saturating_add(1);
        self.slots.insert(hash, Slot { making, used: self.uses });
    }

    /// Lets go of what was used longest ago, until the others fit. The last one stays whatever its
    /// size, and so does what is still being made: a caller waits for it.
    pub(super) fn trim(&mut self) {
        self.trim_to(limits::MODULE_CACHE, limits::MODULE_CACHE_BYTES);
    }

    fn trim_to(&mut self, modules: usize, bytes: usize) {
        while self.slots.len() > 1 && (self.slots.len() > modules || self.bytes() > bytes) {
            let made = self.slots.iter().filter(|(_, slot)| slot.making.peek().is_some());
            let newest = self.slots.values().map(|slot| slot.used).max();
            let oldest = made
                .filter(|(_, slot)| Some(slot.used) != newest)
                .min_by_key(|(_, slot)| slot.used)
                .map(|(hash, _)| *hash);
            let Some(oldest) = oldest else { return };
            self.slots.remove(&oldest);
        }
    }

    fn bytes(&self) -> usize {
        self.slots.values().map(Slot::bytes).fold(0, usize::saturating_add)
    }
}

impl Slot {
    fn bytes(&self) -> usize {
        match self.making.peek() {
            Some(Ok(prepared)) => prepared.size,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future};

    use super::*;
    use crate::{engine, guest, modules::Prepared, verdict};

    fn hash(n: u8) -> Sha256Hash {
        Sha256Hash::new([n; 32])
    }

    /// A module of `size` bytes, as far as the bookkeeping is concerned.
    fn made(size: usize) -> Making {
        let engine = engine::engine().unwrap();
        let module = wasmtime::Module::new(&engine, wat::parse_str("(module)").unwrap()).unwrap();
        let instance = guest::linker(&engine).unwrap().instantiate_pre(&module).unwrap();
        done(future::ready(Ok(Prepared { instance, size })).boxed().shared())
    }

    fn done(making: Making) -> Making {
        assert!(making.clone().now_or_never().is_some());
        making
    }

    #[test]
    fn the_module_used_longest_ago_goes_first() {
        let mut recent = Recent::default();
        let making = made(10);
        for n in 0..3 {
            recent.insert(hash(n), making.clone());
        }
        assert!(recent.making(&hash(0)).is_some());
        recent.trim_to(2, 1000);
        assert!(recent.making(&hash(1)).is_none());
        recent.trim_to(2, 10);
        assert!(recent.making(&hash(2)).is_none());
        assert!(recent.making(&hash(0)).is_some(), "the last one stays");
        recent.trim_to(0, 0);
        assert!(recent.making(&hash(0)).is_some(), "the last one stays whatever the bound");
    }

    #[test]
    fn what_is_still_being_made_is_not_let_go() {
        let mut recent = Recent::default();
        recent.insert(hash(0), future::pending().boxed().shared());
        recent.insert(hash(1), done(future::ready(Err(verdict::engine_failed())).boxed().shared()));
        recent.insert(hash(2), made(10));
        recent.trim_to(1, 1000);
        assert!(recent.making(&hash(0)).is_some());
        assert!(recent.making(&hash(1)).is_none());
    }
}
