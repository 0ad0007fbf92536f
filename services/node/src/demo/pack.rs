//! The starter pack, packed and signed as a publisher's release job does it: placeholders
//! replaced, the connector hashed and signed, the actions pinned to its hash and signed.

use std::collections::BTreeMap;

use aileron_contract::{Error, Result, names::Sha256Hash};
use aileron_executor::formats::package;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;

/// Who publishes the starter pack.
pub const OWNER: &str = "aileron-dev";
/// The repository it stands in.
pub const REPOSITORY: &str = "starter";
/// The version the pack gets.
pub const VERSION: &str = "0.1.0";

const MODULE: &[u8] = include_bytes!("../../../connectors/starter/notes.wasm");
const MANIFEST: &str = include_str!("../../../connectors/starter/connector/manifest.toml");
const SUITE: &str = include_str!("../../../connectors/starter/suite.toml");
const ACTIONS: [(&str, &str); 2] = [
    ("notes-list", include_str!("../../../connectors/starter/actions/notes-list/action.md")),
    ("notes-create", include_str!("../../../connectors/starter/actions/notes-create/action.md")),
];

/// Every file of the release, by the path at which a GitHub instance serves it.
pub(super) fn packages(notes_host: &str) -> Result<BTreeMap<String, Bytes>> {
    let signer = SigningKey::from_bytes(&crate::services::random()?);
    let manifest = bind(MANIFEST, notes_host);
    let hash = Sha256Hash::of(&[MODULE, manifest.as_bytes()]);
    let mut files = BTreeMap::new();
    files.insert(
        release(&format!("v{VERSION}")),
        tarball(&[
            (package::WASM, MODULE),
            (package::MANIFEST, manifest.as_bytes()),
            (package::SIGNATURE, &signer.sign(&[MODULE, manifest.as_bytes()].concat()).to_bytes()),
        ])?,
    );
    for (name, text) in ACTIONS {
        let action = bind(text, notes_host).replace("sha256:bound-at-release", &hash.to_string());
        let signature = signer.sign(action.as_bytes()).to_bytes();
        files.insert(
            // One path segment, its slashes escaped, as release downloads are addressed.
            release(&format!("actions%2F{name}%2Fv{VERSION}")),
            tarball(&[(package::ACTION, action.as_bytes()), (package::SIGNATURE, &signature)])?,
        );
    }
    let raw = format!("/raw/{OWNER}/{REPOSITORY}");
    let key = STANDARD.encode(signer.verifying_key().as_bytes());
    files.insert(format!("{raw}/HEAD/keys/publisher.pub"), key.into());
    files.insert(format!("{raw}/v{VERSION}/suite.toml"), Bytes::from_static(SUITE.as_bytes()));
    files.insert(
        format!("/api/v3/repos/{OWNER}/{REPOSITORY}/releases/latest"),
        json!({ "tag_name": format!("v{VERSION}") }).to_string().into(),
    );
    Ok(files)
}

/// The sources carry a version and a host that are known only now.
fn bind(text: &str, notes_host: &str) -> String {
    text.replace("0.0.0-dev", VERSION).replace("localhost:0", notes_host)
}

fn release(tag: &str) -> String {
    format!("/{OWNER}/{REPOSITORY}/releases/download/{tag}/aileron.tar.gz")
}

fn tarball(entries: &[(&str, &[u8])]) -> Result<Bytes> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).map_err(Error::internal)?;
    }
    let compressed = archive.into_inner().and_then(GzEncoder::finish).map_err(Error::internal)?;
    Ok(compressed.into())
}
