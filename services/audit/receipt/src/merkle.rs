//! The tree of RFC 6962 (hashing, inclusion proofs), grown leaf by leaf in bounded memory.

use tlog_tiles::{EMPTY_HASH, Hash, node_hash};

use crate::{checkpoint::SIZE_MAX, tile::WIDTH};

/// The hash of a leaf's bytes.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    tlog_tiles::record_hash(leaf)
}

/// A growing tree: its root, and the hashes of the tiles at its right edge that are not full yet.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    size: u64,
    /// Roots of the perfect subtrees, largest first: one per bit set in `size`.
    peaks: Vec<Hash>,
    /// Per level, the hashes of the tile that is not full, from its start.
    edges: Vec<Vec<Hash>>,
}

/// A tile that has just become full.
#[derive(Clone, Debug, PartialEq)]
pub struct FullTile {
    pub level: u8,
    pub index: u64,
    pub hashes: Vec<Hash>,
}

impl Tree {
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn root(&self) -> Hash {
        let folded = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(left, right));
        folded.unwrap_or(EMPTY_HASH)
    }

    /// Adds one leaf; returns the tiles that are full now, lowest level first.
    pub fn push(&mut self, leaf: Hash) -> Vec<FullTile> {
        let mut full = Vec::new();
        self.add_to_edge(0, leaf, &mut full);
        let mut hash = leaf;
        for height in 1..=self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(left, hash);
            if height % 8 == 0 {
                self.add_to_edge(height / 8, hash, &mut full);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
        full
    }

    /// The hashes of the tile of `level` that is not full, from its start; empty when there is
    /// none.
    pub fn edge(&self, level: u8) -> &[Hash] {
        self.edges.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// How many levels of tiles the tree has.
    pub fn levels(&self) -> u8 {
        u8::try_from(self.edges.len()).unwrap_or(u8::MAX)
    }

    fn add_to_edge(&mut self, level: u32, hash: Hash, full: &mut Vec<FullTile>) {
        let (Ok(position), Ok(level)) = (usize::try_from(level), u8::try_from(level)) else {
            return;
        };
        if self.edges.len() <= position {
            self.edges.resize_with(position + 1, Vec::new);
        }
        let Some(edge) = self.edges.get_mut(position) else { return };
        edge.push(hash);
        if edge.len() == WIDTH {
            let index = self.size >> (8 * (u32::from(level) + 1)).min(63);
            full.push(FullTile { level, index, hashes: std::mem::take(edge) });
        }
    }
}

/// The inclusion proof of leaf `index` in the tree of the first `size` leaves, from the leaf's
/// sibling up; `None` when there is no such leaf. `entry(level, position)` reads one hash of a
/// tile: the root of the `256^level` leaves from `position * 256^level` on.
pub fn prove<E>(
    index: u64,
    size: u64,
    entry: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if index >= size || size > SIZE_MAX {
        return Ok(None);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_hash(middle, end, entry)?);
            end = middle;
        } else {
            proof.push(range_hash(start, middle, entry)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Does `proof` show that the tree of `size` leaves with `root` holds `leaf` at `index`?
pub fn includes(index: u64, size: u64, leaf: Hash, proof: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    // RFC 9162, section 2.1.3.2.
    let (mut position, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(*sibling, hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

fn range_hash<E>(
    start: u64,
    end: u64,
    entry: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let count = end - start;
    if count.is_power_of_two() && start.is_multiple_of(count) {
        let height = count.ilog2();
        if height.is_multiple_of(8) {
            return entry(u8::try_from(height / 8).unwrap_or(u8::MAX), start >> height);
        }
    }
    let middle = start + split(count);
    Ok(node_hash(range_hash(start, middle, entry)?, range_hash(middle, end, entry)?))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;
    use tlog_tiles::{HashReader, check_record, prove_record, stored_hashes_for_record_hash};

    use super::*;

    /// Everything an independent implementation stores.
    struct Stored(Vec<Hash>);

    impl HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
            Ok(indexes.iter().map(|at| self.0[usize::try_from(*at).unwrap()]).collect())
        }
    }

    fn leaf(at: u64) -> Hash {
        leaf_hash(&at.to_be_bytes())
    }

    fn both(size: u64) -> (Tree, Vec<FullTile>, Stored) {
        let (mut tree, mut full, mut stored) = (Tree::default(), Vec::new(), Stored(Vec::new()));
        for at in 0..size {
            full.extend(tree.push(leaf(at)));
            let more = stored_hashes_for_record_hash(at, leaf(at), &stored).unwrap();
            stored.0.extend(more);
        }
        (tree, full, stored)
    }

    fn prove_from(tree: &Tree, full: &[FullTile], index: u64) -> Vec<Hash> {
        let mut entry = |level: u8, position: u64| {
            let (tile, at) = (position / 256, usize::try_from(position % 256).unwrap());
            let found = full.iter().find(|known| known.level == level && known.index == tile);
            Ok::<_, Infallible>(
                found.map_or_else(|| tree.edge(level)[at], |known| known.hashes[at]),
            )
        };
        prove(index, tree.size(), &mut entry).unwrap().unwrap()
    }

    #[test]
    fn the_root_is_the_one_an_independent_implementation_computes() {
        for size in [0, 1, 2, 3, 7, 8, 255, 256, 257, 1_000, 65_536, 65_537 + 256] {
            let (tree, _, stored) = both(size);
            assert_eq!(tree.root(), tlog_tiles::tree_hash(size, &stored).unwrap(), "{size}");
        }
    }

    #[test]
    fn tiles_fill_in_order_at_every_level() {
        let (tree, full, _) = both(65_536 + 300);
        let level_one: Vec<_> = full.iter().filter(|tile| tile.level == 1).collect();
        assert_eq!(level_one.len(), 1);
        assert_eq!(level_one[0].index, 0);
        assert_eq!(full.iter().filter(|tile| tile.level == 0).count(), 257);
        assert_eq!(full.iter().rev().find(|tile| tile.level == 0).unwrap().index, 256);
        assert_eq!((tree.edge(0).len(), tree.edge(1).len(), tree.edge(2).len()), (44, 1, 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn proofs_are_those_of_an_independent_implementation(size in 1_u64..1_200, at in any::<u64>()) {
            let index = at % size;
            let (tree, full, stored) = both(size);
            let proof = prove_from(&tree, &full, index);
            prop_assert_eq!(&proof, &prove_record(size, index, &stored).unwrap());
            prop_assert!(check_record(&proof, size, tree.root(), index, leaf(index)).is_ok());
            prop_assert!(includes(index, size, leaf(index), &proof, tree.root()));
            prop_assert!(!includes(index, size, leaf(index + 1), &proof, tree.root()));
            prop_assert!(!includes(index + 1, size, leaf(index), &proof, tree.root()));
            let mut longer = proof.clone();
            longer.push(leaf(0));
            prop_assert!(!includes(index, size, leaf(index), &longer, tree.root()));
            if let Some((_, shorter)) = proof.split_last() {
                prop_assert!(!includes(index, size, leaf(index), shorter, tree.root()));
            }
        }

        #[test]
        fn no_claimed_size_or_index_makes_the_check_panic(
            index in any::<u64>(), size in any::<u64>(), length in 0_usize..80
        ) {
            let proof = vec![leaf(1); length];
            prop_assert!(!includes(index, size, leaf(0), &proof, leaf(2)));
        }
    }
}
