//! The Hub against a stand-in for the network: attacks first.

use std::{
    io::Write as _,
    sync::{Arc, atomic::Ordering},
};

use aileron_contract::{
    Reason, Scope,
    names::Sha256Hash,
    publishers::{
        Confirmation, ConfirmedKey, HubConflictKind, HubKind, HubListing, HubQuery, HubRisk,
        TrustState, Wanted,
    },
    vault::PinDomain,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use flate2::{Compression, write::GzEncoder};

use super::world::{World, connector_request, manifest, person, program, release};
use crate::packages::keys;

const ARCHIVE: &str = "https://github.com/ALRubinger/aileron-connectors-hub/archive/HEAD.tar.gz";
const KEY: &str = "https://raw.githubusercontent.com/acme/notes/HEAD/keys/publisher.pub";

fn connector(fqn: &str, publisher: &str, key_url: &str) -> String {
    format!(
        "fqn: {fqn}\ndescription: Notes of {publisher}\npublisher_github: {publisher}\n\
         key_url: {key_url}\nrelease_pattern: v*\n"
    )
}

fn action(fqn: &str, connector: &str) -> String {
    format!(
        "fqn: {fqn}\ndescription: Does things\npublisher_github: acme\nconnector_fqn: {connector}\n"
    )
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(text.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("hub-main/{name}"), text.as_bytes()).unwrap();
    }
    let mut gzip = tar.into_inner().unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
}

impl World {
    fn hub(&self, files: &[(&str, &str)]) {
        self.web.put(ARCHIVE, 200, archive(files));
    }

    async fn listed(&self) -> HubListing {
        self.publishers().hub(&program(), HubQuery::default()).await.unwrap()
    }

    /// Writes a file as the runtime would keep it under that name.
    fn seal(&self, file: &str, name: &str, content: &str) {
        let digest = Sha256Hash::of(&[content.as_bytes()]);
        let record = [name.as_bytes(), b"\0", digest.bytes()].concat();
        let pin = STANDARD.encode(self.vault.seal(PinDomain::Cache, &record).unwrap().0);
        std::fs::write(self.path(file), format!("aileron-kept-v1 {pin}\n{content}")).unwrap();
    }

    /// The kept copy, without the pin before it.
    fn kept(&self) -> serde_json::Value {
        let file = std::fs::read_to_string(self.path("cache/hub.json")).unwrap();
        serde_json::from_str(file.split_once('\n').unwrap().1).unwrap()
    }

    /// Sets back the time at which the kept copy was checked, and starts again.
    async fn days_later(self) -> Self {
        let mut kept = self.kept();
        kept["checked_at"] = "1969-12-28T00:00:00Z".into();
        self.seal("cache/hub.json", "hub.json", &kept.to_string());
        self.restarted().await
    }
}

/// The hub of an honest publisher, whose key is published.
async fn honest() -> World {
    let world = World::new().await;
    world.web.put(KEY, 200, keys::encode(&world.publisher.verifying_key().to_bytes()));
    let notes = connector("github://acme/notes", "acme", KEY);
    let list = action("github://acme/notes/actions/list", "github://acme/notes");
    let suite = "fqn: github://acme/notes/suite\ndescription: All\npublisher_github: acme\n\
                 member_actions: [github://acme/notes/actions/list]\n";
    world.hub(&[
        ("connectors/github_acme_notes.yaml", &notes),
        ("actions/list.yml", &list),
        ("suites/suite.yaml", suite),
    ]);
    world
}

#[tokio::test]
async fn an_entry_for_another_owners_connector_is_marked_and_trusts_nobody() {
    let world = World::new().await;
    let theirs = "https://raw.githubusercontent.com/mallory/x/HEAD/keys/publisher.pub";
    let mallory = SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes();
    world.web.put(theirs, 200, keys::encode(&mallory));
    for (publisher, key_url, kinds) in [
        ("mallory", theirs, vec![HubConflictKind::Publisher, HubConflictKind::Key]),
        ("acme", theirs, vec![HubConflictKind::Key]),
        ("mallory", KEY, vec![HubConflictKind::Publisher]),
        ("acme", "https://evil.example/key.pub", vec![HubConflictKind::Key]),
    ] {
        world.hub(&[("connectors/x.yaml", &connector("github://acme/notes", publisher, key_url))]);
        world.publishers().hub_refresh(&person()).await.unwrap();
        let listed = world.listed().await;
        let found: Vec<_> = listed.entries[0].conflicts.iter().map(|it| it.kind).collect();
        assert_eq!(found, kinds);
        let owner = "github://acme".parse().unwrap();
        let refused = world.publishers().published_key(&person(), owner).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::HubConflict, "{refused}");
    }
    assert!(world.web.asked_for(theirs).is_none(), "no key of a stranger was even asked for");
}

#[tokio::test]
async fn two_entries_of_one_name_are_both_marked_whatever_their_case() {
    let world = World::new().await;
    world.web.put(KEY, 200, keys::encode(&world.publisher.verifying_key().to_bytes()));
    world.hub(&[
        ("connectors/a.yaml", &connector("github://acme/notes", "acme", KEY)),
        ("connectors/b.yaml", &connector("github://Acme/Notes", "acme", KEY)),
    ]);
    let listed = world.listed().await;
    let duplicate = |at: usize| listed.entries[at].conflicts[0].kind == HubConflictKind::Duplicate;
    assert!(duplicate(0) && duplicate(1));
    let owner = "github://acme".parse().unwrap();
    let refused = world.publishers().published_key(&person(), owner).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::HubConflict);
    let fqn = "github://acme/notes".parse().unwrap();
    let decision =
        world.publishers().hub_decision(&person(), fqn, HubKind::Connector).await.unwrap();
    assert!(decision.authorities[0].risks.contains(&HubRisk::Duplicate));
}

#[tokio::test]
async fn a_suite_whose_connectors_are_not_its_members_is_marked() {
    let world = World::new().await;
    let suite = |members: &str, required: &str| {
        format!(
            "fqn: github://acme/notes/suite\ndescription: All\npublisher_github: acme\n\
             member_actions: [{members}]\n{required}"
        )
    };
    let list = action("github://acme/notes/actions/list", "github://acme/notes");
    for (members, required, kind) in [
        ("github://acme/notes/actions/list", "", None),
        ("github://acme/notes/actions/list", "connectors_required: [github://acme/notes]", None),
        (
            "github://acme/notes/actions/list",
            "connectors_required: [github://acme/mail]",
            Some(HubConflictKind::Connectors),
        ),
        (
            "github://acme/notes/actions/list",
            "connectors_required: [github://acme/notes, github://acme/mail]",
            Some(HubConflictKind::Connectors),
        ),
        ("github://acme/notes/actions/other", "", Some(HubConflictKind::Member)),
    ] {
        let text = suite(members, required);
        world.hub(&[("actions/list.yaml", &list), ("suites/suite.yaml", &text)]);
        world.publishers().hub_refresh(&person()).await.unwrap();
        let query = HubQuery { kind: Some(HubKind::Suite), text: None };
        let listed = world.publishers().hub(&program(), query).await.unwrap();
        let found = listed.entries[0].conflicts.first().map(|it| it.kind);
        assert_eq!(found, kind, "{text}");
    }
}

#[tokio::test]
async fn a_bad_entry_hides_no_other() {
    let world = World::new().await;
    world.hub(&[
        ("connectors/good.yaml", &connector("github://acme/notes", "acme", KEY)),
        ("connectors/bad.yaml", "fqn: github://acme/x\nstars: many\n"),
        ("connectors/bell.yaml", "fqn: \"github://acme/\u{7}x\"\n"),
        ("actions/tab.yaml", "\tfqn: x\n"),
    ]);
    let listed = world.listed().await;
    assert_eq!(listed.entries.len(), 1);
    let problems: Vec<_> = listed.problems.iter().map(|it| (it.file.as_str(), it.line)).collect();
    assert_eq!(
        problems,
        [("actions/tab.yaml", 1), ("connectors/bad.yaml", 2), ("connectors/bell.yaml", 0)]
    );
    assert!(listed.problems.iter().all(|it| it.message.contains("has to correct it")));
}

#[tokio::test]
async fn an_archive_that_is_refused_leaves_the_copy_as_it_was() {
    let world = honest().await;
    assert_eq!(world.listed().await.entries.len(), 3);
    let kept = std::fs::read(world.path("cache/hub.json")).unwrap();
    let far = "x".repeat(20 * 1024 * 1024);
    for (body, reason) in
        [(b"<html>".to_vec(), Reason::MalformedTarball), (far.into_bytes(), Reason::HubUnreachable)]
    {
        world.web.put(ARCHIVE, 200, body);
        let refused = world.publishers().hub_refresh(&person()).await.unwrap_err();
        assert_eq!(refused.reason(), reason, "{refused}");
        assert_eq!(std::fs::read(world.path("cache/hub.json")).unwrap(), kept);
        assert_eq!(world.listed().await.entries.len(), 3);
    }
}

#[tokio::test]
async fn queries_answer_from_the_copy_also_after_a_restart_and_without_a_network() {
    let world = honest().await;
    assert_eq!(world.listed().await.entries.len(), 3);
    let asked = world.web.asked.load(Ordering::SeqCst);
    world.listed().await;
    let world = world.restarted().await;
    world.web.silent.store(true, Ordering::SeqCst);
    let listed = world.listed().await;
    assert_eq!((listed.entries.len(), listed.copy.warning), (3, None));
    assert_eq!(world.web.asked.load(Ordering::SeqCst), asked);
    let query = |kind, text: &str| HubQuery { kind, text: Some(text.to_owned()) };
    let found = |query| async { world.publishers().hub(&program(), query).await.unwrap().entries };
    assert_eq!(found(query(None, "NOTES OF ACME")).await.len(), 1);
    assert_eq!(found(query(None, "acme/NOTES")).await.len(), 3);
    assert_eq!(found(query(Some(HubKind::Action), "notes")).await.len(), 1);
    assert!(found(query(None, "nowhere")).await.is_empty());
    let long = query(None, &"x".repeat(300));
    let refused = world.publishers().hub(&program(), long).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::InvalidRequest);
}

#[tokio::test]
async fn an_old_copy_is_asked_for_again_and_answers_with_a_warning_when_nobody_does() {
    let world = honest().await;
    world.web.say(ARCHIVE, &[("etag", "\"one\"")]);
    world.listed().await;
    let world = Box::pin(world.days_later()).await;
    world.web.silent.store(true, Ordering::SeqCst);
    let asked = world.web.asked.load(Ordering::SeqCst);
    let listed = world.listed().await;
    assert_eq!(listed.entries.len(), 3);
    assert!(listed.copy.warning.unwrap().contains("could not be fetched"));
    assert_eq!(listed.copy.age_seconds, 4 * 86_400);
    world.listed().await;
    assert_eq!(world.web.asked.load(Ordering::SeqCst), asked + 1, "and is left alone for a while");
    let refused = world.publishers().hub_refresh(&person()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::HubUnreachable);

    world.web.silent.store(false, Ordering::SeqCst);
    let copy = world.publishers().hub_refresh(&person()).await.unwrap();
    assert_eq!((copy.age_seconds, copy.warning), (0, None));
    let fetch = world.web.asked_for(ARCHIVE).unwrap();
    assert_eq!(fetch.if_none_match.as_deref(), Some("\"one\""), "only what changed is sent");
    assert_eq!(world.listed().await.entries.len(), 3);
}

#[tokio::test]
async fn without_a_copy_an_unreachable_hub_is_told_and_a_damaged_copy_is_none() {
    let world = honest().await;
    world.web.silent.store(true, Ordering::SeqCst);
    let refused = world.publishers().hub(&program(), HubQuery::default()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::HubUnreachable);
    let again = world.publishers().hub(&person(), HubQuery::default()).await.unwrap_err();
    assert_eq!((again.reason(), again.public()), (refused.reason(), refused.public()));
    let asked = world.web.asked.load(Ordering::SeqCst);
    assert_eq!(asked, 1, "a Hub that does not answer is left alone for a while");
    world.web.silent.store(false, Ordering::SeqCst);
    world.publishers().hub_refresh(&person()).await.unwrap();
    std::fs::write(world.path("cache/hub.json"), "{").unwrap();
    let world = world.restarted().await;
    assert_eq!(world.listed().await.entries.len(), 3, "it was fetched again");
}

#[tokio::test]
async fn a_kept_copy_that_somebody_edited_is_not_shown() {
    let world = honest().await;
    world.listed().await;
    let path = world.path("cache/hub.json");
    let honest = std::fs::read_to_string(&path).unwrap();
    let edited = honest.replace("Notes of acme", "Free money");
    assert_ne!(honest, edited);
    let bare = edited.split_once('\n').unwrap().1.to_owned();
    // Of another file of the same vault, too.
    let foreign = {
        world.seal("cache/other", "releases/x.json", &bare);
        std::fs::read_to_string(world.path("cache/other")).unwrap()
    };
    for file in [edited, bare, foreign] {
        std::fs::write(&path, &file).unwrap();
        let offline = world.copied().await;
        offline.web.silent.store(true, Ordering::SeqCst);
        let refused = offline.publishers().hub(&person(), HubQuery::default()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::HubUnreachable, "{file}");
        offline.web.silent.store(false, Ordering::SeqCst);
        offline.publishers().hub_refresh(&person()).await.unwrap();
        let listed = offline.listed().await;
        assert!(listed.entries.iter().all(|it| it.description != "Free money"), "{listed:?}");
    }
}

#[tokio::test]
async fn while_the_vault_is_locked_the_kept_copy_waits_and_counts_again_afterwards() {
    let world = honest().await;
    world.listed().await;
    let world = world.restarted().await;
    world.web.silent.store(true, Ordering::SeqCst);
    world.vault.locked.store(true, Ordering::SeqCst);
    assert!(world.publishers().hub(&person(), HubQuery::default()).await.is_err());
    world.vault.locked.store(false, Ordering::SeqCst);
    let asked = world.web.asked.load(Ordering::SeqCst);
    assert_eq!(world.listed().await.entries.len(), 3);
    assert_eq!(world.web.asked.load(Ordering::SeqCst), asked);
}

#[tokio::test]
async fn an_owners_key_is_the_one_the_hub_names() {
    let world = honest().await;
    let owner: aileron_contract::names::Authority = "github://acme".parse().unwrap();
    let published = world.publishers().published_key(&program(), owner.clone()).await.unwrap();
    assert_eq!(published.key, world.publisher.verifying_key().to_bytes());
    assert_eq!((published.source.as_str(), published.trusted), (KEY, false));
    world.trust("github://acme", &world.publisher).await;
    assert!(world.publishers().published_key(&program(), owner).await.unwrap().trusted);
    let nobody = "github://nobody".parse().unwrap();
    let refused = world.publishers().published_key(&program(), nobody).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::NotFound);
    assert!(refused.public().contains("--key-file"));
}

#[tokio::test]
async fn a_decision_tells_key_trust_and_risks() {
    let world = honest().await;
    let decide = |fqn: &'static str, kind| {
        let publishers = world.publishers();
        async move { publishers.hub_decision(&program(), fqn.parse().unwrap(), kind).await }
    };
    let decision = decide("github://acme/notes", HubKind::Connector).await.unwrap();
    let [authority] = decision.authorities.as_slice() else { panic!("{decision:?}") };
    assert_eq!(authority.trust, TrustState::Unknown);
    assert_eq!(authority.risks, [HubRisk::SoleListing]);
    let fingerprint = keys::fingerprint(&world.publisher.verifying_key().to_bytes());
    assert_eq!(authority.fingerprint, fingerprint);

    world.trust("github://acme/other", &SigningKey::from_bytes(&[9; 32])).await;
    let decision = decide("github://acme/notes/actions/list", HubKind::Action).await.unwrap();
    assert_eq!(decision.authorities[0].trust, TrustState::Conflict);
    assert!(decision.authorities[0].risks.contains(&HubRisk::OtherKey));
    world.trust("github://acme", &world.publisher).await;
    let decision = decide("github://acme/notes/suite", HubKind::Suite).await.unwrap();
    assert_eq!(decision.authorities[0].trust, TrustState::AlreadyTrusted);

    let missing = decide("github://acme/notes/actions/x", HubKind::Action).await.unwrap_err();
    assert_eq!(missing.reason(), Reason::NotFound);
    world.web.put(KEY, 404, "");
    let lost = decide("github://acme/notes", HubKind::Connector).await.unwrap_err();
    assert_eq!(lost.reason(), Reason::KeyFetchFailed);
    world.hub(&[("actions/x.yaml", &action("github://acme/notes/actions/x", "github://b/c"))]);
    world.publishers().hub_refresh(&person()).await.unwrap();
    let unlisted = decide("github://acme/notes/actions/x", HubKind::Action).await.unwrap_err();
    assert_eq!(unlisted.reason(), Reason::ValidationError);
}

#[tokio::test]
async fn a_locked_vault_cannot_tell_whether_a_key_is_trusted() {
    let world = honest().await;
    world.trust("github://acme", &world.publisher).await;
    let world = world.restarted().await;
    world.vault.locked.store(true, Ordering::SeqCst);
    let fqn = "github://acme/notes".parse().unwrap();
    let decision =
        world.publishers().hub_decision(&person(), fqn, HubKind::Connector).await.unwrap();
    let [authority] = decision.authorities.as_slice() else { panic!("{decision:?}") };
    assert_eq!(authority.trust, TrustState::Unknown);
    assert!(authority.risks.contains(&HubRisk::KeyringUnverified));
}

fn confirmation(fingerprint: &str) -> Confirmation {
    Confirmation {
        wanted: Wanted::Connector(connector_request("github://acme/notes@1.0.0")),
        keys: vec![ConfirmedKey {
            connector: "github://acme/notes".parse().unwrap(),
            fingerprint: fingerprint.to_owned(),
        }],
    }
}

#[tokio::test]
async fn a_confirmed_key_is_trusted_for_its_repository_once_the_package_verifies_with_it() {
    let world = honest().await;
    let fingerprint = keys::fingerprint(&world.publisher.verifying_key().to_bytes());
    let confirm = |fingerprint: &str| {
        let (publishers, confirmation) = (world.publishers(), confirmation(fingerprint));
        async move { publishers.confirm(&person(), confirmation).await }
    };
    let refused = confirm("sha256:another").await.unwrap_err();
    assert_eq!(refused.reason(), Reason::FingerprintMismatch);
    let refused = confirm(&fingerprint).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::FetchFailed, "there is no such release yet");
    let mut other = World::new().await;
    other.publisher = SigningKey::from_bytes(&[9; 32]);
    other.connector("github://acme/notes@1.0.0", &manifest("1.0.0"));
    let release = release(&"github://acme/notes@1.0.0".parse().unwrap());
    let forged = other.web.page(&release);
    world.web.put(&release, 200, forged);
    let refused = confirm(&fingerprint).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::SignatureFailure);
    assert!(world.publishers().keyring(&person()).await.unwrap().keys.is_empty());
    assert!(!world.path("keyring.json").exists());

    world.connector("github://acme/notes@1.0.0", &manifest("1.0.0"));
    let trusted = confirm(&fingerprint).await.unwrap();
    assert_eq!(trusted[0].key.authority.as_str(), "github://acme/notes");
    assert!(!trusted[0].already && confirm(&fingerprint).await.unwrap()[0].already);
    let request = connector_request("github://acme/notes@1.0.0");
    world.handle().install_connector(&person(), request).await.unwrap();
}

#[tokio::test]
async fn confirming_is_for_whoever_may_trust() {
    let world = honest().await;
    let mut context = program();
    context.scopes = [Scope::PackagesInstall, Scope::PackagesPreview].into_iter().collect();
    let refused = world.publishers().confirm(&context, confirmation("sha256:x")).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::ScopeMissing);
}

#[tokio::test]
async fn many_who_ask_at_once_cause_one_fetch() {
    let world = Arc::new(honest().await);
    let asks: Vec<_> = (0..8)
        .map(|_| {
            let world = Arc::clone(&world);
            async move { world.listed().await.entries.len() }
        })
        .collect();
    assert_eq!(futures::future::join_all(asks).await, [3; 8]);
    assert_eq!(world.web.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_program_cannot_have_the_hub_asked_without_end() {
    let world = honest().await;
    let refresh = async |context| world.publishers().hub_refresh(&context).await;
    let asked = || world.web.asked.load(Ordering::SeqCst);
    world.web.silent.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(refresh(program()).await.unwrap_err().reason(), Reason::HubUnreachable);
    }
    assert_eq!(asked(), 1);
    world.web.silent.store(false, Ordering::SeqCst);
    refresh(person()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(refresh(program()).await.unwrap().warning, None);
    }
    assert_eq!(asked(), 2);
    world.web.silent.store(true, Ordering::SeqCst);
    assert_eq!(refresh(person()).await.unwrap_err().reason(), Reason::HubUnreachable);
    let kept = refresh(program()).await.unwrap();
    assert!(kept.warning.unwrap().contains("could not be fetched"));
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn who_reads_a_fresh_copy_waits_for_no_fetch() {
    let world = honest().await;
    world.listed().await;
    let hub = world.service.parts.hub.clone();
    let _fetching = hub.fetching().await;
    let read = async { hub.view().await.unwrap().copy.warning };
    assert_eq!(futures::FutureExt::now_or_never(read), Some(None));
    let renewal = async { hub.refresh(true).await.is_ok() };
    assert_eq!(futures::FutureExt::now_or_never(renewal), None, "one fetch at a time");
}

#[tokio::test]
async fn several_confirmed_keys_are_trusted_all_or_none() {
    let world = honest().await;
    let mail = "https://raw.githubusercontent.com/acme/mail/HEAD/keys/publisher.pub";
    world.web.put(mail, 200, keys::encode(&world.publisher.verifying_key().to_bytes()));
    world.hub(&[
        ("connectors/a.yaml", &connector("github://acme/notes", "acme", KEY)),
        ("connectors/b.yaml", &connector("github://acme/mail", "acme", mail)),
    ]);
    world.connector("github://acme/notes@1.0.0", &manifest("1.0.0"));
    let fingerprint = keys::fingerprint(&world.publisher.verifying_key().to_bytes());
    let mut both = confirmation(&fingerprint);
    both.keys.push(ConfirmedKey { connector: "github://acme/mail".parse().unwrap(), fingerprint });
    // The log takes the first key and not the second.
    *world.audit.room.lock().unwrap() = Some(1);
    let refused = world.publishers().confirm(&person(), both.clone()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::AuditUnavailable);
    assert!(world.publishers().keyring(&person()).await.unwrap().keys.is_empty());
    assert!(!world.path("keyring.json").exists());
    *world.audit.room.lock().unwrap() = None;
    let trusted = world.publishers().confirm(&person(), both).await.unwrap();
    assert_eq!(trusted.len(), 2);
    assert_eq!(world.publishers().keyring(&person()).await.unwrap().keys.len(), 2);
}
