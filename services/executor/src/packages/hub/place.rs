//! Where the Hub's repository is, and how its archive is asked for.

use aileron_contract::{
    Error, Reason, Result,
    names::{Fqn, HostPort},
};
use url::Url;

use crate::packages::{
    fetch::Tree,
    sources::{Sources, below},
};

/// The Hub's repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// As a person reads it.
    pub(super) source: String,
    archive: Url,
    /// Where the archive may lie.
    redirects: Vec<HostPort>,
    /// May the source's token be shown?
    ours: bool,
}

impl Place {
    /// Reads `https://host/owner/repository[.git]`. With a token for that very host the archive is
    /// asked for through its API, so that a repository may be private.
    pub(super) fn of(hub: &Url, sources: &Sources, with_token: bool) -> Result<Self> {
        let unfit = || {
            let text = format!(
                "hub.url {hub} is not the address of a repository like \
                 https://github.com/owner/repository.git"
            );
            Error::new(Reason::ConfigInvalid, text)
        };
        let mut segments = hub.path_segments().ok_or_else(unfit)?.filter(|it| !it.is_empty());
        let (Some(owner), Some(repo), None) = (segments.next(), segments.next(), segments.next())
        else {
            return Err(unfit());
        };
        let repo = repo.strip_suffix(".git").unwrap_or(repo);
        let named: Fqn = format!("github://{owner}/{repo}").parse().map_err(|_| unfit())?;
        let mut root = hub.clone();
        root.set_path("/");
        let ours = root.origin() == sources.base_url.origin();
        let archive = if ours && with_token {
            below(&sources.api_url, &["repos", named.owner(), named.repo(), "tarball"])?
        } else {
            below(&root, &[named.owner(), named.repo(), "archive", "HEAD.tar.gz"])?
        };
        let mut redirects = if ours { sources.asset_hosts.clone() } else { Vec::new() };
        let port = root.port_or_known_default().unwrap_or(443);
        let host = root.host_str().ok_or_else(unfit)?;
        // Where GitHub makes archives. An address has no subdomains.
        redirects.extend(HostPort::new(&format!("codeload.{host}"), port));
        // The API answers for another host than the one people see.
        redirects.extend(HostPort::new(host, port));
        let source = below(&root, &[named.owner(), named.repo()])?.to_string();
        Ok(Self { source, archive, redirects, ours: ours && with_token })
    }

    /// What to fetch, unless it is still the one with the tag `etag`.
    pub(super) fn request(&self, etag: Option<String>) -> Tree {
        Tree {
            url: self.archive.clone(),
            redirects: self.redirects.clone(),
            with_token: self.ours,
            etag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(hub: &str, with_token: bool) -> Result<Place> {
        Place::of(&hub.parse().unwrap(), &Sources::github().unwrap(), with_token)
    }

    #[test]
    fn the_public_hub_is_one_archive() {
        let place = place("https://github.com/acme/hub.git", false).unwrap();
        assert_eq!(place.source, "https://github.com/acme/hub");
        assert_eq!(place.archive.as_str(), "https://github.com/acme/hub/archive/HEAD.tar.gz");
        assert!(place.redirects.contains(&"codeload.github.com:443".parse().unwrap()));
        assert!(!place.ours);
    }

    #[test]
    fn a_token_is_shown_to_its_own_host_only() {
        let own = place("https://github.com/acme/hub", true).unwrap();
        assert_eq!(own.archive.as_str(), "https://api.github.com/repos/acme/hub/tarball");
        assert!(own.ours);
        let other = place("https://git.example/acme/hub", true).unwrap();
        assert_eq!(other.archive.as_str(), "https://git.example/acme/hub/archive/HEAD.tar.gz");
        assert!(!other.ours);
    }

    #[test]
    fn what_names_no_repository_is_refused() {
        for hub in [
            "https://github.com",
            "https://github.com/acme",
            "https://github.com/acme/hub/tree/main",
            "https://github.com/-a/hub",
            "https://github.com/acme/%2e%2e%2fx",
        ] {
            let error = place(hub, false).expect_err(hub);
            assert_eq!(error.reason(), Reason::ConfigInvalid, "{hub}");
        }
    }
}
