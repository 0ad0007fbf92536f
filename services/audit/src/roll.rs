//! What every line of the log is, in memory: a fingerprint of its id and a check of its bytes,
//! made while the lines were verified at the opening, or when they were written. Whoever edits a
//! file of the running log, or the index of a stopped one, changes nothing here: the log forgets
//! no event, and shows no line that it did not verify.
//!
//! 16 bytes a line, and at most 20 with the room that tables grow into: 20 MB for a million lines.

use std::{hash::RandomState, sync::Arc};

use aileron_receipt::Hash;

use crate::files::Place;

/// All lines, by id and by place.
#[derive(Debug)]
pub(crate) struct Roll {
    /// Nobody outside of this process can choose two ids or two lines that look alike here.
    key: RandomState,
    /// By the first bits of the fingerprint; sorted by the next bits, then by leaf.
    ids: Vec<Vec<u64>>,
    pages: Vec<Page>,
    size: u64,
    records: u64,
}

/// Lines that follow each other, and where the first of them stands.
#[derive(Debug)]
struct Page {
    file: Arc<str>,
    offset: u64,
    checks: Vec<u64>,
}

/// Lines of one page: that many are read at most to find one.
pub(crate) const PAGE: u64 = 64;

/// Buckets of fingerprints, as bits of them.
const BUCKET_BITS: u32 = 12;

/// An entry's lower bits are the leaf. So many lines, of a few hundred bytes each, no disk holds.
const LEAF_BITS: u32 = 40;

impl Default for Roll {
    fn default() -> Self {
        Self {
            key: RandomState::new(),
            ids: vec![Vec::new(); 1 << BUCKET_BITS],
            pages: Vec::new(),
            size: 0,
            records: 0,
        }
    }
}

impl Roll {
    /// How many lines it knows.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// How many of them are records.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Adds the next line: its id when it is a record, its leaf's hash, and where it stands.
    pub(crate) fn push(&mut self, id: Option<&[u8]>, hash: Hash, file: &str, offset: u64) {
        if let Some(id) = id {
            let (bucket, entry) = self.slot(id);
            let entry = entry | (self.size & ((1 << LEAF_BITS) - 1));
            if let Some(entries) = self.ids.get_mut(bucket) {
                if entries.len() == entries.capacity() {
                    entries.reserve_exact(entries.len() / 4 + 4);
                }
                let at = entries.partition_point(|other| *other < entry);
                entries.insert(at, entry);
            }
            self.records += 1;
        }
        if self.size.is_multiple_of(PAGE) {
            // Pages of one file share its name.
            let file = match self.pages.last() {
                Some(last) if &*last.file == file => Arc::clone(&last.file),
                _ => file.into(),
            };
            let checks = Vec::with_capacity(usize::try_from(PAGE).unwrap_or_default());
            self.pages.push(Page { file, offset, checks });
        }
        let check = self.check(hash);
        if let Some(page) = self.pages.last_mut() {
            page.checks.push(check);
        }
        self.size += 1;
    }

    /// The leaves that may be events with this id, oldest first: all that are, and next to never
    /// another one.
    pub(crate) fn candidates(&self, id: &[u8]) -> Vec<u64> {
        let (bucket, wanted) = self.slot(id);
        let entries = self.ids.get(bucket).map(Vec::as_slice).unwrap_or_default();
        let from = entries.partition_point(|entry| *entry < wanted);
        let same = entries.iter().skip(from);
        same.take_while(|entry| **entry >> LEAF_BITS == wanted >> LEAF_BITS)
            .map(|entry| entry & ((1 << LEAF_BITS) - 1))
            .collect()
    }

    /// Is this the hash that the leaf at `index` had?
    pub(crate) fn vouches(&self, index: u64, hash: Hash) -> bool {
        let known = self
            .page(index)
            .and_then(|page| page.checks.get(usize::try_from(index % PAGE).unwrap_or(usize::MAX)));
        known == Some(&self.check(hash))
    }

    /// Where the page of a leaf begins.
    pub(crate) fn place(&self, index: u64) -> Option<Place> {
        let Page { file, offset, checks: _ } = self.page(index)?;
        Some(Place { file: file.to_string(), offset: *offset })
    }

    fn page(&self, index: u64) -> Option<&Page> {
        self.pages.get(usize::try_from(index / PAGE).ok()?)
    }

    /// The bucket of an id, and an entry for it without a leaf.
    fn slot(&self, id: &[u8]) -> (usize, u64) {
        use std::hash::BuildHasher as _;
        let fingerprint = self.key.hash_one(id);
        let bucket = usize::try_from(fingerprint >> (64 - BUCKET_BITS)).unwrap_or_default();
        (bucket, (fingerprint << BUCKET_BITS) >> LEAF_BITS << LEAF_BITS)
    }

    fn check(&self, hash: Hash) -> u64 {
        use std::hash::BuildHasher as _;
        self.key.hash_one(hash.0)
    }
}

#[cfg(test)]
mod tests {
    use aileron_receipt::merkle::leaf_hash;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_id_leads_to_its_lines_and_an_unknown_one_nowhere() {
        let mut roll = Roll::default();
        for at in 0..20_000_u64 {
            // Every fifth line is no record, and ids repeat after 15,000 lines.
            let id = format!("id-{}", at % 15_000);
            let id = (at % 5 != 0).then_some(id.as_bytes());
            roll.push(id, leaf_hash(&at.to_be_bytes()), "file", at * 8);
        }
        assert_eq!((roll.size(), roll.records()), (20_000, 16_000));
        assert_eq!(roll.candidates(b"id-1"), [1, 15_001]);
        assert_eq!(roll.candidates(b"id-14999"), [14_999]);
        assert_eq!(roll.candidates(b"id-10"), [0; 0]);
        let strays =
            (0..20_000).filter(|at| !roll.candidates(format!("x-{at}").as_bytes()).is_empty());
        assert!(strays.count() < 10);
        assert_eq!(roll.place(129).map(|place| place.offset), Some(128 * 8));
        assert_eq!(roll.place(20_000 + PAGE), None);
    }

    #[test]
    fn a_million_lines_take_what_is_promised() {
        let mut roll = Roll::default();
        for at in 0..200_000_u64 {
            roll.push(Some(&at.to_be_bytes()), leaf_hash(&at.to_be_bytes()), "file", at);
        }
        let ids: usize = roll.ids.iter().map(|entries| entries.capacity() * 8 + 24).sum();
        let checks: usize = roll.pages.iter().map(|page| page.checks.capacity() * 8).sum();
        let pages = roll.pages.capacity() * size_of::<Page>();
        assert!((ids + checks + pages) / 200_000 < 20, "{ids} {checks} {pages}");
    }

    proptest! {
        #[test]
        fn only_the_line_itself_is_vouched_for(count in 1_u64..200, at in 0_u64..300, other in 0_u64..300) {
            let mut roll = Roll::default();
            for at in 0..count {
                roll.push(None, leaf_hash(&at.to_be_bytes()), "file", at);
            }
            let vouched = roll.vouches(at, leaf_hash(&other.to_be_bytes()));
            prop_assert_eq!(vouched, at < count && at == other);
        }
    }
}
