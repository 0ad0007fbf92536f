use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::*;

/// An archive of raw entries: type, path as it stands in the header, content.
fn packed(entries: &[(tar::EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (kind, path, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

const FILE: tar::EntryType = tar::EntryType::Regular;

fn files(entries: &[(tar::EntryType, &str, &[u8])]) -> Vec<(String, bool)> {
    let unpacked = unpack(&packed(entries)).unwrap();
    unpacked.files.into_iter().map(|file| (file.path, file.text.is_some())).collect()
}

fn refused(entries: &[(tar::EntryType, &str, &[u8])]) -> String {
    let error = unpack(&packed(entries)).unwrap_err();
    assert_eq!(error.reason(), Reason::MalformedTarball);
    error.public().to_owned()
}

#[test]
fn the_three_folders_are_read_and_the_rest_is_passed_over() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let comment = format!("52 comment={commit}\n");
    let entries: &[(tar::EntryType, &str, &[u8])] = &[
        (tar::EntryType::XGlobalHeader, "pax_global_header", comment.as_bytes()),
        (tar::EntryType::Directory, "hub-0123/", b""),
        (FILE, "hub-0123/README.md", b"# Hub"),
        (FILE, "hub-0123/suites/b.yml", b"b"),
        (FILE, "hub-0123/connectors/a.yaml", b"a"),
        (FILE, "hub-0123/connectors/deep/a.yaml", b"no"),
        (FILE, "hub-0123/connectors/.hidden.yaml", b"no"),
        (FILE, "hub-0123/connectors/notes.md", b"no"),
        (FILE, "hub-0123/other/a.yaml", b"no"),
    ];
    let unpacked = unpack(&packed(entries)).unwrap();
    assert_eq!(unpacked.commit.as_deref(), Some(commit));
    let paths: Vec<_> = unpacked.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["connectors/a.yaml", "suites/b.yml"]);
}

#[test]
fn a_path_that_leads_out_of_the_archive_refuses_all_of_it() {
    for path in [
        "hub/../connectors/a.yaml",
        "/etc/connectors/a.yaml",
        "../connectors/a.yaml",
        "hub\\connectors/a.yaml",
        "a.yaml",
    ] {
        refused(&[(FILE, "hub/README.md", b""), (FILE, path, b"x")]);
    }
    let two = refused(&[(FILE, "hub/README.md", b""), (FILE, "bub/connectors/a.yaml", b"x")]);
    assert!(two.contains("one folder"), "{two}");
}

#[test]
fn what_is_no_plain_text_file_is_told_and_hides_no_other() {
    let long = vec![b'#'; limits::HUB_ENTRY + 1];
    let found = files(&[
        (tar::EntryType::Symlink, "hub/connectors/link.yaml", b""),
        (tar::EntryType::Link, "hub/connectors/hard.yaml", b""),
        (FILE, "hub/connectors/long.yaml", &long),
        (FILE, "hub/connectors/latin.yaml", b"\xe4"),
        (FILE, "hub/connectors/bell.yaml", b"a: \x07"),
        (FILE, "hub/connectors/twice.yaml", b"a"),
        (FILE, "hub/connectors/twice.yaml", b"b"),
        (FILE, "hub/connectors/good.yaml", b"good"),
    ]);
    assert_eq!(found.len(), 7);
    for (path, text) in found {
        assert_eq!(text, path.ends_with("good.yaml"), "{path}");
    }
}

#[test]
fn a_bomb_ends_at_the_bound() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let mut header = tar::Header::new_gnu();
    header.set_path("hub/README.md").unwrap();
    header.set_size(limits::HUB_UNPACKED * 2);
    header.set_cksum();
    gzip.write_all(header.as_bytes()).unwrap();
    let piece = vec![0_u8; 1024 * 1024];
    for _ in 0..=(limits::HUB_UNPACKED / 1024 / 1024) {
        gzip.write_all(&piece).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 1024 * 1024);
    let error = unpack(&bomb).unwrap_err();
    assert!(error.public().contains("unpacks to more"), "{error}");
}

#[test]
fn many_files_or_much_text_are_refused() {
    let names: Vec<_> = (0..=limits::HUB_FILES).map(|at| format!("hub/{at}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (FILE, name.as_str(), &b""[..])).collect();
    assert!(refused(&entries).contains("files"));
    let text = vec![b'#'; limits::HUB_ENTRY];
    let count = limits::HUB_TEXT / limits::HUB_ENTRY + 1;
    let names: Vec<_> = (0..count).map(|at| format!("hub/suites/{at}.yaml")).collect();
    let entries: Vec<_> = names.iter().map(|name| (FILE, name.as_str(), &text[..])).collect();
    assert!(refused(&entries).contains("together"));
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [&b""[..], b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"<html>"] {
        assert!(unpack(bytes).is_err(), "{bytes:?}");
    }
    let text = vec![b'#'; 50_000];
    let mut cut = packed(&[(FILE, "hub/connectors/a.yaml", &text)]);
    cut.truncate(cut.len() / 2);
    assert!(unpack(&cut).is_err());
}
