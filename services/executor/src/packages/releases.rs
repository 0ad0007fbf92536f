//! What a repository has released: every page of its listing, asked for again only where it
//! changed. A listing names versions and proves nothing: what is installed is verified all the
//! same.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aileron_contract::{
    Error, Reason, Result, Timestamp, limits,
    names::{Authority, Fqn, Version},
    vault,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::Semaphore;

use super::{
    Parts, blocking,
    fetch::{FetchError, Fetcher, Listed},
    sources::Sources,
};

mod kept;
pub mod listing;

use kept::{Kept, Of};
use listing::Page;

/// Listings of releases. Cheap to clone.
#[derive(Clone)]
pub(super) struct Releases {
    fetcher: Fetcher,
    sources: Arc<Sources>,
    kept: Kept,
    slots: Arc<Semaphore>,
    told: Arc<Mutex<Option<Told>>>,
}

/// The listing that was asked for last to say which versions there are.
struct Told {
    repository: Authority,
    with_token: bool,
    at: Timestamp,
    tags: Result<Vec<String>>,
}

/// Why there is no listing.
#[derive(Debug, thiserror::Error)]
enum Unlisted {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Refused(#[from] Error),
    #[error("page {0} of them cannot be read: {1}")]
    Unreadable(u32, listing::Unreadable),
    #[error("there are more than {} of them", limits::RELEASE_PAGES * listing::PER_PAGE)]
    TooMany,
    #[error("they did not all arrive within {} s", limits::RELEASES_WALL.as_secs())]
    Late,
}

impl Releases {
    pub(super) fn new(
        fetcher: Fetcher,
        sources: Arc<Sources>,
        home: &Path,
        vault: vault::Handle,
    ) -> Self {
        let slots = Arc::new(Semaphore::new(limits::RELEASE_FETCHES));
        Self { fetcher, sources, kept: Kept::new(home, vault), slots, told: Arc::default() }
    }

    /// The same, asked with what that fetcher may show.
    pub(super) fn with(&self, fetcher: Fetcher) -> Self {
        Self { fetcher, ..self.clone() }
    }

    /// The published versions of a package, the newest first, pre-releases among them.
    pub(super) async fn versions(&self, package: &Fqn) -> Result<Vec<Version>> {
        let tags = self.tags(package).await?;
        Ok(listing::versions(&tags, package.subpath()))
    }

    /// As [`versions`](Self::versions), of a moment ago if need be: whoever asks for many packages
    /// that are not there asks the source for its listing once.
    async fn recent_versions(&self, package: &Fqn, now: Timestamp) -> Result<Vec<Version>> {
        let (repository, with_token) = (package.authority(), self.fetcher.with_token());
        let serves = |told: &&Told| {
            let age = Duration::try_from(now.duration_since(told.at));
            told.repository == repository
                && told.with_token == with_token
                && age.is_ok_and(|age| age <= limits::RELEASES_TOLD_WALL)
        };
        let known = self.told().as_ref().filter(serves).map(|told| told.tags.clone());
        let tags = if let Some(tags) = known {
            tags
        } else {
            // Nobody waits here for the listing of another repository.
            let tags = self.tags(package).await;
            let told = Told { repository, with_token, at: now, tags: tags.clone() };
            *self.told() = Some(told);
            tags
        };
        Ok(listing::versions(&tags?, package.subpath()))
    }

    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        // Put in whole: a panic elsewhere leaves nothing half done here.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tags of all releases of the package's repository that name a version.
    pub(super) async fn tags(&self, package: &Fqn) -> Result<Vec<String>> {
        let listed = tokio::time::timeout(limits::RELEASES_WALL, self.all(package)).await;
        let pages = match listed.unwrap_or(Err(Unlisted::Late)) {
            Ok(pages) => pages,
            Err(why) => return Err(self.unlisted(package, why)),
        };
        Ok(pages.into_iter().flat_map(|page| page.tags).collect())
    }

    async fn all(&self, package: &Fqn) -> Result<Vec<Page>, Unlisted> {
        let url = self.sources.releases(package, 1)?;
        let of = Of { url: url.as_str(), with_token: self.fetcher.with_token() };
        let before = self.kept.read(of).await?;
        let mut pages = vec![self.page(package, 1, before.first()).await?];
        while let Some(last) = listing::wanted(&pages) {
            if last > limits::RELEASE_PAGES {
                return Err(Unlisted::TooMany);
            }
            let next = u32::try_from(pages.len()).unwrap_or(u32::MAX).saturating_add(1);
            let known = |number: u32| {
                before.get(usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX))
            };
            let asked = (next..=last).map(|number| self.page(package, number, known(number)));
            let more: Vec<Page> =
                stream::iter(asked).buffered(limits::RELEASE_FETCHES).try_collect().await?;
            pages.extend(more);
        }
        if pages != before
            && let Err(error) = self.kept.write(of, &pages).await?
        {
            tracing::warn!(%error, "a listing of releases is not kept: it is asked for anew");
        }
        Ok(pages)
    }

    async fn page(
        &self,
        package: &Fqn,
        number: u32,
        known: Option<&Page>,
    ) -> Result<Page, Unlisted> {
        let url = self.sources.releases(package, number)?;
        let _slot = self.slots.acquire().await.map_err(Error::internal)?;
        let etag = known.and_then(|page| page.etag.as_deref());
        match (self.fetcher.listing(url, etag).await?, known) {
            (Listed::Same, Some(known)) => Ok(known.clone()),
            // Only a page with a tag is asked for by its tag.
            (Listed::Same, None) => Ok(Page::default()),
            (Listed::Fresh { body, etag, link }, _) => {
                let read = blocking(move || listing::read(&body, etag.as_deref(), link.as_deref()));
                read.await?.map_err(|why| Unlisted::Unreadable(number, why))
            }
        }
    }

    fn unlisted(&self, package: &Fqn, why: Unlisted) -> Error {
        let repository = package.authority();
        match why {
            Unlisted::Refused(error) => error,
            Unlisted::Fetch(error) if error.is_not_found() => {
                let private = if self.fetcher.with_token() {
                    "or the daemon's token (GH_TOKEN, GITHUB_TOKEN, sources.github.token) may not \
                     read it"
                } else {
                    "or it is private: private ones are looked up for persons and for programs \
                     with a token of their own (aileron token mint), once the daemon has a token \
                     of the source's (GH_TOKEN)"
                };
                let text = format!("{repository} or its releases are not there, {private}");
                let details = serde_json::json!({ "retriable": false, "status": 404 });
                Error::new(Reason::FetchFailed, text).with_details(details)
            }
            Unlisted::Fetch(error) => {
                let advice = format!("the releases of {repository} are not known");
                error.told(Reason::FetchFailed, &advice)
            }
            other => {
                let retriable = matches!(other, Unlisted::Late);
                let text = format!("the releases of {repository} are not known: {other}");
                Error::new(Reason::FetchFailed, text)
                    .with_details(serde_json::json!({ "retriable": retriable }))
            }
        }
    }
}

/// What an archive that is not there is told as: the versions that are.
pub(super) async fn not_there(parts: &Parts, package: &Fqn, url: &url::Url) -> Error {
    let found = match parts.releases.recent_versions(package, (parts.clock)()).await {
        Ok(versions) if versions.is_empty() => format!("no version of {package} is published"),
        Ok(versions) => format!("published versions: {}", listing::some(&versions)),
        Err(error) => format!("check name and version. {}", error.public()),
    };
    let text = format!("{url} answered 404 (tag or release not found); {found}");
    let details = serde_json::json!({ "retriable": false, "status": 404 });
    Error::new(Reason::FetchFailed, text).with_details(details)
}
