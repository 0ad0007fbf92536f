//! Listings kept on disk, so that an unchanged one is not transferred again. A source confirms
//! only a listing's tag: that its versions belong to that tag, the vault's pin says.

use std::{io, path::Path};

use aileron_contract::{Result, limits, names::Sha256Hash, vault};
use serde::{Deserialize, Serialize};

use super::listing::Page;
use crate::packages::{blocking, prune, sealed::Sealed};

/// The folder of listings. Cheap to clone.
#[derive(Clone)]
pub(super) struct Kept(Sealed);

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

/// Whose listing: what an address shows to those with the source's token is kept apart from what
/// it shows to everybody.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) url: &'a str,
    pub(super) with_token: bool,
}

impl Kept {
    pub(super) fn new(home: &Path, vault: vault::Handle) -> Self {
        Self(Sealed::new(home.join("cache").join("releases"), vault))
    }

    /// The pages of a listing, as far as they are known and can be believed.
    pub(super) async fn read(&self, of: Of<'_>) -> Result<Vec<Page>> {
        let kept = self.0.read(&of.name(), limits::RELEASE_LISTING).await?;
        let Some(content) = kept.content() else { return Ok(Vec::new()) };
        let text = serde_json::from_slice::<Text>(&content).ok();
        Ok(text
            .filter(|kept| kept.version == VERSION && kept.url == of.url)
            .map(|kept| kept.pages)
            .unwrap_or_default())
    }

    /// Keeps a listing while the vault is unlocked.
    pub(super) async fn write(&self, of: Of<'_>, pages: &[Page]) -> Result<io::Result<()>> {
        let text = Text { version: VERSION, url: of.url.to_owned(), pages: pages.to_vec() };
        let content = match serde_json::to_vec(&text) {
            Ok(content) => content,
            Err(error) => return Ok(Err(error.into())),
        };
        if u64::try_from(content.len()).unwrap_or(u64::MAX) > limits::RELEASE_LISTING {
            return Ok(Err(io::Error::other("it is longer than what is kept")));
        }
        match self.0.write(&of.name(), content.into()).await? {
            Ok(true) => {
                let folder = self.0.folder().to_owned();
                blocking(move || prune::oldest(&folder, limits::RELEASE_LISTINGS)).await
            }
            Ok(false) => Ok(Ok(())),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl Of<'_> {
    fn name(self) -> String {
        let whose: &[u8] = if self.with_token { b"token" } else { b"" };
        let name = Sha256Hash::of(&[self.url.as_bytes(), b"\0", whose]);
        format!("{}.json", name.hex())
    }
}
