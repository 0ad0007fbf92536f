//! The keys of an unlocked vault, in memory that is never swapped out, dumped or inherited.

use std::fmt;

use aileron_contract::{Result, vault::PinDomain};
use zeroize::Zeroizing;

use crate::{envelope, guarded::Guarded};

/// What an unlocked vault knows: the key of the file, and the root of all pins. Both lie in one
/// locked page and are wiped when the last holder lets go.
pub(crate) struct Keys(Guarded);

impl Keys {
    pub(crate) fn new(vault: &[u8; 32], pin_root: &[u8; 32]) -> Self {
        let mut page = Guarded::locked(64).unwrap_or_else(|cause| {
            // A machine without the right to lock memory still serves its person; its log says so.
            tracing::warn!(%cause, "keys could not be locked in memory: raise RLIMIT_MEMLOCK");
            Guarded::new(64)
        });
        if let Some((first, rest)) = page.bytes_mut().split_first_chunk_mut::<32>() {
            first.copy_from_slice(vault);
            if let Some(second) = rest.first_chunk_mut::<32>() {
                second.copy_from_slice(pin_root);
            }
        }
        Self(page)
    }

    /// The key a version 2 file is sealed under; of a version 1 file the passphrase's own key.
    pub(crate) fn vault(&self) -> &[u8; 32] {
        self.part(0)
    }

    pub(crate) fn pin_root(&self) -> &[u8; 32] {
        self.part(32)
    }

    /// The key that pins records of one domain.
    pub(crate) fn pin(&self, domain: PinDomain) -> Result<Zeroizing<[u8; 32]>> {
        envelope::derive(self.pin_root(), b"aileron", &format!("aileron/pin/1/{domain}"))
    }

    fn part(&self, from: usize) -> &[u8; 32] {
        const NONE: &[u8; 32] = &[0; 32];
        self.0.get(from..).and_then(|rest| rest.first_chunk()).unwrap_or(NONE)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_do_not_print() {
        let keys = Keys::new(&[7; 32], &[9; 32]);
        assert_eq!((keys.vault(), keys.pin_root()), (&[7; 32], &[9; 32]));
        assert_eq!(format!("{keys:?}"), "Keys(..)");
    }

    #[test]
    fn each_domain_has_its_own_pin_key() {
        let keys = Keys::new(&[7; 32], &[9; 32]);
        let all: std::collections::BTreeSet<_> =
            PinDomain::ALL.iter().map(|domain| *keys.pin(*domain).unwrap()).collect();
        assert_eq!(all.len(), PinDomain::ALL.len());
    }

    #[test]
    fn keys_lie_in_locked_memory() {
        let locked = || {
            let status = std::fs::read_to_string("/proc/self/smaps").unwrap();
            let sizes = status.lines().filter_map(|line| line.strip_prefix("Locked:"));
            sizes.map(|size| size.trim().trim_end_matches(" kB").parse::<u64>().unwrap()).sum()
        };
        let before: u64 = locked();
        let keys = Keys::new(&[7; 32], &[9; 32]);
        if Guarded::locked(1).is_ok() {
            assert!(locked() >= 4, "{before} before");
        }
        drop(keys);
    }
}
