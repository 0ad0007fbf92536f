//! Files of the cache that count only as this runtime wrote them: each begins with a pin of the
//! vault over its name and its content. Whoever edits one, or puts one in another's place, loses
//! a copy, and gains no word that a person reads.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use aileron_contract::{
    Result,
    names::Sha256Hash,
    vault::{self, Pin, PinDomain},
};
use aileron_store::files;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::blocking;
use crate::seals::{Seals, closed};

/// The folder of such files. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sealed {
    folder: PathBuf,
    seals: Arc<Seals>,
}

/// What a file is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// As it was written.
    Content(Bytes),
    /// There is none, or somebody else wrote it: as good as none.
    Nothing,
    /// The vault is locked, and only it can tell.
    Locked,
}

impl Kept {
    /// What may be believed now.
    pub(super) fn content(self) -> Option<Bytes> {
        match self {
            Self::Content(content) => Some(content),
            Self::Nothing | Self::Locked => None,
        }
    }
}

/// The first line: this, a pin in base64, a line feed.
const HEAD: &str = "aileron-kept-v1 ";
/// Of a pin in base64.
const PIN: usize = 44;

impl Sealed {
    pub(super) fn new(folder: PathBuf, vault: vault::Handle) -> Self {
        Self { folder, seals: Arc::new(Seals::new(vault)) }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The content of a file of at most `max` bytes.
    pub(super) async fn read(&self, name: &str, max: u64) -> Result<Kept> {
        let path = self.path(name);
        let head = u64::try_from(HEAD.len().saturating_add(PIN).saturating_add(1));
        let max = max.saturating_add(head.unwrap_or(u64::MAX));
        let read = blocking(move || files::read_own(&path, max)).await?;
        let file = match read {
            Ok(file) => Bytes::from(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::Nothing),
            Err(error) => {
                tracing::warn!(%error, name, "a kept copy is left alone");
                return Ok(Kept::Nothing);
            }
        };
        let Some((pin, content)) = split(&file) else {
            tracing::info!(name, "a kept copy carries no pin: it is fetched again");
            return Ok(Kept::Nothing);
        };
        let record = record(name, content.clone()).await?;
        Ok(match self.seals.check(PinDomain::Cache, record, pin).await? {
            Some(true) => Kept::Content(content),
            Some(false) => {
                tracing::warn!(name, "a kept copy is not what the runtime wrote: it is not used");
                Kept::Nothing
            }
            None => Kept::Locked,
        })
    }

    /// Keeps a content: whole, or not at all. False while the vault is locked.
    pub(super) async fn write(&self, name: &str, content: Bytes) -> Result<io::Result<bool>> {
        let record = record(name, content.clone()).await?;
        let pin = match self.seals.seal(PinDomain::Cache, record).await {
            Ok(pin) => pin,
            Err(error) if closed(&error) => return Ok(Ok(false)),
            Err(error) => return Err(error),
        };
        let (folder, path) = (self.folder.clone(), self.path(name));
        blocking(move || {
            let head = format!("{HEAD}{}\n", STANDARD.encode(pin.0));
            let file = [head.as_bytes(), &content].concat();
            files::create_private_dir(&folder)?;
            files::write_atomic(&path, &file, 0o600)?;
            Ok(true)
        })
        .await
    }
}

/// What is pinned: which file it is, and what it says.
async fn record(name: &str, content: Bytes) -> Result<Vec<u8>> {
    let digest = blocking(move || Sha256Hash::of(&[&content])).await?;
    Ok([name.as_bytes(), b"\0", digest.bytes()].concat())
}

fn split(file: &Bytes) -> Option<(Pin, Bytes)> {
    let rest = file.strip_prefix(HEAD.as_bytes())?;
    let (pin, rest) = rest.split_at_checked(PIN)?;
    let content = rest.strip_prefix(b"\n")?;
    let pin = STANDARD.decode(pin).ok()?.try_into().ok()?;
    Some((Pin(pin), file.slice_ref(content)))
}
