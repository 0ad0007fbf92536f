//! A whole repository, as one archive.

use aileron_contract::{egress::Fetch, limits, names::HostPort};
use url::Url;

use super::{FetchError, Fetcher, Listed, NOT_MODIFIED, small};

/// Which archive to fetch.
pub(in crate::packages) struct Tree {
    pub(in crate::packages) url: Url,
    /// Where it may lie, besides the URL's own host.
    pub(in crate::packages) redirects: Vec<HostPort>,
    /// Is it the source's own, so that the source's token is shown?
    pub(in crate::packages) with_token: bool,
    /// Of the archive that is there already.
    pub(in crate::packages) etag: Option<String>,
}

impl Fetcher {
    /// Fetches an archive, unless it is still the known one.
    pub(in crate::packages) async fn tree(&self, tree: Tree) -> Result<Listed, FetchError> {
        let Tree { url, redirects, with_token, etag } = tree;
        let fetch = Fetch {
            if_none_match: etag,
            authorization: self.token.clone().filter(|_| with_token),
            redirects,
            timeout: limits::HUB_WALL,
            ..small(&url, limits::HUB_ARCHIVE)
        };
        let answered = self.ask(url, fetch, None).await?;
        if answered.status == NOT_MODIFIED {
            return Ok(Listed::Same);
        }
        let (etag, link) = (answered.header("etag"), answered.header("link"));
        Ok(Listed::Fresh { body: answered.body, etag, link })
    }
}
