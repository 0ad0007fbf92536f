use std::sync::atomic::Ordering;

use aileron_contract::{Reason, audit::EventKind, packages::ConnectorRequest};
use ed25519_dalek::{Signer as _, SigningKey};

use super::world::{World, connector_request, manifest, person, program, release, tarball};

const NOTES: &str = "github://acme/notes@1.0.0";

#[tokio::test]
async fn a_signed_connector_of_a_trusted_publisher_is_installed() {
    let world = World::trusting().await;
    let hash = world.connector(NOTES, &manifest("1.0.0"));
    let done =
        world.handle().install_connector(&program(), connector_request(NOTES)).await.unwrap();
    assert_eq!((done.hash, done.already_installed), (hash, false));
    assert_eq!(done.newly_stale_bindings.len(), 1);
    let index = std::fs::read_to_string(world.path("store/index/connectors.json")).unwrap();
    assert_eq!(index, format!("{{\n  \"{NOTES}\": \"{hash}\"\n}}\n"));
    let entry = format!("store/connectors/sha256/{}", hash.hex());
    for file in ["connector.wasm", "manifest.toml", "signature.sig"] {
        assert!(world.path(&entry).join(file).is_file(), "{file}");
    }
    let loaded = world.service.store().load(hash).await.unwrap();
    assert_eq!(&loaded.wasm[..], b"\0asm\x01\0\0\0");
    let events = world.audit.of(EventKind::ConnectorInstalled);
    assert_eq!(events[0].payload["aileron.connector.fqn"], "github://acme/notes");
    assert_eq!(events[0].payload["aileron.signature.status"], "verified");
    assert_eq!(events[0].payload["aileron.install.already_installed"], false);
    let declared = world.vault.bindings.hosts.lock().unwrap();
    assert_eq!(declared[0].1[0].to_string(), "notes.example:443");
}

#[tokio::test]
async fn the_vault_hears_of_scopes_as_of_hosts_and_names_what_went_stale() {
    let world = World::trusting().await;
    let oauth2 = "kind = \"oauth2\"\n\n[capabilities.credential.oauth2]\n\
                  authorize_url = \"https://id.example/a\"\ntoken_url = \"https://id.example/t\"\n\
                  client_id = \"x\"\nscopes = [\"notes:read\", \"notes:write\"]\n";
    let text = manifest("1.0.0").replace("kind = \"api_key\"\nscope = \"your notes\"\n", oauth2);
    world.connector(NOTES, &text);
    let done = world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap();
    let stale: Vec<_> = done.newly_stale_bindings.iter().map(ToString::to_string).collect();
    assert_eq!(stale, ["api_key/notes/me", "oauth2/notes/me"]);
    world.service.wake().await.unwrap();
    let told = world.vault.bindings.scopes.lock().unwrap();
    assert_eq!(told.len(), 2, "when it is installed, and when the vault wakes");
    for (connector, scopes) in told.iter() {
        assert_eq!(connector.as_str(), "github://acme/notes");
        assert_eq!(scopes[..], ["notes:read", "notes:write"]);
    }
}

#[tokio::test]
async fn a_pinned_hash_that_is_installed_needs_no_network() {
    let world = World::trusting().await;
    let hash = world.connector(NOTES, &manifest("1.0.0"));
    world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap();
    let before = world.web.asked.load(Ordering::SeqCst);
    let request = ConnectorRequest { expected_hash: Some(hash), ..connector_request(NOTES) };
    let done = world.handle().install_connector(&person(), request).await.unwrap();
    assert!(done.already_installed);
    assert_eq!(world.web.asked.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn a_preview_tells_what_it_may_do_and_writes_nothing() {
    let world = World::trusting().await;
    world.connector(NOTES, &manifest("1.0.0"));
    let before = world.files();
    let shown =
        world.handle().preview_connector(&program(), connector_request(NOTES)).await.unwrap();
    assert_eq!(shown.publisher, "acme");
    assert_eq!(shown.capabilities.hosts[0].to_string(), "notes.example:443");
    assert_eq!(shown.capabilities.credential.unwrap().scope.as_deref(), Some("your notes"));
    assert_eq!(world.files(), before);
}

/// Installs what `prepare` published and expects a refusal that leaves no file behind.
async fn refused(reason: Reason, prepare: impl FnOnce(&World)) {
    let world = World::trusting().await;
    prepare(&world);
    let before = world.files();
    let error =
        world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap_err();
    assert_eq!(error.reason(), reason, "{error}");
    assert_eq!(world.files(), before);
    assert!(world.audit.of(EventKind::ConnectorInstalled).is_empty());
    assert!(world.handle().connectors(&person()).await.unwrap().is_empty());
}

#[tokio::test]
async fn other_bytes_than_were_signed_are_refused() {
    refused(Reason::SignatureFailure, |world| {
        let text = manifest("1.0.0");
        let files: [(&str, &[u8]); 3] = [
            ("connector.wasm", b"\0asm\x01\0\0\0"),
            ("manifest.toml", text.as_bytes()),
            ("signature.sig", &[1; 64]),
        ];
        world.web.put(&release(&NOTES.parse().unwrap()), 200, tarball(&files));
    })
    .await;
}

#[tokio::test]
async fn another_package_than_asked_for_is_refused() {
    refused(Reason::FqnMismatch, |world| {
        world.connector(NOTES, &manifest("2.0.0"));
    })
    .await;
    refused(Reason::FqnMismatch, |world| {
        world.connector(NOTES, &manifest("1.0.0").replace("acme/notes", "acme/other"));
    })
    .await;
}

#[tokio::test]
async fn an_unknown_manifest_key_is_refused() {
    refused(Reason::ParseError, |world| {
        world.connector(NOTES, &format!("{}surprise = 1\n", manifest("1.0.0")));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_archive_is_refused() {
    refused(Reason::MalformedTarball, |world| {
        world.web.put(&release(&NOTES.parse().unwrap()), 200, "<html>");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_webassembly_is_refused_although_it_is_signed() {
    refused(Reason::MalformedTarball, |world| {
        let (binary, text) = (b"#!/bin/sh\n", manifest("1.0.0"));
        let signature = world.publisher.sign(&[&binary[..], text.as_bytes()].concat()).to_bytes();
        let files: [(&str, &[u8]); 3] = [
            ("connector.wasm", binary),
            ("manifest.toml", text.as_bytes()),
            ("signature.sig", &signature),
        ];
        world.web.put(&release(&NOTES.parse().unwrap()), 200, tarball(&files));
    })
    .await;
}

#[tokio::test]
async fn a_missing_release_and_a_broken_source_are_told_apart() {
    refused(Reason::FetchFailed, |_| {}).await;
    let world = World::trusting().await;
    for (status, retriable) in [(404, false), (403, false), (429, true), (503, true)] {
        world.web.put(&release(&NOTES.parse().unwrap()), status, "");
        let error = world
            .handle()
            .preview_connector(&person(), connector_request(NOTES))
            .await
            .unwrap_err();
        assert_eq!(error.reason(), Reason::FetchFailed);
        assert_eq!(error.details().unwrap()["retriable"], retriable, "{status}");
    }
}

#[tokio::test]
async fn another_hash_than_was_pinned_is_refused() {
    let world = World::trusting().await;
    let hash = world.connector(NOTES, &manifest("1.0.0"));
    let expected_hash = Some(aileron_contract::names::Sha256Hash::new([1; 32]));
    let request = ConnectorRequest { expected_hash, ..connector_request(NOTES) };
    let error = world.handle().install_connector(&person(), request).await.unwrap_err();
    assert_eq!(error.reason(), Reason::HashMismatch);
    assert_eq!(error.details().unwrap()["computed"], hash.to_string());
}

#[tokio::test]
async fn an_unknown_publisher_is_refused_and_named() {
    let mut world = World::trusting().await;
    world.publisher = SigningKey::from_bytes(&[8; 32]);
    world.connector(NOTES, &manifest("1.0.0"));
    let error =
        world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::SignatureFailure);
    let fresh = World::new().await;
    fresh.connector(NOTES, &manifest("1.0.0"));
    let error =
        fresh.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap_err();
    assert!(error.public().contains("no signing key registered for authority"), "{error}");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_installs_nothing() {
    let world = World::trusting().await;
    let hash = world.connector(NOTES, &manifest("1.0.0"));
    let before = world.files();
    world.audit.full.store(true, Ordering::SeqCst);
    let error =
        world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::AuditUnavailable);
    assert_eq!(world.files(), before);
    let error = world.service.store().load(hash).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConnectorNotInstalled);
}

#[tokio::test]
async fn a_program_without_the_right_cannot_install() {
    let world = World::trusting().await;
    let mut daemon = program();
    daemon.scopes = aileron_contract::Scopes::of_daemon_token();
    let error =
        world.handle().install_connector(&daemon, connector_request(NOTES)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ScopeMissing);
    assert_eq!(world.web.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_entry_planted_in_the_store_is_no_connector() {
    let world = World::trusting().await;
    let hash = world.connector(NOTES, &manifest("1.0.0"));
    let entry = world.path(&format!("store/connectors/sha256/{}", hash.hex()));
    std::fs::create_dir_all(&entry).unwrap();
    std::fs::write(entry.join("connector.wasm"), b"\0asm\x01\0\0\0").unwrap();
    std::fs::write(entry.join("manifest.toml"), manifest("1.0.0")).unwrap();
    std::fs::write(entry.join("signature.sig"), [1; 64]).unwrap();
    let error = world.service.store().load(hash).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConnectorNotInstalled);
    let request = ConnectorRequest { expected_hash: Some(hash), ..connector_request(NOTES) };
    let done = world.handle().install_connector(&person(), request).await.unwrap();
    assert!(!done.already_installed);
    // The planted signature was replaced by the publisher's.
    assert_ne!(std::fs::read(entry.join("signature.sig")).unwrap(), [1; 64]);
}

#[tokio::test]
async fn bytes_changed_in_the_store_are_noticed_and_repaired() {
    let world = World::trusting().await;
    let hash = world.connector(NOTES, &manifest("1.0.0"));
    world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap();
    let wasm = world.path(&format!("store/connectors/sha256/{}/connector.wasm", hash.hex()));
    std::fs::remove_file(&wasm).unwrap();
    std::fs::write(&wasm, b"\0evil").unwrap();
    let error = world.service.store().load(hash).await.unwrap_err();
    assert_eq!(error.reason(), Reason::HashMismatch);
    let request = ConnectorRequest { expected_hash: Some(hash), ..connector_request(NOTES) };
    world.handle().install_connector(&person(), request).await.unwrap();
    assert!(world.service.store().load(hash).await.is_ok());
}

#[tokio::test]
async fn the_newest_version_speaks_for_a_connector() {
    let world = World::trusting().await;
    for version in ["1.9.0", "1.10.0", "1.2.0"] {
        let package = format!("github://acme/notes@{version}");
        world.connector(&package, &manifest(version));
        world.handle().install_connector(&person(), connector_request(&package)).await.unwrap();
    }
    let fqn = "github://acme/notes".parse().unwrap();
    let newest = world.handle().connector(&person(), fqn).await.unwrap();
    assert_eq!(newest.package.version.to_string(), "1.10.0");
    world.vault.bindings.hosts.lock().unwrap().clear();
    world.service.wake().await.unwrap();
    assert_eq!(world.vault.bindings.hosts.lock().unwrap().len(), 1);
}
