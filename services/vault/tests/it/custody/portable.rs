use std::sync::atomic::Ordering;

use aileron_contract::{
    Context, Reason, Result, Scope,
    bindings::BindingFilter,
    custody::{Import, Imported},
    limits,
};

use super::{login, shown};
use crate::house::{House, assert_refused, consent, daemon, hosts_of, program, secret, service};

/// A vault with a secret, a login and a binding.
async fn furnished() -> House {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    vault.put_secret(&service(), "a".parse().unwrap(), secret("canary-of-a")).await.unwrap();
    let notes = consent("github://acme/notes", "me", &["notes.example:443"]);
    house.service.bindings().bind(&service(), notes, secret("canary-of-notes")).await.unwrap();
    let custody = house.service.custody();
    let claude = "agents/claude/oauth".parse().unwrap();
    custody.put_login(&service(), claude, login(b"canary-of-claude")).await.unwrap();
    house
}

async fn exported(house: &House) -> Vec<u8> {
    let exported = house.service.custody().export(&service(), secret("own sesame")).await.unwrap();
    assert_eq!(exported.entries, 3);
    exported.file
}

async fn import(house: &House, file: &[u8], passphrase: &str, replace: bool) -> Result<Imported> {
    let import = Import { file: file.to_vec(), passphrase: secret(passphrase), replace };
    house.service.custody().import(&service(), import).await
}

#[tokio::test]
async fn a_vault_moves_to_another_machine_with_its_consents() {
    let house = furnished().await;
    house.log.take();
    let file = exported(&house).await;
    assert_eq!(house.log.take(), ["vault.exported"]);
    let text = String::from_utf8_lossy(&file);
    assert!(text.starts_with("{\"format\":\"aileron-vault-export\",\"version\":1,"), "{text}");
    for canary in ["canary-of", "notes.example", "claude"] {
        assert!(!text.contains(canary), "{canary}");
    }
    let other = House::with_vault().await;
    other.log.take();
    let done = import(&other, &file, "own sesame", false).await.unwrap();
    assert_eq!(done, Imported { added: 3, replaced: 0, unchanged: 0 });
    assert_eq!(other.log.take(), ["vault.imported"]);
    let bindings =
        other.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap();
    assert_eq!(bindings[0].hosts, Some(hosts_of(&["notes.example:443"])));
    assert_eq!(bindings[0].name.as_str(), "api_key/notes/me");
    let claude = "agents/claude/oauth".parse().unwrap();
    let value = other.service.custody().export_login(&service(), claude).await.unwrap();
    assert_eq!(shown(&value.value), b"canary-of-claude");
    // Sealed under the other vault's own key: it opens again after a restart.
    let other = other.restarted().await;
    other.unlock().await;
    let again = import(&other, &file, "own sesame", false).await.unwrap();
    assert_eq!(again, Imported { added: 0, replaced: 0, unchanged: 3 });
}

#[tokio::test]
async fn what_differs_is_a_conflict_that_changes_nothing_until_the_file_may_win() {
    let house = furnished().await;
    let file = exported(&house).await;
    let vault = house.service.vault();
    vault.put_secret(&service(), "a".parse().unwrap(), secret("newer sesame")).await.unwrap();
    let wider = consent("github://acme/notes", "me", &["notes.example:443", "more.example:443"]);
    house.service.bindings().bind(&service(), wider, secret("canary-of-notes")).await.unwrap();
    let gone = "agents/claude/oauth".parse().unwrap();
    house.service.custody().delete_login(&service(), gone).await.unwrap();
    let before = house.bytes();
    house.log.take();
    let refused = import(&house, &file, "own sesame", false).await;
    let error = assert_refused(refused, Reason::ImportConflict);
    let paths = serde_json::json!(["api_key/notes/me", "secret/a"]);
    assert_eq!(error.details().unwrap()["paths"], paths);
    assert_eq!((house.bytes(), house.log.take()), (before, Vec::new()));
    let done = import(&house, &file, "own sesame", true).await.unwrap();
    assert_eq!(done, Imported { added: 1, replaced: 2, unchanged: 0 });
    let bindings =
        house.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap();
    assert_eq!(bindings[0].hosts, Some(hosts_of(&["notes.example:443"])));
}

#[tokio::test]
async fn a_wrong_passphrase_and_every_changed_byte_are_refused_whole() {
    let house = furnished().await;
    let file = exported(&house).await;
    let other = House::with_vault().await;
    let before = other.bytes();
    assert_refused(import(&other, &file, "open sesame", true).await, Reason::ExportUnreadable);
    for at in (0..file.len()).step_by(7).chain([0, file.len() - 1]) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert_refused(
            import(&other, &changed, "own sesame", true).await,
            Reason::ExportUnreadable,
        );
    }
    for cut in [0, 1, 40, file.len() / 2, file.len() - 1] {
        let refused = import(&other, &file[..cut], "own sesame", true).await;
        assert_refused(refused, Reason::ExportUnreadable);
    }
    let longer = [file.as_slice(), b"\n"].concat();
    assert_refused(import(&other, &longer, "own sesame", true).await, Reason::ExportUnreadable);
    assert_eq!(other.bytes(), before);
    import(&other, &file, "own sesame", false).await.unwrap();
}

#[tokio::test]
async fn other_versions_and_planted_headers_are_refused_before_any_work() {
    let house = furnished().await;
    let file = exported(&house).await;
    let end = file.iter().position(|byte| *byte == b'\n').unwrap();
    let header = String::from_utf8(file[..end].to_vec()).unwrap();
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("\"version\":1", "\"version\":0"),
        ("\"version\":1", "\"version\":1,\"more\":1"),
        ("aileron-vault-export", "aileron-vault-exporT"),
        ("argon2id-1.3", "argon2i-1.3"),
        ("\"memory_kib\":8", "\"memory_kib\":4294967295"),
        ("\"passes\":1", "\"passes\":4294967295"),
        ("\"lanes\":1", "\"lanes\":0"),
        ("\"salt\":\"", "\"salt\":\"AA==\",\"unsalt\":\""),
    ] {
        assert!(header.contains(from), "{header}");
        let planted = [header.replacen(from, to, 1).as_bytes(), &file[end..]].concat();
        let refused = import(&house, &planted, "own sesame", true).await;
        let error = assert_refused(refused, Reason::ExportUnreadable);
        if to.contains("\"version\":2") {
            assert!(error.public().contains("version 2"), "{error}");
        }
    }
    let long = vec![b'x'; limits::VAULT_EXPORT + 1];
    assert_refused(import(&house, &long, "own sesame", true).await, Reason::BodyTooLarge);
}

#[tokio::test]
async fn only_a_person_moves_a_vault_and_only_an_open_one() {
    let house = furnished().await;
    let file = exported(&house).await;
    let custody = house.service.custody();
    let most: Vec<_> = Scope::ALL.iter().copied().filter(|scope| scope.mintable()).collect();
    for context in [daemon(), program(&most)] {
        let out = custody.export(&context, secret("own sesame")).await;
        assert_refused(out, Reason::PersonRequired);
        let import = Import { file: file.clone(), passphrase: secret("own sesame"), replace: true };
        assert_refused(custody.import(&context, import).await, Reason::PersonRequired);
    }
    let nothing = custody.export(&service(), secret("")).await;
    assert_refused(nothing, Reason::PassphraseInvalid);
    house.log.full.store(true, Ordering::SeqCst);
    let unrecorded = custody.export(&service(), secret("own sesame")).await;
    assert_refused(unrecorded, Reason::AuditUnavailable);
    house.log.full.store(false, Ordering::SeqCst);
    house.service.vault().lock(&service()).await.unwrap();
    let locked: &Context = &service();
    assert_refused(custody.export(locked, secret("own sesame")).await, Reason::VaultLocked);
    assert_refused(import(&house, &file, "own sesame", true).await, Reason::VaultLocked);
}

#[tokio::test]
async fn a_file_changed_under_our_feet_is_neither_exported_nor_imported_into() {
    let house = furnished().await;
    let (file, good) = (exported(&house).await, house.bytes());
    let edited = String::from_utf8(good.clone()).unwrap().replace("notes.example", "evil.example");
    house.plant(edited.as_bytes());
    let custody = house.service.custody();
    assert_refused(custody.export(&service(), secret("own sesame")).await, Reason::VaultUnreadable);
    assert_refused(import(&house, &file, "own sesame", true).await, Reason::VaultUnreadable);
    let claude = "agents/claude/oauth".parse().unwrap();
    assert_refused(custody.export_login(&service(), claude).await, Reason::VaultUnreadable);
    assert_eq!(house.bytes(), edited.as_bytes());
    house.plant(&good);
    import(&house, &file, "own sesame", true).await.unwrap();
}
