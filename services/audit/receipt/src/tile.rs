//! Where tiles lie and what is in them (C2SP tlog-tiles): `tile/<level>/<index>` for hashes,
//! `tile/entries/<index>` for leaves, `.p/<width>` behind a tile that is not full.

use std::fmt;

use tlog_tiles::Hash;

use crate::line::LEAF_MAX;

/// Hashes of a full tile, leaves of a full bundle.
pub const WIDTH: usize = 256;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Hashes { level: u8 },
    Entries,
}

/// Path of a tile below the log's folder. `width` is 1 to 255 for a tile that is not full.
pub fn path(kind: Kind, index: u64, width: Option<usize>) -> String {
    let mut groups = Vec::new();
    let mut rest = index;
    loop {
        groups.push(rest % 1_000);
        rest /= 1_000;
        if rest == 0 {
            break;
        }
    }
    let mut path = match kind {
        Kind::Hashes { level } => format!("tile/{level}"),
        Kind::Entries => "tile/entries".to_owned(),
    };
    for (position, group) in groups.iter().enumerate().rev() {
        let mark = if position == 0 { "" } else { "x" };
        path.push_str(&format_args!("/{mark}{group:03}").to_string());
    }
    if let Some(width) = width {
        path.push_str(&format_args!(".p/{width}").to_string());
    }
    path
}

/// The content of a tile of hashes.
pub fn hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The first `width` hashes or leaves of a tile's content; `None` when it has fewer.
pub fn beginning(kind: Kind, width: usize, content: &[u8]) -> Option<&[u8]> {
    let mut end = 0;
    for _ in 0..width {
        end += match kind {
            Kind::Hashes { .. } => 32,
            Kind::Entries => {
                let (length, _) = content.get(end..)?.split_first_chunk::<2>()?;
                2 + usize::from(u16::from_be_bytes(*length))
            }
        };
    }
    content.get(..end)
}

/// An entry bundle that grows: leaves behind their 16-bit lengths.
#[derive(Clone, Default)]
pub struct Bundle {
    bytes: Vec<u8>,
    count: usize,
}

/// The leaf does not fit a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a leaf is at most {LEAF_MAX} bytes long")]
pub struct LeafTooLong;

impl Bundle {
    /// Adds a leaf; returns the content of the bundle when it is full now, and starts anew.
    pub fn push(&mut self, leaf: &[u8]) -> Result<Option<Vec<u8>>, LeafTooLong> {
        let length = u16::try_from(leaf.len()).map_err(|_| LeafTooLong)?;
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(leaf);
        self.count += 1;
        if self.count < WIDTH {
            return Ok(None);
        }
        self.count = 0;
        Ok(Some(std::mem::take(&mut self.bytes)))
    }

    /// What it holds so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn count(&self) -> usize {
        self.count
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle").field("count", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_public_format() {
        let hashes = |level, index, width| path(Kind::Hashes { level }, index, width);
        assert_eq!(hashes(0, 0, None), "tile/0/000");
        assert_eq!(hashes(0, 1_234_067, None), "tile/0/x001/x234/067");
        assert_eq!(hashes(2, 1_000, Some(17)), "tile/2/x001/000.p/17");
        assert_eq!(path(Kind::Entries, 999, Some(255)), "tile/entries/999.p/255");
    }

    #[test]
    fn a_tile_begins_with_the_narrower_ones() {
        let mut bundle = Bundle::default();
        for leaf in [b"a".as_slice(), b"", b"bcd"] {
            bundle.push(leaf).unwrap();
        }
        let bytes = bundle.bytes();
        assert_eq!(beginning(Kind::Entries, 2, bytes), Some(b"\0\x01a\0\0".as_slice()));
        assert_eq!(beginning(Kind::Entries, 3, bytes), Some(bytes));
        assert_eq!(beginning(Kind::Entries, 4, bytes), None);
        assert_eq!(beginning(Kind::Hashes { level: 0 }, 1, &[7; 64]), Some([7; 32].as_slice()));
        assert_eq!(beginning(Kind::Hashes { level: 0 }, 3, &[7; 64]), None);
    }

    #[test]
    fn a_bundle_is_full_after_256_leaves_and_takes_none_too_long() {
        let mut bundle = Bundle::default();
        assert_eq!(bundle.push(&vec![0; LEAF_MAX + 1]), Err(LeafTooLong));
        for _ in 0..255 {
            assert_eq!(bundle.push(b"ab"), Ok(None));
        }
        assert_eq!(bundle.count(), 255);
        assert_eq!(bundle.push(b"ab").unwrap().unwrap(), b"\x00\x02ab".repeat(256));
        assert_eq!((bundle.count(), bundle.bytes().len()), (0, 0));
    }
}
