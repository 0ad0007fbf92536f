//! Memory for what nobody may find later: wiped before it is given back and, where that is asked
//! for, never swapped out, dumped or inherited.

use std::{fmt, ops::Deref};

use rustix::io::Errno;
use zeroize::Zeroize as _;

/// A fixed number of bytes.
pub(crate) struct Guarded {
    /// Never grows: what is in it is nowhere else.
    memory: Vec<u8>,
    /// Where our bytes begin: at a page's begin when they are locked.
    start: usize,
    length: usize,
    /// How many bytes from there on are locked.
    locked: usize,
}

/// Which memory bytes lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// For as long as one request: wiped.
    Plain,
    /// For longer: locked as well. There may be none to have.
    Locked,
}

impl Memory {
    pub(crate) fn zeros(self, length: usize) -> rustix::io::Result<Guarded> {
        match self {
            Self::Plain => Ok(Guarded::new(length)),
            Self::Locked => Guarded::locked(length),
        }
    }

    pub(crate) fn copy(self, bytes: &[u8]) -> rustix::io::Result<Guarded> {
        let mut guarded = self.zeros(bytes.len())?;
        guarded.bytes_mut().copy_from_slice(bytes);
        Ok(guarded)
    }
}

impl Guarded {
    /// Zeros, wiped in the end.
    pub(crate) fn new(length: usize) -> Self {
        Self { memory: vec![0; length], start: 0, length, locked: 0 }
    }

    /// The same in pages of their own, so that locking them locks nothing else and no other
    /// value's release unlocks them.
    pub(crate) fn locked(length: usize) -> rustix::io::Result<Self> {
        let page = rustix::param::page_size();
        let pages = length.div_ceil(page).max(1).saturating_mul(page);
        let memory = vec![0; pages.saturating_add(page)];
        let start = memory.as_ptr().align_offset(page);
        let mut guarded = Self { memory, start, length, locked: 0 };
        hold(guarded.memory.get(start..).and_then(|rest| rest.get(..pages)), true)?;
        guarded.locked = pages;
        Ok(guarded)
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let own = self.memory.get_mut(self.start..).unwrap_or_default();
        own.get_mut(..self.length).unwrap_or_default()
    }
}

impl Deref for Guarded {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(self.start..).and_then(|own| own.get(..self.length)).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Guarded {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        if self.locked == 0 {
            return;
        }
        let pages = self.memory.get(self.start..).and_then(|own| own.get(..self.locked));
        if let Err(cause) = hold(pages, false) {
            tracing::debug!(%cause, "a page of secrets stayed locked in memory");
        }
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded(..)")
    }
}

/// Keeps whole pages in memory and out of core files, or lets them go again.
#[expect(unsafe_code, reason = "locking memory has no safe interface")]
fn hold(pages: Option<&[u8]>, held: bool) -> rustix::io::Result<()> {
    use rustix::mm::{Advice, madvise, mlock, munlock};
    let pages = pages.ok_or(Errno::INVAL)?;
    let start = pages.as_ptr().cast_mut().cast();
    // SAFETY: the range lies within one live allocation of ours, begins at a page and is whole
    // pages long; none of the calls changes its content or its mapping.
    unsafe {
        if held {
            mlock(start, pages.len())?;
            madvise(start, pages.len(), Advice::LinuxDontDump)
                .or_else(|cause| munlock(start, pages.len()).and(Err(cause)))
        } else {
            madvise(start, pages.len(), Advice::LinuxDoDump)?;
            munlock(start, pages.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_lie_in_whole_pages_of_their_own() {
        let page = rustix::param::page_size();
        for length in [0, 1, 64, page - 1, page, page + 1, 3 * page] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let held = Memory::Locked.copy(&bytes).unwrap();
            assert_eq!(&*held, bytes);
            assert_eq!(held.as_ptr().align_offset(page), 0);
            assert_eq!(held.locked, length.div_ceil(page).max(1) * page);
            assert!(held.start + held.locked <= held.memory.len());
            assert_eq!(&*Memory::Plain.copy(&bytes).unwrap(), bytes);
        }
    }

    #[test]
    fn nothing_is_shown() {
        assert_eq!(format!("{:?}", Memory::Plain.copy(b"secret").unwrap()), "Guarded(..)");
    }
}
