//! Signed actions as they were fetched, so that one can be installed again while its source does
//! not answer. What is kept proves nothing: its signature is checked as if it had just come. An
//! unsigned action is not kept, because only its source vouches for it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aileron_contract::{
    Result, limits,
    names::{PackageRef, Sha256Hash},
};
use aileron_store::files;
use bytes::Bytes;

use super::{blocking, prune, tarball::ActionFiles, verify::VerifiedAction};

/// The folder of kept actions. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct KeptActions {
    folder: PathBuf,
}

const SIGNATURE: usize = 64;

impl KeptActions {
    pub(super) fn new(home: &Path) -> Self {
        Self { folder: home.join("cache").join("actions") }
    }

    /// What was fetched for `package` earlier, if it is still there.
    pub(super) async fn read(&self, package: &PackageRef) -> Result<Option<ActionFiles>> {
        let path = self.path(package);
        blocking(move || {
            let most = limits::ACTION_FILE.saturating_add(SIGNATURE);
            let file = files::read_own(&path, u64::try_from(most).unwrap_or(u64::MAX)).ok()?;
            let file = Bytes::from(file);
            let signature = file.get(..SIGNATURE)?.try_into().ok()?;
            Some(ActionFiles { action: file.slice(SIGNATURE..), signature: Some(signature) })
        })
        .await
    }

    /// Keeps actions that were installed. They can be had again: what fails here is only noted.
    pub(super) async fn keep(&self, actions: impl Iterator<Item = &VerifiedAction>) {
        let signed = |action: &VerifiedAction| {
            Some((self.path(&action.file.source), action.bytes.clone(), action.signature?))
        };
        self.keep_signed(actions.filter_map(signed).collect()).await;
    }

    async fn keep_signed(&self, actions: Vec<(PathBuf, Bytes, [u8; 64])>) {
        if actions.is_empty() {
            return;
        }
        let folder = self.folder.clone();
        let written = blocking(move || write(&folder, &actions)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "actions are not kept for times without their source");
        }
    }

    fn path(&self, package: &PackageRef) -> PathBuf {
        let name = Sha256Hash::of(&[package.to_string().as_bytes()]);
        self.folder.join(format!("{}.signed", name.hex()))
    }
}

/// Each whole or not at all, but not at once durable: a suite keeps hundreds.
fn write(folder: &Path, actions: &[(PathBuf, Bytes, [u8; 64])]) -> io::Result<()> {
    files::create_private_dir(folder)?;
    for (path, action, signature) in actions {
        let temporary = path.with_extension("new");
        let mut file = files::private().create(true).write(true).truncate(true).open(&temporary)?;
        file.write_all(signature)?;
        file.write_all(action)?;
        drop(file);
        fs::rename(&temporary, path)?;
    }
    prune::within(folder, limits::ACTIONS, limits::KEPT_ACTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_comes_back_whole_and_under_its_own_name_alone() {
        let home = tempfile::tempdir().unwrap();
        let kept = KeptActions::new(home.path());
        let package = |text: &str| text.parse::<PackageRef>().unwrap();
        let list = package("github://acme/notes/actions/list@1.0.0");
        assert!(kept.read(&list).await.unwrap().is_none());
        let action = (kept.path(&list), Bytes::from_static(b"+++\n"), [7; 64]);
        kept.keep_signed(vec![action]).await;
        let files = kept.read(&list).await.unwrap().unwrap();
        assert_eq!((&files.action[..], files.signature), (&b"+++\n"[..], Some([7; 64])));
        for other in ["github://acme/notes/actions/list@1.0.1", "github://acme/notes@1.0.0"] {
            assert!(kept.read(&package(other)).await.unwrap().is_none(), "{other}");
        }
        fs::write(kept.path(&list), b"short").unwrap();
        assert!(kept.read(&list).await.unwrap().is_none());
    }
}
