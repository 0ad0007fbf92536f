//! A package as downloaded: known files only, within their bounds, and never more bytes than the
//! archive holds. The first byte says what the rest is: an archive, or edits of a sound tar (of a
//! connector, of an action) whose checksums are put right again.
#![no_main]

use std::io::{Read as _, Write as _};

use aileron_contract::limits;
use aileron_executor::packages::tarball;
use aileron_fuzz::edited;
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use tar::{Builder, Header};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let archive = match mode % 3 {
        0 => rest.to_vec(),
        1 => gzip(&edits(CONNECTOR, rest)),
        _ => gzip(&edits(ACTION, rest)),
    };
    let connector = tarball::connector(&archive);
    let action = tarball::action(&archive);
    if connector.is_err() && action.is_err() {
        assert!(mode % 3 == 0 || !rest.is_empty(), "a sound archive was refused");
        return;
    }
    // What was accepted is gzip, and small enough to be unpacked here as well.
    let mut unpacked = Vec::new();
    let most = limits::PACKAGE_UNPACKED + 1;
    MultiGzDecoder::new(archive.as_slice()).take(most).read_to_end(&mut unpacked).ok();
    if let Ok(files) = connector {
        assert!(matches!(files.binary_name, "connector.wasm" | "connector.bin"));
        assert!(files.manifest.len() <= limits::MANIFEST);
        assert!(files.binary.len() + files.manifest.len() + 64 <= unpacked.len());
    }
    if let Ok(files) = action {
        assert!(files.action.len() <= limits::ACTION_FILE && files.action.len() <= unpacked.len());
    }
});

const CONNECTOR: &[(&str, &[u8])] =
    &[("manifest.toml", b"[connector]\n"), ("./connector.wasm", b"\0asm"), SIGNATURE];
const ACTION: &[(&str, &[u8])] = &[("action.md", b"+++\n+++\n"), SIGNATURE];
const SIGNATURE: (&str, &[u8]) = ("signature.sig", &[9; 64]);

fn edits(files: &[(&str, &[u8])], edits: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).expect("small"));
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).expect("memory takes what it is given");
    }
    let mut tar = edited(&builder.into_inner().expect("it was finished"), edits);
    repair(&mut tar);
    tar
}

/// Gives every header its checksum, so that edits reach what lies behind it.
fn repair(tar: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = tar.get_mut(at..at + 512) {
        if header.iter().all(|byte| *byte == 0) {
            at += 512;
            continue;
        }
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let size = std::str::from_utf8(&header[124..135]).unwrap_or_default();
        let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).unwrap_or(0);
        at = at.saturating_add(512).saturating_add(size.min(1 << 30).next_multiple_of(512));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).expect("memory takes what it is given");
    encoder.finish().expect("memory takes what it is given")
}
