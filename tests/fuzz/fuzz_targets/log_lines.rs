//! The lines of a log file, the bundles they become and the proofs in their tree.
#![no_main]

use std::convert::Infallible;

use aileron_receipt::{
    line::{LEAF_MAX, Lines, is_log_file},
    merkle::{Tree, includes, leaf_hash, prove},
    tile::{Bundle, Kind, beginning},
};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(name) = std::str::from_utf8(bytes) {
        assert!(!is_log_file(name) || (name.len() == 22 && !name.contains('/')));
    }
    let mut lines = Lines::new(bytes);
    let (mut tree, mut bundle, mut leaves, mut back) =
        (Tree::default(), Bundle::default(), Vec::new(), Vec::new());
    while let Some(line) = lines.next_line().expect("memory can be read") {
        assert!(line.leaf.len() <= LEAF_MAX);
        if line.whole {
            back.extend_from_slice(line.leaf);
        } else {
            assert!(line.length > u64::try_from(LEAF_MAX).expect("small"));
            let end = back.len() + usize::try_from(line.length).expect("small");
            back.extend_from_slice(&bytes[back.len()..end]);
        }
        if line.ended {
            back.push(b'\n');
        }
        tree.push(leaf_hash(line.leaf));
        if bundle.push(line.leaf).expect("a leaf fits").is_some() {
            // One tile is enough: its hashes have left the edge.
            return;
        }
        leaves.push(line.leaf.to_vec());
    }
    assert_eq!(back, bytes);
    // The bundle gives the leaves back, and no fewer bytes do.
    let whole = beginning(Kind::Entries, bundle.count(), bundle.bytes());
    assert_eq!(whole, Some(bundle.bytes()));
    assert_eq!(beginning(Kind::Entries, bundle.count() + 1, bundle.bytes()), None);
    // Bytes of somebody else's may hold fewer leaves than they should.
    assert!(beginning(Kind::Entries, 256, bytes).is_none_or(|part| bytes.starts_with(part)));
    let size = tree.size();
    let mut entry = |level, at: u64| {
        Ok::<_, Infallible>(tree.edge(level)[usize::try_from(at).expect("a small index")])
    };
    for (index, leaf) in (0..size).zip(&leaves) {
        let proof = prove(index, size, &mut entry).expect("never fails").expect("a leaf of it");
        assert!(includes(index, size, leaf_hash(leaf), &proof, tree.root()));
        assert!(!includes(index, size, leaf_hash(b"no line\n"), &proof, tree.root()));
        let other = (index + 1) % size;
        let same = leaves[usize::try_from(other).expect("small")] == *leaf;
        assert!(same || !includes(other, size, leaf_hash(leaf), &proof, tree.root()));
    }
});
