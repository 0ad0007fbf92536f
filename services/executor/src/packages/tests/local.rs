use std::sync::atomic::Ordering;

use aileron_contract::{
    Error, Reason,
    audit::EventKind,
    names::Sha256Hash,
    packages::{LocalFile, LocalFiles, LocalPackage, PackageKind, SignatureStatus},
};
use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};

use super::world::{
    OneAction as _, World, action, action_request, connector_request, manifest, person, program,
    tarball,
};

const NOTES: &str = "local://user/notes@0.0.0-dev";
const WASM: &[u8] = b"\0asm\x01\0\0\0";

fn own_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn own_manifest() -> String {
    manifest("0.0.0-dev").replace("github://acme/notes", "local://user/notes")
}

/// The files of a connector, signed by `key`.
fn connector(key: &SigningKey, manifest: &str) -> Vec<(&'static str, Vec<u8>)> {
    let message = [WASM, manifest.as_bytes()].concat();
    vec![
        ("connector.wasm", WASM.to_vec()),
        ("manifest.toml", manifest.as_bytes().to_vec()),
        ("signature.sig", key.sign(&message).to_bytes().to_vec()),
    ]
}

fn own_action(connector: Sha256Hash) -> String {
    action("mine", "local://user/notes/mine@0.0.0-dev", connector, "")
        .replace("github://acme/notes", "local://user/notes")
        .replace("version = \"1.0.0\"", "version = \"0.0.0-dev\"")
}

fn loose(files: &[(&str, Vec<u8>)]) -> LocalFiles {
    let file = |(name, content): &(&str, Vec<u8>)| LocalFile {
        name: (*name).to_owned(),
        content: Bytes::copy_from_slice(content),
    };
    LocalFiles::Loose(files.iter().map(file).collect())
}

async fn bring(world: &World, files: &[(&str, Vec<u8>)]) -> Result<LocalPackage, Error> {
    world.handle().bring(&person(), loose(files)).await
}

#[tokio::test]
async fn what_an_agent_brings_is_refused() {
    let world = World::new().await;
    let mut agent = program();
    agent.scopes = aileron_contract::Scopes::of_daemon_token();
    let files = loose(&connector(&own_key(), &own_manifest()));
    let error = world.handle().bring(&agent, files).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ScopeMissing);
}

#[tokio::test]
async fn a_local_connector_needs_the_signature_of_a_key_trusted_for_it() {
    let world = World::trusting().await;
    let before = world.files();
    bring(&world, &connector(&own_key(), &own_manifest())).await.unwrap();
    let install =
        async || world.handle().install_connector(&person(), connector_request(NOTES)).await;
    assert_eq!(install().await.unwrap_err().reason(), Reason::SignatureFailure);
    assert_eq!(world.files(), before);
    world.trust("local://user/notes", &own_key()).await;
    // A publisher's key is not the person's own.
    bring(&world, &connector(&world.publisher, &own_manifest())).await.unwrap();
    assert_eq!(install().await.unwrap_err().reason(), Reason::SignatureFailure);
    bring(&world, &connector(&own_key(), &own_manifest())).await.unwrap();
    let installed = install().await.unwrap();
    assert!(!installed.already_installed);
    assert_eq!(world.web.asked.load(Ordering::SeqCst), 0, "nothing was fetched");
    assert_eq!(world.audit.of(EventKind::ConnectorInstalled).len(), 1);
    assert!(world.service.store().load(installed.hash).await.is_ok());
}

#[tokio::test]
async fn an_archive_is_taken_as_loose_files_are() {
    let world = World::new().await;
    let files = connector(&own_key(), &own_manifest());
    let found = bring(&world, &files).await.unwrap();
    assert_eq!((found.package.to_string().as_str(), found.kind), (NOTES, PackageKind::Connector));
    let files: Vec<_> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let archive = LocalFiles::Archive(tarball(&files).into());
    assert_eq!(world.handle().bring(&person(), archive).await.unwrap(), found);
    let text = own_action(found.hash);
    let signed: [(&str, &[u8]); 2] = [("signature.sig", &[1; 64]), ("action.md", text.as_bytes())];
    for files in [&signed[..], &signed[1..]] {
        let archive = LocalFiles::Archive(tarball(files).into());
        let found = world.handle().bring(&person(), archive).await.unwrap();
        assert_eq!(found.kind, PackageKind::Action);
        assert_eq!(found.package.to_string(), "local://user/notes/mine@0.0.0-dev");
    }
}

#[tokio::test]
async fn what_a_file_on_disk_may_call_itself_is_bounded() {
    let world = World::trusting().await;
    let hash = Sha256Hash::of(&[]);
    let stranger = action("list", "github://acme/notes/actions/list@1.0.0", hash, "");
    let error = bring(&world, &[("action.md", stranger.into_bytes())]).await.unwrap_err();
    assert_eq!(error.reason(), Reason::SignatureFailure);
    for (from, to) in [("user/notes", "acme/notes"), ("user/notes\"", "user/notes/x\"")] {
        let text = own_manifest().replace(from, to);
        let error = bring(&world, &connector(&own_key(), &text)).await.unwrap_err();
        assert_eq!(error.reason(), Reason::InvalidFqn, "{to}");
    }
    let error = bring(&world, &[("../x", Vec::new())]).await.unwrap_err();
    assert_eq!(error.reason(), Reason::MalformedTarball);
    let error = bring(&world, &[("action.md", b"no action".to_vec())]).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ParseError);
}

#[tokio::test]
async fn a_publishers_package_on_disk_is_checked_like_its_release() {
    let world = World::trusting().await;
    let text = manifest("1.0.0");
    bring(&world, &connector(&own_key(), &text)).await.unwrap();
    let request = || connector_request("github://acme/notes@1.0.0");
    let error = world.handle().install_connector(&person(), request()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::SignatureFailure);
    bring(&world, &connector(&world.publisher, &text)).await.unwrap();
    world.handle().install_connector(&person(), request()).await.unwrap();
    assert_eq!(world.web.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_local_action_runs_unsigned_only_with_consent_and_brings_its_connector() {
    let world = World::new().await;
    world.trust("local://user/notes", &own_key()).await;
    let hash = bring(&world, &connector(&own_key(), &own_manifest())).await.unwrap().hash;
    let text = own_action(hash);
    bring(&world, &[("action.md", text.into_bytes())]).await.unwrap();
    let mut request = action_request("local://user/notes/mine@0.0.0-dev");
    let shown = world.handle().preview_action(&program(), request.clone()).await.unwrap();
    assert_eq!(shown.signature, SignatureStatus::Unsigned);
    let before = world.files();
    assert!(world.handle().install_action(&person(), request.clone()).await.is_err());
    assert_eq!(world.files(), before);
    request.accept_unsigned = true;
    let installed = world.handle().install_action(&person(), request).await.unwrap();
    assert_eq!(installed.installed_connectors.len(), 1);
}

#[tokio::test]
async fn a_newer_build_of_the_same_version_takes_the_place_of_the_older_one() {
    let world = World::new().await;
    world.trust("local://user/notes", &own_key()).await;
    let mut hashes = Vec::new();
    for scope in ["your notes", "all notes"] {
        let text = own_manifest().replace("your notes", scope);
        hashes.push(bring(&world, &connector(&own_key(), &text)).await.unwrap().hash);
        world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap();
    }
    let fqn = "local://user/notes".parse().unwrap();
    let newest = world.handle().connector(&program(), fqn).await.unwrap();
    assert_eq!(newest.hash, hashes[1]);
    // Nothing lies ready any more, and what is installed is still there.
    let world = world.restarted().await;
    let again =
        world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap();
    assert!(again.already_installed);
    let error = world
        .handle()
        .install_connector(&person(), connector_request("local://user/other@1.0.0"))
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::UnknownScheme);
    assert!(error.public().contains("aileron connector install ./dist"), "{error}");
}
