//! Listings kept on disk, so that an unchanged one is not transferred again. All functions block.

use std::{
    io,
    path::{Path, PathBuf},
};

use aileron_contract::{limits, names::Sha256Hash};
use aileron_store::files;
use serde::{Deserialize, Serialize};

use super::listing::Page;
use crate::packages::prune;

/// The folder of listings. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    folder: PathBuf,
}

/// A file of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    /// Whose listing it is: a renamed file is nobody's.
    url: String,
    pages: Vec<Page>,
}

const VERSION: u32 = 1;

impl Kept {
    pub(super) fn new(home: &Path) -> Self {
        Self { folder: home.join("cache").join("releases") }
    }

    /// The pages of the listing at `url`, as far as they are known.
    pub(super) fn read(&self, url: &str) -> Vec<Page> {
        let text = files::read_bounded(&self.path(url), limits::RELEASE_LISTING).ok();
        let kept = text.and_then(|text| serde_json::from_slice::<Text>(&text).ok());
        kept.filter(|kept| kept.version == VERSION && kept.url == url)
            .map(|kept| kept.pages)
            .unwrap_or_default()
    }

    pub(super) fn write(&self, url: &str, pages: &[Page]) -> io::Result<()> {
        let text = Text { version: VERSION, url: url.to_owned(), pages: pages.to_vec() };
        let text = serde_json::to_vec(&text)?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > limits::RELEASE_LISTING {
            return Err(io::Error::other("it is longer than what is kept"));
        }
        files::create_private_dir(&self.folder)?;
        files::write_atomic(&self.path(url), &text, 0o600)?;
        prune::oldest(&self.folder, limits::RELEASE_LISTINGS)
    }

    fn path(&self, url: &str) -> PathBuf {
        self.folder.join(format!("{}.json", Sha256Hash::of(&[url.as_bytes()]).hex()))
    }
}
