//! Installed connectors, by the hash of their bytes. An entry on disk is only an entry: a
//! connector is installed once its record is, so what a failed installation left behind does not
//! count. Bytes are hashed again before they are handed out.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use aileron_contract::{
    Error, Reason, Result,
    names::{PackageRef, Sha256Hash},
};
use aileron_store::files;
use bytes::Bytes;

use super::{
    blocking,
    pins::{Kind, Pins},
    records::ConnectorRecord,
    tarball::ConnectorFiles,
};
use crate::formats::{
    manifest::{self, Manifest},
    package::MANIFEST,
};

mod entry;
mod recent;

/// Connectors by the hash of their bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ConnectorStore {
    root: PathBuf,
    pins: Pins,
    recent: Arc<Mutex<recent::Recent>>,
}

/// A connector whose bytes have been checked against its hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub hash: Sha256Hash,
    pub package: PackageRef,
    pub manifest: Manifest,
    pub wasm: Bytes,
}

impl ConnectorStore {
    pub(super) fn new(home: &Path, pins: Pins) -> Self {
        Self { root: home.join("store"), pins, recent: Arc::default() }
    }

    /// The installed connector with this hash. `connector_not_installed`; `hash_mismatch` when
    /// the bytes on disk are not those that were installed; `vault_locked` while nobody can tell
    /// whether it was installed.
    pub async fn load(&self, hash: Sha256Hash) -> Result<Arc<Loaded>> {
        let record = self.record(hash).await?.ok_or_else(|| not_installed(hash))?;
        if let Some(loaded) = self.recent().get(hash) {
            return Ok(loaded);
        }
        let loaded = Arc::new(self.read(hash).await?);
        if loaded.package != record.package {
            return Err(damaged(hash, "its manifest names another package"));
        }
        self.recent().put(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// What was installed under this hash, if anything was.
    pub(super) async fn record(&self, hash: Sha256Hash) -> Result<Option<ConnectorRecord>> {
        let judged = self.pins.judge(Kind::Connector, &hash.to_string()).await?;
        let Some(row) = judged.row else { return Ok(None) };
        match judged.verdict {
            Some(true) => Ok(ConnectorRecord::of(&row)),
            Some(false) => {
                tracing::warn!(%hash, "the record of a connector is not what the runtime wrote");
                Ok(None)
            }
            None => Err(Error::new(
                Reason::VaultLocked,
                "the vault is locked, and only it can tell which connectors were installed: \
                 unlock it first (aileron vault unlock)",
            )),
        }
    }

    /// All installed connectors, the oldest first. While the vault is locked the records cannot
    /// be checked and are listed as they are.
    pub(super) async fn records(&self) -> Result<Vec<ConnectorRecord>> {
        let mut records = Vec::new();
        for row in self.pins.all(Kind::Connector).await? {
            if self.pins.verdict(&row).await? == Some(false) {
                tracing::warn!(hash = row.name, "leaving out a connector nobody installed");
                continue;
            }
            records.extend(ConnectorRecord::of(&row));
        }
        records.sort_by_key(|record| record.installed_at);
        Ok(records)
    }

    /// How many there are, by their records alone: whether each is whole is for those to say who
    /// read it.
    pub async fn installed(&self) -> Result<usize> {
        Ok(self.records().await?.len())
    }

    /// An entry's manifest and bytes, hashed again, whether it counts as installed or not.
    pub(super) async fn read(&self, hash: Sha256Hash) -> Result<Loaded> {
        let folder = self.folder(hash);
        let files = blocking(move || entry::read(&folder)).await?;
        let files = files.map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => damaged(hash, "files of it are missing"),
            _ => damaged(hash, "it cannot be read").caused_by(cause),
        })?;
        let (files, found) = blocking(move || {
            let found = Sha256Hash::of(&[&files.binary, &files.manifest]);
            (files, found)
        })
        .await?;
        if found != hash {
            let details = serde_json::json!({
                "expected": hash.to_string(), "computed": found.to_string(),
            });
            return Err(damaged(hash, "its bytes changed").with_details(details));
        }
        let manifest = manifest::parse(&files.manifest, MANIFEST)?;
        let package = manifest.package.clone();
        Ok(Loaded { hash, package, manifest, wasm: files.binary })
    }

    /// An entry's files as they were published, hashed again; none when there is no sound entry.
    pub(super) async fn files(&self, hash: Sha256Hash) -> Result<Option<ConnectorFiles>> {
        let folder = self.folder(hash);
        blocking(move || {
            entry::read(&folder)
                .ok()
                .filter(|files| Sha256Hash::of(&[&files.binary, &files.manifest]) == hash)
        })
        .await
    }

    /// Does anything stand in the place of an entry?
    pub(super) async fn stands(&self, hash: Sha256Hash) -> Result<bool> {
        let folder = self.folder(hash);
        blocking(move || std::fs::symlink_metadata(folder).is_ok()).await
    }

    /// Writes an entry; false when the same one was there. A damaged one, or one with another
    /// signature beside it, is replaced.
    pub(super) async fn write(&self, hash: Sha256Hash, files: ConnectorFiles) -> Result<bool> {
        if self.files(hash).await?.as_ref() == Some(&files) {
            return Ok(false);
        }
        let (connectors, target) = (self.root.join("connectors"), self.folder(hash));
        let written = blocking(move || entry::write(&connectors, &target, &files)).await?;
        written.map_err(|cause| unwritable(&self.root, cause))?;
        Ok(true)
    }

    /// Removes an entry an installation wrote and did not commit.
    pub(super) async fn remove(&self, hash: Sha256Hash) {
        let folder = self.folder(hash);
        let removed = blocking(move || entry::remove(&folder)).await;
        if !matches!(removed, Ok(Ok(()))) {
            tracing::warn!(%hash, "a store entry that does not count could not be removed");
        }
    }

    /// Writes the published index anew. It is a cache for other readers: nothing here reads it.
    pub(super) async fn write_index(&self) -> Result<()> {
        let mut index = BTreeMap::new();
        for record in self.records().await? {
            index.insert(record.package.to_string(), record.hash.to_string());
        }
        let mut text = serde_json::to_string_pretty(&index).map_err(Error::internal)?;
        text.push('\n');
        let path = self.root.join("index").join("connectors.json");
        let written = blocking(move || {
            if let Some(folder) = path.parent() {
                files::create_private_dir(folder)?;
            }
            files::write_atomic(&path, text.as_bytes(), 0o600)
        });
        written.await?.map_err(|cause| unwritable(&self.root, cause))
    }

    /// Clears what interrupted installations were writing.
    pub(super) async fn sweep(&self) -> Result<()> {
        let temporary = self.root.join("connectors").join("tmp");
        let swept = blocking(move || entry::remove(&temporary)).await?;
        swept.map_err(|cause| unwritable(&self.root, cause))
    }

    /// Where an entry is.
    pub(super) fn folder(&self, hash: Sha256Hash) -> PathBuf {
        self.root.join("connectors").join("sha256").join(hash.hex())
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, recent::Recent> {
        // Entries are written whole: a panic elsewhere leaves nothing half done here.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn not_installed(hash: Sha256Hash) -> Error {
    let text = format!(
        "the connector {hash} is not installed: install it (aileron connector install), or the \
         action that needs it (aileron action add)"
    );
    Error::new(Reason::ConnectorNotInstalled, text)
}

fn damaged(hash: Sha256Hash, what: &str) -> Error {
    let text = format!(
        "the connector {hash} in the store was refused: {what}. Install it again to replace it"
    );
    Error::new(Reason::HashMismatch, text)
}

fn unwritable(root: &Path, cause: io::Error) -> Error {
    let text = format!(
        "the store {} could not be written: check the disk's space and the folder's owner; \
         nothing was installed",
        root.display()
    );
    Error::new(Reason::StoreUnwritable, text).caused_by(cause)
}
