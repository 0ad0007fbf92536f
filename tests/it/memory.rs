//! The memory of a running process, searched.

use std::os::unix::fs::FileExt as _;

/// Searches the readable memory of a process. The process is not dumpable, so this needs root
/// (or the process's own capability), which is what a memory scan by the tester is.
pub(crate) fn holds(pid: u32, needle: &[u8]) -> bool {
    let mut found = false;
    pieces(pid, needle.len(), |piece| {
        found = memchr::memmem::find(piece, needle).is_some();
        found
    });
    found
}

/// Hands out the written memory of a process piece by piece, until `look` has seen enough. Pieces
/// overlap by `longest`, so that what lies across a border is found.
pub(crate) fn pieces(pid: u32, longest: usize, mut look: impl FnMut(&[u8]) -> bool) {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut searched = 0_u64;
    let mut buffer = vec![0_u8; 1 << 20];
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, access) = (fields.next().unwrap(), fields.next().unwrap());
        // Written pages only: the program's own code and data hold no secret of the run.
        if !access.starts_with("rw") || line.ends_with("[vvar]") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) =
            (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut at = start;
        while at + longest as u64 <= end {
            let length = usize::try_from((end - at).min(1 << 20)).unwrap();
            let read = memory.read_at(&mut buffer[..length], at).unwrap_or_default();
            searched += read as u64;
            if look(&buffer[..read]) {
                return;
            }
            // A page that cannot be read is skipped.
            at += if read < longest { 4096 } else { (read - longest + 1) as u64 };
        }
    }
    assert!(searched > 1 << 16, "the memory of {pid} could not be read: the scan proves nothing");
}

#[test]
fn the_memory_scan_finds_a_planted_canary() {
    let canary = format!("canary-{}-planted", std::process::id());
    let held = canary.clone().into_bytes();
    assert!(holds(std::process::id(), &held));
    drop(canary);
}
