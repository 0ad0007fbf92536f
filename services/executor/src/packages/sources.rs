//! Where packages, keys and suites are fetched from.

use aileron_contract::{
    Error, Reason, Result,
    egress::Authorization,
    names::{Authority, Fqn, HostPort, PackageRef, Scheme},
};
use url::Url;

use super::releases::listing;
use crate::formats::package::ARCHIVE;

/// The addresses of a GitHub, the public one or a company's own.
#[derive(Debug)]
pub struct Sources {
    /// Release downloads live below it.
    pub base_url: Url,
    pub api_url: Url,
    /// Files of a repository, by reference.
    pub raw_url: Url,
    /// Sent to `api_url` only.
    pub token: Option<Authorization>,
    /// Where release downloads may redirect to, besides `base_url`'s own host.
    pub asset_hosts: Vec<HostPort>,
    /// The Hub's repository; none turns the Hub off.
    pub hub: Option<Url>,
}

/// The Hub's repository, as published.
pub const HUB: &str = "https://github.com/ALRubinger/aileron-connectors-hub.git";

impl Sources {
    /// The public GitHub.
    pub fn github() -> Result<Self> {
        let hosts = [
            "objects.githubusercontent.com:443",
            "release-assets.githubusercontent.com:443",
            "github-releases.githubusercontent.com:443",
        ];
        Ok(Self {
            base_url: address("https://github.com")?,
            api_url: address("https://api.github.com")?,
            raw_url: address("https://raw.githubusercontent.com")?,
            token: None,
            asset_hosts: hosts.iter().map(|host| host.parse()).collect::<Result<_>>()?,
            hub: Some(address(HUB)?),
        })
    }

    /// The addresses of a GitHub Enterprise Server derived from its own: the API below `api/v3`,
    /// files below `raw`, downloads on the same host or its `media` host. The public GitHub's
    /// address gives [`Sources::github`].
    pub fn from_base(base: &Url) -> Result<Self> {
        let unfit = || {
            let text = format!("sources.github.base_url {base} is not an address with a host");
            Error::new(Reason::ConfigInvalid, text)
        };
        if base.cannot_be_a_base() || base.query().is_some() || base.fragment().is_some() {
            return Err(unfit());
        }
        let host = base.host_str().ok_or_else(unfit)?;
        if host == "github.com" {
            return Self::github();
        }
        let media = format!("media.{host}:{}", base.port_or_known_default().unwrap_or(443));
        Ok(Self {
            base_url: base.clone(),
            api_url: below(base, &["api", "v3"])?,
            raw_url: below(base, &["raw"])?,
            token: None,
            // An address has no subdomains.
            asset_hosts: media.parse().into_iter().collect(),
            hub: Some(address(HUB)?),
        })
    }

    /// The package's archive on its release page.
    pub(super) fn archive(&self, package: &PackageRef) -> Result<Url> {
        let fqn = &package.fqn;
        only_github(fqn.scheme(), fqn.as_str())?;
        let path = [fqn.owner(), fqn.repo(), "releases", "download", &tag(package), ARCHIVE];
        below(&self.base_url, &path)
    }

    /// What the API knows about the release of a package.
    pub(super) fn release(&self, package: &PackageRef) -> Result<Url> {
        let fqn = &package.fqn;
        only_github(fqn.scheme(), fqn.as_str())?;
        let path = ["repos", fqn.owner(), fqn.repo(), "releases", "tags", &tag(package)];
        below(&self.api_url, &path)
    }

    /// A file of a release through the API, which wants to know its number.
    pub(super) fn asset(&self, package: &PackageRef, id: u64) -> Result<Url> {
        let (owner, repo) = (package.fqn.owner(), package.fqn.repo());
        below(&self.api_url, &["repos", owner, repo, "releases", "assets", &id.to_string()])
    }

    /// One page of a repository's releases, from 1.
    pub(super) fn releases(&self, repository: &Fqn, page: u32) -> Result<Url> {
        only_github(repository.scheme(), repository.as_str())?;
        let path = ["repos", repository.owner(), repository.repo(), "releases"];
        let mut url = below(&self.api_url, &path)?;
        let (per_page, page) = (listing::PER_PAGE.to_string(), page.to_string());
        url.query_pairs_mut().append_pair("per_page", &per_page).append_pair("page", &page);
        Ok(url)
    }

    /// A repository's published key: through the API for those with a token, else its raw file.
    pub(super) fn key(&self, repository: &Fqn, with_token: bool) -> Result<Url> {
        only_github(repository.scheme(), repository.as_str())?;
        let (owner, repo) = (repository.owner(), repository.repo());
        if with_token {
            let path = ["repos", owner, repo, "contents", "keys", "publisher.pub"];
            return below(&self.api_url, &path);
        }
        below(&self.raw_url, &[owner, repo, "HEAD", "keys", "publisher.pub"])
    }

    /// A repository's newest release.
    pub(super) fn latest(&self, repository: &Fqn) -> Result<Url> {
        let path = ["repos", repository.owner(), repository.repo(), "releases", "latest"];
        below(&self.api_url, &path)
    }

    /// A file of a repository at a tag, branch or commit.
    pub(super) fn file(&self, file: &Fqn, reference: &str) -> Result<Url> {
        only_github(file.scheme(), file.as_str())?;
        let mut path = vec![file.owner(), file.repo(), reference];
        path.extend(file.subpath().split('/'));
        below(&self.raw_url, &path)
    }

    /// The same file through the API, for those with a token.
    pub(super) fn contents(&self, file: &Fqn, reference: &str) -> Result<Url> {
        only_github(file.scheme(), file.as_str())?;
        let mut path = vec!["repos", file.owner(), file.repo(), "contents"];
        path.extend(file.subpath().split('/'));
        let mut url = below(&self.api_url, &path)?;
        url.query_pairs_mut().append_pair("ref", reference);
        Ok(url)
    }
}

/// Refuses authorities whose keys cannot be looked up.
pub(super) fn repository(authority: &Authority) -> Result<Fqn> {
    authority.repository().ok_or_else(|| {
        let text = format!(
            "{authority} names an owner, and keys are published per repository: name one of its \
             repositories, like {authority}/connector, or give the key itself"
        );
        Error::new(Reason::InvalidRequest, text)
    })
}

fn tag(package: &PackageRef) -> String {
    match package.fqn.subpath() {
        "" => format!("v{}", package.version),
        subpath => format!("{subpath}/v{}", package.version),
    }
}

/// Every other scheme is a name we can hold but not fetch.
fn only_github(scheme: Scheme, name: &str) -> Result<()> {
    let advice = match scheme {
        Scheme::Github => return Ok(()),
        Scheme::Gitlab => "packages are fetched from GitHub only for now",
        Scheme::Hub => "the hub no longer serves packages: use the github:// name it lists",
        Scheme::Local => {
            "a local package is nowhere but on your disk: give its folder or archive (aileron \
             connector install ./dist, aileron action add ./actions/name)"
        }
    };
    Err(Error::new(Reason::UnknownScheme, format!("{name} cannot be fetched: {advice}")))
}

/// `base` with further path segments, each percent-encoded as one segment (`/` becomes `%2F`).
pub(super) fn below(base: &Url, segments: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Error::new(Reason::ConfigInvalid, format!("{base} has no paths")))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

fn address(text: &str) -> Result<Url> {
    text.parse().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(text: &str) -> PackageRef {
        text.parse().unwrap()
    }

    #[test]
    fn archives_lie_at_the_published_addresses() {
        let sources = Sources::github().unwrap();
        let plain = sources.archive(&package("github://acme/notes@1.2.3+b.1")).unwrap();
        assert_eq!(
            plain.as_str(),
            "https://github.com/acme/notes/releases/download/v1.2.3+b.1/aileron.tar.gz"
        );
        let nested = sources.archive(&package("github://acme/notes/actions/list@1.0.0")).unwrap();
        assert_eq!(
            nested.as_str(),
            "https://github.com/acme/notes/releases/download/actions%2Flist%2Fv1.0.0/aileron.tar.gz"
        );
    }

    #[test]
    fn keys_come_from_the_api_only_with_a_token() {
        let sources = Sources::github().unwrap();
        let repository: Fqn = "github://acme/notes".parse().unwrap();
        assert_eq!(
            sources.key(&repository, false).unwrap().as_str(),
            "https://raw.githubusercontent.com/acme/notes/HEAD/keys/publisher.pub"
        );
        assert_eq!(
            sources.key(&repository, true).unwrap().as_str(),
            "https://api.github.com/repos/acme/notes/contents/keys/publisher.pub"
        );
    }

    #[test]
    fn releases_are_asked_of_the_api() {
        let sources = Sources::github().unwrap();
        let package = package("github://acme/notes/actions/list@1.0.0");
        assert_eq!(
            sources.releases(&package.fqn, 3).unwrap().as_str(),
            "https://api.github.com/repos/acme/notes/releases?per_page=100&page=3"
        );
        assert_eq!(
            sources.release(&package).unwrap().as_str(),
            "https://api.github.com/repos/acme/notes/releases/tags/actions%2Flist%2Fv1.0.0"
        );
        assert_eq!(
            sources.asset(&package, 7).unwrap().as_str(),
            "https://api.github.com/repos/acme/notes/releases/assets/7"
        );
    }

    #[test]
    fn a_companys_addresses_follow_from_one() {
        let base: Url = "https://git.corp.example/".parse().unwrap();
        let sources = Sources::from_base(&base).unwrap();
        assert_eq!(sources.api_url.as_str(), "https://git.corp.example/api/v3");
        assert_eq!(sources.raw_url.as_str(), "https://git.corp.example/raw");
        let file: Fqn = "github://acme/notes/suite.toml".parse().unwrap();
        assert_eq!(
            sources.file(&file, "release/1").unwrap().as_str(),
            "https://git.corp.example/raw/acme/notes/release%2F1/suite.toml"
        );
        let public = Sources::from_base(&"https://github.com".parse().unwrap()).unwrap();
        assert_eq!(public.api_url.as_str(), "https://api.github.com/");
    }

    #[test]
    fn other_schemes_are_named_but_not_fetched() {
        let sources = Sources::github().unwrap();
        for name in ["gitlab://a/b@1.0.0", "hub://a/b@1.0.0", "local://user/b@1.0.0"] {
            let error = sources.archive(&package(name)).unwrap_err();
            assert_eq!(error.reason(), Reason::UnknownScheme, "{name}");
        }
    }
}
