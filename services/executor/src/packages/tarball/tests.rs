//! Archives as publishers make them, and as attackers do.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::*;

const SIGNED: [u8; 64] = [9; 64];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn header(kind: EntryType, name: &[u8], size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    header
}

/// An archive of regular files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in files {
        let size = u64::try_from(bytes.len()).unwrap();
        builder.append(&header(EntryType::Regular, name.as_bytes(), size), *bytes).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

/// A sound action's archive with one more entry.
fn with_entry(kind: EntryType, name: &[u8], link: Option<&str>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    builder.append(&header(EntryType::Regular, b"action.md", 1), &b"x"[..]).unwrap();
    let mut extra = header(kind, name, 0);
    if let Some(link) = link {
        extra.set_link_name(link).unwrap();
        extra.set_cksum();
    }
    builder.append(&extra, &b""[..]).unwrap();
    gzip(&builder.into_inner().unwrap())
}

#[test]
fn a_connector_has_a_binary_a_manifest_and_a_signature() {
    let bytes = archive(&[
        ("./connector.wasm", b"\0asm"),
        ("manifest.toml", b"[connector]"),
        ("signature.sig", &SIGNED),
    ]);
    let files = connector(&bytes).unwrap();
    assert_eq!(files.binary_name, "connector.wasm");
    assert_eq!(&files.binary[..], b"\0asm");
    assert_eq!(files.signature, SIGNED);
}

#[test]
fn an_action_may_be_unsigned_and_folders_are_skipped() {
    assert_eq!(action(&archive(&[("action.md", b"x")])).unwrap().signature, None);
    let folder = with_entry(EntryType::Directory, b"./", None);
    assert_eq!(&action(&folder).unwrap().action[..], b"x");
}

#[test]
fn a_missing_file_is_named() {
    let two: [(&str, &[u8]); 2] = [("connector.wasm", b"x"), ("signature.sig", &SIGNED)];
    assert!(matches!(connector(&archive(&two)), Err(Malformed::Missing("manifest.toml"))));
    assert!(matches!(connector(&archive(&two[..1])), Err(Malformed::Missing("manifest.toml"))));
    assert!(matches!(action(&archive(&[])), Err(Malformed::Missing("action.md"))));
}

#[test]
fn links_devices_and_pipes_are_refused() {
    for (kind, link) in [
        (EntryType::Symlink, Some("/etc/passwd")),
        (EntryType::Link, Some("action.md")),
        (EntryType::Char, None),
        (EntryType::Block, None),
        (EntryType::Fifo, None),
        (EntryType::Continuous, None),
    ] {
        let bytes = with_entry(kind, b"signature.sig", link);
        assert!(matches!(action(&bytes), Err(Malformed::NotAFile(_))), "{kind:?}");
    }
}

#[test]
fn names_that_nest_climb_or_are_unknown_are_refused() {
    for name in ["sub/action.md", "../action.md", "/action.md", "README.md", "././action.md"] {
        let bytes = archive(&[(name, b"x")]);
        assert!(matches!(action(&bytes), Err(Malformed::Unexpected(_))), "{name}");
    }
    let climbing = with_entry(EntryType::Directory, b"../../", None);
    assert!(matches!(action(&climbing), Err(Malformed::Unexpected(_))));
}

#[test]
fn a_file_cannot_come_twice_nor_two_binaries() {
    let twice = archive(&[("action.md", b"x"), ("./action.md", b"y")]);
    assert!(matches!(action(&twice), Err(Malformed::Twice("action.md"))));
    let two = archive(&[("connector.wasm", b"x"), ("connector.bin", b"y")]);
    assert!(matches!(connector(&two), Err(Malformed::TwoBinaries)));
}

#[test]
fn a_long_name_extension_names_only_what_is_known() {
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let mut builder = Builder::new(Vec::new());
        let name: &[u8] = match kind {
            EntryType::XHeader => b"21 path=../action.md\n",
            _ => b"../action.md\0",
        };
        let size = u64::try_from(name.len()).unwrap();
        builder.append(&header(kind, b"././@LongLink", size), name).unwrap();
        builder.append(&header(EntryType::Regular, b"action.md", 1), &b"x"[..]).unwrap();
        let bytes = gzip(&builder.into_inner().unwrap());
        assert!(matches!(action(&bytes), Err(Malformed::Unexpected(_))), "{kind:?}");
    }
}

#[test]
fn a_signature_is_64_bytes_long() {
    let short = archive(&[("action.md", b"x"), ("signature.sig", b"short")]);
    assert!(matches!(action(&short), Err(Malformed::Signature(5))));
}

#[test]
fn too_many_entries_are_refused() {
    let mut builder = Builder::new(Vec::new());
    for _ in 0..=limits::PACKAGE_ENTRIES {
        builder.append(&header(EntryType::Directory, b"x/", 0), &b""[..]).unwrap();
    }
    let bytes = gzip(&builder.into_inner().unwrap());
    assert!(matches!(action(&bytes), Err(Malformed::TooMany)));
}

#[test]
fn a_file_past_its_own_bound_is_refused() {
    let long = vec![b'x'; limits::MANIFEST + 1];
    let bytes = archive(&[("manifest.toml", &long)]);
    assert!(matches!(connector(&bytes), Err(Malformed::FileTooLarge(..))));
}

#[test]
fn a_bomb_ends_at_the_bound() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let size = limits::PACKAGE_UNPACKED + 1024 * 1024;
    encoder.write_all(header(EntryType::Regular, b"connector.wasm", size).as_bytes()).unwrap();
    let block = vec![0_u8; 1024 * 1024];
    for _ in 0..=(limits::PACKAGE_UNPACKED / (1024 * 1024)) {
        encoder.write_all(&block).unwrap();
    }
    let bytes = encoder.finish().unwrap();
    assert!(bytes.len() < 1024 * 1024);
    assert!(matches!(connector(&bytes), Err(Malformed::TooLarge | Malformed::FileTooLarge(..))));
}

#[test]
fn a_name_extension_cannot_be_a_bomb_either() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let size = limits::PACKAGE_UNPACKED * 2;
    encoder.write_all(header(EntryType::GNULongName, b"././@LongLink", size).as_bytes()).unwrap();
    let block = vec![b'x'; 1024 * 1024];
    for _ in 0..=(limits::PACKAGE_UNPACKED / (1024 * 1024)) {
        encoder.write_all(&block).unwrap();
    }
    assert!(matches!(action(&encoder.finish().unwrap()), Err(Malformed::TooLarge)));
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [&b""[..], b"not gzip", &gzip(b"not tar at all")] {
        assert!(action(bytes).is_err());
    }
    let whole = archive(&[("action.md", &[b'x'; 4096])]);
    assert!(action(&whole[..whole.len() / 2]).is_err());
}

proptest! {
    #[test]
    fn any_tar_is_unpacked_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        drop(connector(&gzip(&bytes)));
        drop(action(&bytes));
    }
}
