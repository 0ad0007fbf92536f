//! What makes an append durable with one fsync: a file of fixed size, written in place, that
//! holds the last batches of lines, each with the signed checkpoint that covers it.
//!
//! The lines go to their own file as well, but that is flushed to disk only once per half of the
//! journal: after a power failure the recovery writes again from here what was lost there. The
//! journal has two halves so that the newest batches stay readable while it begins anew.

use std::{
    fs::File,
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
};

use aileron_contract::limits;
use aileron_store::files::{private, sync_dir};
use sha2::{Digest as _, Sha256};

/// Its name in the log's folder. 0600.
pub(crate) const FILE: &str = "journal";

/// Bytes of one half. A batch must fit one.
const HALF: usize = 4 * 1024 * 1024;

/// Lines of one batch, in bytes: with names and note it fits half of a half.
pub(crate) const BATCH_BYTES: usize = HALF / 2 - limits::AUDIT_LINE - 8 * 1024;

/// Frames begin at sectors, so that a torn write never reaches into an earlier frame.
const SECTOR: usize = 512;

const MAGIC: &[u8; 8] = b"aileron1";
const HEADER: usize = 8 + 4 + 32;

/// One batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Leaves before and after it.
    pub(crate) before: u64,
    pub(crate) after: u64,
    /// Where its lines stand.
    pub(crate) file: String,
    pub(crate) offset: u64,
    /// The signed checkpoint of `after` leaves.
    pub(crate) note: String,
    /// With their line feeds.
    pub(crate) lines: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    half: usize,
    position: usize,
}

impl Journal {
    /// Begins an empty journal. What an older one held must be durable elsewhere.
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        let mut file = private().create(true).write(true).truncate(true).open(&path)?;
        let zeroes = vec![0; 256 * 1024];
        for _ in 0..2 * HALF / zeroes.len() {
            file.write_all(&zeroes)?;
        }
        file.sync_all()?;
        sync_dir(folder)?;
        Ok(Self { file, half: 0, position: 0 })
    }

    /// Must the lines of all earlier frames be durable before this one may be written?
    pub(crate) fn turns_for(&self, frame: &[u8]) -> bool {
        self.position + frame.len() > HALF
    }

    /// Begins the other half. The caller has made the lines of all earlier frames durable.
    pub(crate) fn turn(&mut self) {
        self.half = 1 - self.half;
        self.position = 0;
    }

    /// Writes an encoded frame; it is durable when this returns. After a failure the place is
    /// written anew by the next frame.
    pub(crate) fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        let at = self.half * HALF + self.position;
        self.file.write_all_at(frame, u64::try_from(at).map_err(io::Error::other)?)?;
        self.file.sync_data()?;
        self.position += frame.len();
        Ok(())
    }
}

impl Frame {
    /// Its bytes in the journal.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { before, after, file, offset, note, lines } = self;
        let mut bytes = vec![0; HEADER];
        bytes.reserve(lines.len() + note.len() + 2 * SECTOR);
        for number in [before, after, offset] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for part in [file.as_bytes(), note.as_bytes(), lines] {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        let (header, payload) = bytes.split_at(HEADER);
        debug_assert_eq!(header.len(), HEADER);
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let digest = Sha256::digest(payload);
        let header = [MAGIC.as_slice(), &length.to_be_bytes(), &digest].concat();
        for (to, from) in bytes.iter_mut().zip(header) {
            *to = from;
        }
        bytes.resize(bytes.len().next_multiple_of(SECTOR), 0);
        bytes
    }

    pub(crate) fn decode(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        let (before, after, offset) = (reader.number()?, reader.number()?, reader.number()?);
        let file = String::from_utf8(reader.part()?.to_vec()).ok()?;
        let note = String::from_utf8(reader.part()?.to_vec()).ok()?;
        let lines = reader.part()?.to_vec();
        Some(Self { before, after, file, offset, note, lines })
    }
}

/// The frames of a journal, in the order they were written. What is torn, or left over from an
/// earlier turn, is none.
pub(crate) fn read(bytes: &[u8]) -> Vec<Frame> {
    let (first, second) = bytes.split_at(bytes.len().min(HALF));
    let mut halves = [read_half(first), read_half(second)];
    halves.sort_by_key(|frames| frames.first().map_or(0, |frame| frame.before));
    halves.into_iter().flatten().collect()
}

/// The longest file [`read`] is given.
pub(crate) fn max_length() -> u64 {
    u64::try_from(2 * HALF).unwrap_or(u64::MAX)
}

fn read_half(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    while let Some((frame, length)) = read_frame(bytes) {
        if frames.last().is_some_and(|last| last.after != frame.before) {
            break;
        }
        frames.push(frame);
        bytes = bytes.get(length.next_multiple_of(SECTOR)..).unwrap_or_default();
    }
    frames
}

fn read_frame(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let payload = rest.get(..length)?;
    if magic != MAGIC || digest != Sha256::digest(payload).as_slice() {
        return None;
    }
    Some((Frame::decode(payload)?, HEADER + length))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    fn part(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn frame(before: u64, length: usize) -> Frame {
        Frame {
            before,
            after: before + 1,
            file: "audit-2026-11-21.jsonl".to_owned(),
            offset: before * 10,
            note: "note\n".to_owned(),
            lines: vec![b'x'; length],
        }
    }

    fn write(journal: &mut Journal, frame: &Frame) {
        let bytes = frame.encode();
        if journal.turns_for(&bytes) {
            journal.turn();
        }
        journal.write(&bytes).unwrap();
    }

    #[test]
    fn the_newest_frames_survive_any_number_of_turns() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path()).unwrap();
        for at in 0..40 {
            write(&mut journal, &frame(at, 600_000));
            let frames = read(&fs::read(folder.path().join(FILE)).unwrap());
            assert_eq!(frames.last(), Some(&frame(at, 600_000)));
            assert!(frames.windows(2).all(|pair| pair[0].after == pair[1].before));
        }
    }

    #[test]
    fn a_torn_frame_costs_no_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path()).unwrap();
        for at in 0..3 {
            write(&mut journal, &frame(at, 1_000));
        }
        let whole = fs::read(folder.path().join(FILE)).unwrap();
        let length = frame(0, 1_000).encode().len();
        for torn in [2 * length, 2 * length + 100, 3 * length - 600] {
            let mut bytes = whole.clone();
            bytes[torn] ^= 1;
            assert_eq!(read(&bytes).len(), 2, "{torn}");
        }
        assert_eq!(read(&whole[..3 * length - SECTOR]).len(), 2);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..400) {
            read(&bytes);
            let mut framed = [frame(0, 100).encode(), frame(1, 10).encode()].concat();
            for (to, from) in framed.iter_mut().skip(at).zip(bytes) {
                *to = from;
            }
            prop_assert!(read(&framed).len() <= 2);
        }
    }
}
