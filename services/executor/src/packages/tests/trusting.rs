use std::sync::atomic::Ordering;

use aileron_contract::{
    Reason,
    audit::EventKind,
    publishers::{DistrustRequest, TrustRequest},
};
use ed25519_dalek::SigningKey;

use super::world::{World, connector_request, manifest, person, program};
use crate::packages::{keyring, keys};

const NOTES: &str = "github://acme/notes@1.0.0";

#[tokio::test]
async fn trusting_writes_the_published_file_and_is_logged() {
    let world = World::trusting().await;
    let text = std::fs::read_to_string(world.path("keyring.json")).unwrap();
    let key = keys::encode(&world.publisher.verifying_key().to_bytes());
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["version"], 2);
    assert_eq!(value["owners"]["github://acme"][0], key);
    assert_eq!(world.publishers().keyring(&program()).await.unwrap().verified, Some(true));
    assert_eq!(world.audit.of(EventKind::KeyringTrusted).len(), 1);
    let request = TrustRequest {
        authority: "github://acme".parse().unwrap(),
        key: world.publisher.verifying_key().to_bytes(),
    };
    assert!(world.publishers().trust(&person(), request).await.unwrap().already);
    assert_eq!(world.audit.of(EventKind::KeyringTrusted).len(), 1);
}

#[tokio::test]
async fn a_forged_keyring_is_not_used_and_trusting_again_repairs_it() {
    let mut world = World::trusting().await;
    let forger = SigningKey::from_bytes(&[8; 32]);
    let path = world.path("keyring.json");
    let mut keys = keyring::parse(&std::fs::read(&path).unwrap()).unwrap();
    keys.add("github://acme".parse().unwrap(), forger.verifying_key().to_bytes());
    std::fs::write(&path, keys.text()).unwrap();

    let shown = world.publishers().keyring(&person()).await.unwrap();
    assert_eq!((shown.verified, shown.keys.len()), (Some(false), 2));
    let honest = std::mem::replace(&mut world.publisher, forger.clone());
    world.connector(NOTES, &manifest("1.0.0"));
    let refused = world.handle().install_connector(&person(), connector_request(NOTES)).await;
    assert_eq!(refused.unwrap_err().reason(), Reason::Quarantined);

    world.trust("github://other", &honest).await;
    let shown = world.publishers().keyring(&person()).await.unwrap();
    assert_eq!(shown.verified, Some(true));
    let honest = honest.verifying_key().to_bytes();
    assert!(shown.keys.iter().all(|trusted| trusted.key == honest));
    assert!(world.files().iter().any(|file| file.starts_with("keyring.json.unverified-")));
    let refused = world.handle().install_connector(&person(), connector_request(NOTES)).await;
    assert_eq!(refused.unwrap_err().reason(), Reason::SignatureFailure);
}

#[tokio::test]
async fn a_keyring_nobody_here_made_is_not_believed() {
    let world = World::new().await;
    let mut keys = keyring::Keys::default();
    keys.add("github://acme".parse().unwrap(), world.publisher.verifying_key().to_bytes());
    std::fs::write(world.path("keyring.json"), keys.text()).unwrap();
    assert_eq!(world.publishers().keyring(&person()).await.unwrap().verified, Some(false));
    world.connector(NOTES, &manifest("1.0.0"));
    let refused = world.handle().install_connector(&person(), connector_request(NOTES)).await;
    assert_eq!(refused.unwrap_err().reason(), Reason::Quarantined);
}

#[tokio::test]
async fn a_locked_vault_leaves_the_keyring_undecided() {
    let world = World::trusting().await.restarted().await;
    world.vault.locked.store(true, Ordering::SeqCst);
    assert_eq!(world.publishers().keyring(&person()).await.unwrap().verified, None);
    world.connector(NOTES, &manifest("1.0.0"));
    let refused = world.handle().install_connector(&person(), connector_request(NOTES)).await;
    assert_eq!(refused.unwrap_err().reason(), Reason::VaultLocked);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_changes_no_trust() {
    let world = World::new().await;
    world.audit.full.store(true, Ordering::SeqCst);
    let request = TrustRequest {
        authority: "github://acme".parse().unwrap(),
        key: world.publisher.verifying_key().to_bytes(),
    };
    assert!(world.publishers().trust(&person(), request).await.is_err());
    assert!(world.files().is_empty());
}

#[tokio::test]
async fn a_key_is_no_longer_trusted_anywhere_after_its_fingerprint_was_revoked() {
    let world = World::trusting().await;
    world.trust("github://acme/notes", &world.publisher).await;
    let fingerprint = keys::fingerprint(&world.publisher.verifying_key().to_bytes());
    let request = DistrustRequest::Fingerprint(fingerprint);
    let removed = world.publishers().distrust(&person(), request.clone()).await.unwrap();
    assert_eq!(removed.len(), 2);
    assert_eq!(world.audit.of(EventKind::KeyringRevoked).len(), 2);
    assert!(world.publishers().distrust(&person(), request).await.unwrap().is_empty());
    assert!(world.publishers().keyring(&person()).await.unwrap().keys.is_empty());
}

#[tokio::test]
async fn a_published_key_is_shown_without_being_trusted() {
    let world = World::new().await;
    let key = world.publisher.verifying_key().to_bytes();
    let url = "https://raw.githubusercontent.com/acme/notes/HEAD/keys/publisher.pub";
    world.web.put(url, 200, keys::encode(&key));
    let authority: aileron_contract::names::Authority = "github://acme/notes".parse().unwrap();
    let shown = world.publishers().published_key(&program(), authority.clone()).await.unwrap();
    assert_eq!((shown.key, shown.trusted), (key, false));
    world.web.put(url, 404, "");
    let error = world.publishers().published_key(&program(), authority).await.unwrap_err();
    assert_eq!(error.reason(), Reason::KeyFetchFailed);
    assert!(error.public().contains("GH_TOKEN"), "{error}");
    let owner = "github://acme".parse().unwrap();
    assert!(world.publishers().published_key(&program(), owner).await.is_err());
}

#[tokio::test]
async fn bytes_that_are_no_key_cannot_be_trusted() {
    let world = World::new().await;
    let request = TrustRequest { authority: "github://acme".parse().unwrap(), key: [0; 32] };
    let error = world.publishers().trust(&person(), request).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ValidationError);
}
