//! From an archive to something that may be installed: nothing is written here.

use aileron_contract::{
    Error, Reason, Result,
    names::{Authority, PackageRef, Scheme, Sha256Hash},
};
use bytes::Bytes;

use super::{
    Parts, blocking, supply,
    tarball::{ActionFiles, ConnectorFiles},
};
use crate::formats::{
    action::{self, ActionFile},
    manifest::{self, Manifest},
    package::{ACTION, MANIFEST, WASM},
};

/// A connector that its publisher signed and that is what was asked for.
#[derive(Clone, Debug)]
pub(super) struct VerifiedConnector {
    pub(super) package: PackageRef,
    pub(super) hash: Sha256Hash,
    pub(super) manifest: Manifest,
    pub(super) files: ConnectorFiles,
    /// Of the key that verified the signature.
    pub(super) fingerprint: String,
}

/// An action that is what was asked for, signed by its publisher or by nobody.
#[derive(Clone, Debug)]
pub(super) struct VerifiedAction {
    pub(super) file: ActionFile,
    pub(super) hash: Sha256Hash,
    pub(super) bytes: Bytes,
    pub(super) signature: Option<[u8; 64]>,
    /// Of the key that verified the signature; none when unsigned.
    pub(super) fingerprint: Option<String>,
}

/// What an archive is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be shown: always as the source has it now, and kept for the installation.
    Preview,
    /// To be installed: what was shown a moment ago, once, else what the source has.
    Install,
}

/// Fetches a connector and checks it, in the published order.
pub(super) async fn connector(
    parts: &Parts,
    package: &PackageRef,
    expected: Option<Sha256Hash>,
    purpose: Purpose,
) -> Result<VerifiedConnector> {
    released(package)?;
    match (supply::connector(parts, package, purpose).await, expected) {
        (Ok(files), _) => checked_connector(parts, package, expected, files).await,
        // Shown from the store, when that is what was asked for by its hash: a person may want to
        // accept what stands there although its release is gone.
        (Err(error), Some(hash)) if purpose == Purpose::Preview => {
            let stored = stored_connector(parts, package, hash).await?;
            stored.ok_or(error)
        }
        (Err(error), _) => Err(error),
    }
}

/// A connector whose sound entry already stands in the store, checked as if it had been fetched.
pub(super) async fn stored_connector(
    parts: &Parts,
    package: &PackageRef,
    hash: Sha256Hash,
) -> Result<Option<VerifiedConnector>> {
    match parts.store.files(hash).await? {
        Some(files) => checked_connector(parts, package, Some(hash), files).await.map(Some),
        None => Ok(None),
    }
}

/// Fetches an action and checks it, in the published order.
pub(super) async fn action(
    parts: &Parts,
    package: &PackageRef,
    purpose: Purpose,
) -> Result<VerifiedAction> {
    released(package)?;
    let ActionFiles { action: bytes, signature } = supply::action(parts, package, purpose).await?;
    let fingerprint = match signature {
        Some(signature) => {
            let authority = package.fqn.authority();
            Some(parts.keyring.signer(&authority, bytes.to_vec(), signature).await?)
        }
        None => None,
    };
    let (file, hash, bytes) = blocking(move || {
        let file = action::parse(&bytes, ACTION)?;
        let hash = Sha256Hash::of(&[&bytes]);
        Ok::<_, Error>((file, hash, bytes))
    })
    .await??;
    if file.source != *package {
        let text = format!(
            "the archive of {package} holds an action that says it is {}; nothing was installed",
            file.source
        );
        let details = serde_json::json!({
            "requested_fqn": package.fqn.as_str(),
            "source_fqn": file.source.fqn.as_str(),
            "requested_version": package.version.to_string(),
            "source_version": file.source.version.to_string(),
        });
        return Err(Error::new(Reason::FqnMismatch, text).with_details(details));
    }
    Ok(VerifiedAction { file, hash, bytes, signature, fingerprint })
}

async fn checked_connector(
    parts: &Parts,
    package: &PackageRef,
    expected: Option<Sha256Hash>,
    files: ConnectorFiles,
) -> Result<VerifiedConnector> {
    let manifest = manifest::parse(&files.manifest, MANIFEST)?;
    same_package(package, &manifest.package)?;
    let (files, hash, message) = blocking(move || {
        let message = [&files.binary[..], &files.manifest[..]].concat();
        let hash = Sha256Hash::of(&[&message]);
        (files, hash, message)
    })
    .await?;
    let authority: Authority = package.fqn.authority();
    let fingerprint = parts.keyring.signer(&authority, message, files.signature).await?;
    if let Some(expected) = expected.filter(|expected| *expected != hash) {
        let text = format!(
            "{package} is not the connector that was pinned: its publisher signed other bytes \
             for this version; nothing was installed"
        );
        let details = serde_json::json!({
            "expected": expected.to_string(),
            "computed": hash.to_string(),
            "ref": package.to_string(),
        });
        return Err(Error::new(Reason::HashMismatch, text).with_details(details));
    }
    if files.binary_name == WASM && !files.binary.starts_with(MODULE) {
        let text = format!(
            "{package} holds no WebAssembly: its {WASM} begins with other bytes, and could never \
             be called; nothing was installed"
        );
        return Err(Error::new(Reason::MalformedTarball, text));
    }
    Ok(VerifiedConnector { package: package.clone(), hash, manifest, files, fingerprint })
}

/// What every WebAssembly module begins with.
const MODULE: &[u8] = b"\0asm";

fn same_package(requested: &PackageRef, found: &PackageRef) -> Result<()> {
    if requested == found {
        return Ok(());
    }
    let details = if requested.fqn == found.fqn {
        serde_json::json!({
            "requested_version": requested.version.to_string(),
            "manifest_version": found.version.to_string(),
        })
    } else {
        serde_json::json!({
            "requested_fqn": requested.fqn.as_str(),
            "manifest_fqn": found.fqn.as_str(),
        })
    };
    let text = format!(
        "the archive of {requested} holds a connector that says it is {found}; nothing was \
         installed"
    );
    Err(Error::new(Reason::FqnMismatch, text).with_details(details))
}

/// Refuses the version that publishers' sources carry until a release replaces it. A local package
/// is never released.
fn released(package: &PackageRef) -> Result<()> {
    let local = package.fqn.scheme() == Scheme::Local;
    if local || package.version.to_string() != "0.0.0-dev" {
        return Ok(());
    }
    let text = format!(
        "{package} names the placeholder of the publisher's sources, which is never released: ask \
         for a released version"
    );
    Err(Error::new(Reason::ValidationError, text))
}
