use std::collections::BTreeMap;

use aileron_contract::Reason;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::{
    FileError, Metadata, UnlockError, VaultFile,
    v2::{Draft, File, NewPassphrase},
};
use crate::{kdf::Kdf, keys::Keys};

const PUBLISHED: &str = r#"{
  "version": 1,
  "salt": "AAECAwQFBgcICQoLDA0ODw==",
  "verification": "EBAQEBAQEBAQEBAQBI01gO50G97gNhiHb3vfnLV6NN8SqMZ7Yxm5ha/8NQA=",
  "secrets": {
    "api_key/linear/team": {
      "value": "ICAgICAgICAgICAgWwkEg+YTswMX2piSswRwA7o8QksP8vNJoxADZA==",
      "metadata": {"Type": "api_key", "Environment": "", "Labels": null}
    }
  }
}"#;

const PASSPHRASE: &[u8] = b"correct horse battery staple";

fn passphrase(text: &[u8]) -> NewPassphrase {
    let kdf = Kdf { memory_kib: 8, passes: 1, lanes: 1 };
    let salt = vec![5; 16];
    NewPassphrase { key: kdf.derive(text, &salt).unwrap(), kdf, salt }
}

fn metadata(hosts: &str) -> Metadata {
    Metadata {
        kind: "api_key".to_owned(),
        environment: String::new(),
        labels: BTreeMap::from([("hosts".to_owned(), hosts.to_owned())]),
    }
}

/// A vault with two entries.
fn sample() -> (File, Keys) {
    let (mut draft, keys) = Draft::create(&passphrase(b"open")).unwrap();
    draft.put(&keys, "api_key/a/x", metadata("a.example:443"), b"value of a").unwrap();
    draft.put(&keys, "api_key/b/x", metadata("b.example:443"), b"value of b").unwrap();
    (draft.finish(&keys).unwrap(), keys)
}

fn unlock(bytes: &[u8], text: &[u8]) -> Result<(VaultFile, Keys), UnlockError> {
    let file = VaultFile::parse(bytes)?;
    let (kdf, salt) = file.challenge();
    let key: Zeroizing<[u8; 32]> = kdf.derive(text, salt)?;
    let keys = file.unlock(&key)?;
    Ok((file, keys))
}

fn edited(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut text: serde_json::Value =
        serde_json::from_slice(&sample().0.render().unwrap()).unwrap();
    change(&mut text);
    serde_json::to_vec(&text).unwrap()
}

fn assert_tampered(bytes: &[u8]) {
    match unlock(bytes, b"open") {
        Err(UnlockError::File(FileError::Tampered(_))) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_published_vector_opens() {
    let (file, keys) = unlock(PUBLISHED.as_bytes(), PASSPHRASE).unwrap();
    let VaultFile::V1(file) = file else { panic!("version 1") };
    assert_eq!(&**file.open(&keys, "api_key/linear/team").unwrap(), b"lin_api_TEST");
    assert!(matches!(unlock(PUBLISHED.as_bytes(), b"wrong"), Err(UnlockError::Rejected)));
}

#[test]
fn lower_case_metadata_and_older_files_are_read() {
    let older = PUBLISHED
        .replace("\"version\": 1,", "")
        .replace("\"verification\"", "\"comment\"")
        .replace("\"Type\"", "\"type\"")
        .replace("\"Labels\": null", "\"labels\": {\"k\": \"v\"}");
    let (file, _) = unlock(older.as_bytes(), PASSPHRASE).unwrap();
    let entry = &file.entries()["api_key/linear/team"];
    assert_eq!(
        (entry.metadata.kind.as_str(), entry.metadata.labels["k"].as_str()),
        ("api_key", "v")
    );
    assert!(matches!(unlock(older.as_bytes(), b"wrong"), Err(UnlockError::Rejected)));
}

#[test]
fn an_older_empty_file_takes_any_passphrase() {
    let text = br#"{"salt": "AAECAwQFBgcICQoLDA0ODw==", "secrets": {}}"#;
    let VaultFile::V1(file) = VaultFile::parse(text).unwrap() else { panic!("version 1") };
    assert!(file.takes_any_passphrase());
    assert!(file.unlock(&[3; 32]).is_ok());
}

#[test]
fn a_verification_of_something_else_is_tampering_not_a_wrong_passphrase() {
    let swapped = PUBLISHED.replace(
        "EBAQEBAQEBAQEBAQBI01gO50G97gNhiHb3vfnLV6NN8SqMZ7Yxm5ha/8NQA=",
        "ICAgICAgICAgICAgWwkEg+YTswMX2piSswRwA7o8QksP8vNJoxADZA==",
    );
    let refused = unlock(swapped.as_bytes(), PASSPHRASE).unwrap_err();
    assert!(matches!(refused, UnlockError::File(FileError::Tampered(_))), "{refused:?}");
}

#[test]
fn a_migrated_file_holds_the_same_under_another_key_and_keeps_its_pins() {
    let (file, old) = unlock(PUBLISHED.as_bytes(), PASSPHRASE).unwrap();
    let VaultFile::V1(file) = file else { panic!("version 1") };
    let (draft, keys) = Draft::migrate(&file, &old, &passphrase(b"open")).unwrap();
    let migrated = draft.finish(&keys).unwrap();
    let (_, read) = unlock(&migrated.render().unwrap(), b"open").unwrap();
    assert_eq!(&**migrated.open(&read, "api_key/linear/team").unwrap(), b"lin_api_TEST");
    assert_eq!(read.pin_root(), old.pin_root());
    assert_ne!(read.vault(), old.vault());
}

#[test]
fn a_new_file_opens_with_its_passphrase_only() {
    let bytes = sample().0.render().unwrap();
    let (file, keys) = unlock(&bytes, b"open").unwrap();
    let VaultFile::V2(file) = file else { panic!("version 2") };
    assert_eq!(&**file.open(&keys, "api_key/a/x").unwrap(), b"value of a");
    assert!(matches!(unlock(&bytes, b"Open"), Err(UnlockError::Rejected)));
    assert!(!String::from_utf8_lossy(&bytes).contains("value of"));
}

#[test]
fn swapped_values_are_noticed() {
    assert_tampered(&edited(|text| {
        let a = text["secrets"]["api_key/a/x"]["value"].take();
        let b = std::mem::replace(&mut text["secrets"]["api_key/b/x"]["value"], a);
        text["secrets"]["api_key/a/x"]["value"] = b;
    }));
}

#[test]
fn an_edited_label_a_removed_entry_and_a_changed_generation_are_noticed() {
    assert_tampered(&edited(|text| {
        text["secrets"]["api_key/a/x"]["metadata"]["Labels"]["hosts"] = "evil.example:443".into();
    }));
    assert_tampered(&edited(|text| {
        text["secrets"].as_object_mut().unwrap().remove("api_key/a/x");
    }));
    assert_tampered(&edited(|text| text["generation"] = 9.into()));
    assert_tampered(&edited(|text| {
        text["secrets"]["api_key/a/x"]["metadata"]["Labels"]["last_used_at"] = "1".into();
    }));
}

#[test]
fn an_entry_moved_into_another_file_of_the_same_vault_does_not_open() {
    let (file, keys) = sample();
    let mut draft = Draft::of(&file);
    draft.put(&keys, "api_key/a/x", metadata("evil.example:443"), b"new").unwrap();
    let mut moved = draft.finish(&keys).unwrap();
    // The labels of the new file around the value of the old one.
    let old = file.entries["api_key/a/x"].envelope.clone();
    moved.entries.get_mut("api_key/a/x").unwrap().envelope = old;
    assert!(moved.open(&keys, "api_key/a/x").is_err());
}

#[test]
fn planted_parameters_are_refused_by_parsing_alone() {
    for (key, value) in [("memory_kib", u32::MAX), ("passes", 10_000), ("lanes", 0)] {
        let bytes = edited(|text| text["members"][0][key] = value.into());
        assert_eq!(VaultFile::parse(&bytes).unwrap_err(), FileError::Planted, "{key}");
    }
    let weaker = edited(|text| text["members"][0]["passes"] = 2.into());
    assert!(matches!(unlock(&weaker, b"open"), Err(UnlockError::Rejected)));
}

#[test]
fn a_file_of_another_age_is_recognised() {
    let newer = edited(|text| text["version"] = 3.into());
    assert_eq!(VaultFile::parse(&newer).unwrap_err(), FileError::Newer(3));
    let unknown = edited(|text| text["extra"] = true.into());
    assert!(matches!(VaultFile::parse(&unknown), Err(FileError::Malformed(_))));
    let error: aileron_contract::Error = FileError::Newer(3).into();
    assert_eq!(error.reason(), Reason::VaultUnreadable);
}

#[test]
fn a_rotated_file_opens_with_the_new_key_and_not_with_the_old_one() {
    let (file, old) = sample();
    let mut draft = Draft::of(&file);
    let keys = draft.rotate(&file, &old, &passphrase(b"new")).unwrap();
    let rotated = draft.finish(&keys).unwrap();
    assert!(rotated.verify(&old).is_err());
    assert!(rotated.open(&old, "api_key/a/x").is_err());
    let (_, read) = unlock(&rotated.render().unwrap(), b"new").unwrap();
    rotated.verify_entries(&read).unwrap();
    assert_eq!(read.pin_root(), old.pin_root());
    assert!(matches!(unlock(&rotated.render().unwrap(), b"open"), Err(UnlockError::Rejected)));
}

#[test]
fn nothing_here_prints_a_secret() {
    let (file, keys) = sample();
    let shown = format!("{file:?} {keys:?} {:?}", Draft::of(&file));
    for secret in ["value of a", &hex::encode(keys.vault()), &format!("{:?}", keys.vault())] {
        assert!(!shown.contains(secret));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Either nothing that matters changed (white space), or the file is refused.
    #[test]
    fn no_byte_can_be_changed_unnoticed(place: prop::sample::Index, mask in 1_u8..) {
        let (file, _) = sample();
        let mut bytes = file.render().unwrap();
        let at = place.index(bytes.len());
        bytes[at] ^= mask;
        if let Ok((read, _)) = unlock(&bytes, b"open") {
            prop_assert_eq!(read, VaultFile::V2(file));
        }
    }

    #[test]
    fn no_part_can_be_cut_off(place: prop::sample::Index) {
        let bytes = sample().0.render().unwrap();
        // The last byte is a line feed.
        let cut = place.index(bytes.len() - 1);
        prop_assert!(unlock(&bytes[..cut], b"open").is_err());
    }

    /// Whatever an earlier runtime wrote, all of it arrives: paths that are no paths of ours, any
    /// metadata, any bytes.
    #[test]
    fn a_migration_loses_nothing(
        key: [u8; 32],
        entries in prop::collection::btree_map(
            ".{0,40}",
            (prop::collection::vec(any::<u8>(), 0..80), "\\PC{0,12}", "\\PC{0,12}",
                prop::collection::btree_map("[a-z_]{1,12}", "\\PC{0,20}", 0..4)),
            0..8,
        ),
    ) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let sealed = |plain: &[u8]| {
            STANDARD.encode(crate::envelope::seal(&key, &[], plain).unwrap())
        };
        let secrets: serde_json::Map<_, _> = entries
            .iter()
            .map(|(path, (value, kind, environment, labels))| {
                let metadata = serde_json::json!({
                    "Type": kind, "Environment": environment, "Labels": labels,
                });
                let entry = serde_json::json!({ "value": sealed(value), "metadata": metadata });
                (path.clone(), entry)
            })
            .collect();
        let text = serde_json::json!({
            "version": 1,
            "salt": STANDARD.encode([4; 16]),
            "verification": sealed(b"aileron-vault-v1"),
            "secrets": secrets,
        });
        let VaultFile::V1(old) = VaultFile::parse(text.to_string().as_bytes()).unwrap() else {
            panic!("version 1")
        };
        let old_keys = old.unlock(&Zeroizing::new(key)).unwrap();
        let (draft, keys) = Draft::migrate(&old, &old_keys, &passphrase(b"open")).unwrap();
        let bytes = draft.finish(&keys).unwrap().render().unwrap();
        let (read, keys) = unlock(&bytes, b"open").unwrap();
        prop_assert_eq!(read.entries().len(), entries.len());
        for (path, (value, kind, environment, labels)) in &entries {
            prop_assert_eq!(&**read.open(&keys, path).unwrap(), value);
            let Metadata { kind: k, environment: e, labels: l } =
                &read.entries()[path].metadata;
            prop_assert_eq!((k, e, l), (kind, environment, labels));
        }
        prop_assert_eq!(keys.pin_root(), old_keys.pin_root());
    }

    #[test]
    fn arbitrary_bytes_are_read_without_harm(bytes: Vec<u8>) {
        prop_assert!(crate::fuzz::reads_back(&bytes));
    }
}
