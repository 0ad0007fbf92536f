//! From the bytes of a log file to leaves.
//!
//! A log file is a sequence of lines, each ended by a line feed. The leaf of a line is the line
//! without its line feed. Only a line longer than [`LEAF_MAX`], which a log may have inherited
//! from older files, cannot be a leaf: its leaf is a stand-in that names its SHA-256 and its
//! size. The stand-in ends with a line feed, which no line contains, so that a line can never
//! pass for the stand-in of another.

use std::io::{self, BufRead, Read as _};

use sha2::{Digest as _, Sha256};

/// The longest leaf: entry bundles carry 16-bit lengths (C2SP tlog-tiles).
pub const LEAF_MAX: usize = 65_535;

/// Does a file of this name, `audit-YYYY-MM-DD.jsonl`, hold lines of the log? The log is their
/// lines in the order of the names; which file holds a line is no part of it.
pub fn is_log_file(name: &str) -> bool {
    let day = name.strip_prefix("audit-").and_then(|rest| rest.strip_suffix(".jsonl"));
    day.is_some_and(|day| {
        day.len() == 10
            && day.bytes().enumerate().all(|(at, c)| match at {
                4 | 7 => c == b'-',
                _ => c.is_ascii_digit(),
            })
    })
}

/// Reads lines of any length in bounded memory.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    leaf: Vec<u8>,
}

/// One line as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line without its line feed, or its stand-in.
    pub leaf: &'a [u8],
    /// Of the line in the file, without its line feed.
    pub length: u64,
    /// Was there a line feed? Only the last line of a damaged file has none.
    pub ended: bool,
    /// Is `leaf` the line itself?
    pub whole: bool,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, leaf: Vec::new() }
    }

    /// The next line; `None` at the end.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.leaf.clear();
        let bound = u64::try_from(LEAF_MAX + 1).unwrap_or(u64::MAX);
        (&mut self.reader).take(bound).read_until(b'\n', &mut self.leaf)?;
        if self.leaf.is_empty() {
            return Ok(None);
        }
        let ended = self.leaf.pop_if(|last| *last == b'\n').is_some();
        if ended || self.leaf.len() <= LEAF_MAX {
            let length = u64::try_from(self.leaf.len()).unwrap_or(u64::MAX);
            return Ok(Some(Line { leaf: &self.leaf, length, ended, whole: true }));
        }
        let (length, ended, digest) = self.hash_rest()?;
        self.leaf = stand_in(&digest, length);
        Ok(Some(Line { leaf: &self.leaf, length, ended, whole: false }))
    }

    fn hash_rest(&mut self) -> io::Result<(u64, bool, [u8; 32])> {
        let mut hasher = Sha256::new_with_prefix(&self.leaf);
        let mut length = u64::try_from(self.leaf.len()).unwrap_or(u64::MAX);
        loop {
            let bound = u64::try_from(LEAF_MAX + 1).unwrap_or(u64::MAX);
            self.leaf.clear();
            (&mut self.reader).take(bound).read_until(b'\n', &mut self.leaf)?;
            let ended = self.leaf.pop_if(|last| *last == b'\n').is_some();
            hasher.update(&self.leaf);
            length += u64::try_from(self.leaf.len()).unwrap_or(u64::MAX);
            if ended || self.leaf.is_empty() {
                return Ok((length, ended, hasher.finalize().into()));
            }
        }
    }
}

fn stand_in(digest: &[u8; 32], length: u64) -> Vec<u8> {
    format!("{{\"sha256\":\"{}\",\"size\":{length}}}\n", hex::encode(digest)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(text: &[u8]) -> Vec<(Vec<u8>, u64, bool, bool)> {
        let mut lines = Lines::new(text);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push((line.leaf.to_vec(), line.length, line.ended, line.whole));
        }
        found
    }

    #[test]
    fn every_line_is_a_leaf_also_an_empty_one() {
        assert_eq!(
            leaves(b"a\n\n\r\nbc\n"),
            [
                (b"a".to_vec(), 1, true, true),
                (vec![], 0, true, true),
                (b"\r".to_vec(), 1, true, true),
                (b"bc".to_vec(), 2, true, true)
            ]
        );
        assert!(leaves(b"").is_empty());
    }

    #[test]
    fn only_dated_names_belong_to_the_log() {
        for (name, belongs) in [
            ("audit-2026-11-21.jsonl", true),
            ("audit-2026-11-2.jsonl", false),
            ("audit-2026-11-21.jsonl.bak", false),
            ("set-aside-0123.jsonl", false),
            ("audit-2026/11-21.jsonl", false),
        ] {
            assert_eq!(is_log_file(name), belongs, "{name}");
        }
    }

    #[test]
    fn a_last_line_without_its_line_feed_is_told_apart() {
        assert_eq!(leaves(b"a\nb")[1], (b"b".to_vec(), 1, false, true));
    }

    #[test]
    fn a_line_too_long_for_a_bundle_is_stood_in_for_by_its_hash() {
        for extra in [0, 1, 2, LEAF_MAX, LEAF_MAX + 1, LEAF_MAX + 2, 3 * LEAF_MAX] {
            let line = vec![b'x'; LEAF_MAX + extra];
            let found = leaves(&[line.as_slice(), b"\nnext\n"].concat());
            assert_eq!(found.len(), 2, "{extra}");
            assert_eq!(found[0].1, u64::try_from(line.len()).unwrap());
            assert!(found[0].2);
            assert_eq!(found[0].3, extra == 0);
            assert_eq!(found[1].0, b"next");
            if extra > 0 {
                let digest: [u8; 32] = Sha256::digest(&line).into();
                assert_eq!(found[0].0, stand_in(&digest, found[0].1));
            }
        }
    }

    #[test]
    fn no_line_passes_for_the_stand_in_of_another() {
        let long = vec![b'x'; LEAF_MAX + 1];
        let stand_in = leaves(&[long.as_slice(), b"\n"].concat())[0].0.clone();
        let forged = leaves(&stand_in);
        assert_eq!(forged.len(), 1);
        assert_ne!(forged[0].0, stand_in);
    }
}
