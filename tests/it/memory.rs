//! The memory of a running process, searched.

use std::os::unix::fs::FileExt as _;

/// Searches the readable memory of a process. The process is not dumpable, so this needs root
/// (or the process's own capability), which is what a memory scan by the tester is.
pub(crate) fn holds(pid: u32, needle: &[u8]) -> bool {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut searched = 0_u64;
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
        let mut buffer = vec![0_u8; 1 << 20];
        while at + needle.len() as u64 <= end {
            let length = usize::try_from((end - at).min(1 << 20)).unwrap();
            let read = memory.read_at(&mut buffer[..length], at).unwrap_or_default();
            searched += read as u64;
            if memchr::memmem::find(&buffer[..read], needle).is_some() {
                return true;
            }
            // Pieces overlap, so that a needle across a border is found; a page that cannot be
            // read is skipped.
            at += if read < needle.len() { 4096 } else { (read - needle.len() + 1) as u64 };
        }
    }
    assert!(searched > 1 << 20, "the memory of {pid} could not be read: the scan proves nothing");
    false
}

#[test]
fn the_memory_scan_finds_a_planted_canary() {
    let canary = format!("canary-{}-planted", std::process::id());
    let held = canary.clone().into_bytes();
    assert!(holds(std::process::id(), &held));
    drop(canary);
}
