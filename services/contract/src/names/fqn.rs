//! Fully qualified names of packages: `github://owner/repo[/path…][@version]`.

use std::{fmt, str::FromStr};

use super::{invalid, path_segment};
use crate::{Error, Reason, Result};

/// Where a package comes from. A closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    Github,
    Gitlab,
    Hub,
    Local,
}

impl Scheme {
    /// As it stands before `://`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Hub => "hub",
            Self::Local => "local",
        }
    }
}

impl FromStr for Scheme {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        match raw {
            "github" => Ok(Self::Github),
            "gitlab" => Ok(Self::Gitlab),
            "hub" => Ok(Self::Hub),
            "local" => Ok(Self::Local),
            _ => Err(invalid(
                Reason::UnknownScheme,
                raw,
                "a package scheme: use github, gitlab, hub or local",
            )),
        }
    }
}

/// A package without its version. Owner: letters and digits with inner dashes; every further
/// segment `[A-Za-z0-9._-]+`, never `.` or `..`. The text is the identity, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fqn {
    scheme: Scheme,
    text: Box<str>,
}

impl Fqn {
    /// The text as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the package comes from.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The account that publishes it, the first segment.
    pub fn owner(&self) -> &str {
        self.segments().next().unwrap_or_default()
    }

    /// The repository, the second segment.
    pub fn repo(&self) -> &str {
        self.segments().nth(1).unwrap_or_default()
    }

    /// What follows the repository, joined by `/`; empty for the repository itself.
    pub fn subpath(&self) -> &str {
        self.rest().splitn(3, '/').nth(2).unwrap_or_default()
    }

    /// The repository this package belongs to, for which keys are trusted.
    pub fn authority(&self) -> Authority {
        Authority(format!("{}://{}/{}", self.scheme.text(), self.owner(), self.repo()).into())
    }

    fn rest(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, rest)| rest)
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.rest().split('/')
    }
}

impl FromStr for Fqn {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let wrong =
            || invalid(Reason::InvalidFqn, raw, "a package name like github://owner/repo[/path]");
        if raw.len() > 256 {
            return Err(wrong());
        }
        let (scheme, rest) = raw.split_once("://").ok_or_else(wrong)?;
        let scheme = scheme.parse()?;
        let mut segments = rest.split('/');
        let owner = segments.next().unwrap_or_default();
        let mut paths = 0_usize;
        let sound = segments.all(|segment| {
            paths += 1;
            path_segment(segment)
        });
        if owner_name(owner) && sound && paths >= 1 {
            return Ok(Self { scheme, text: raw.into() });
        }
        Err(wrong())
    }
}

impl fmt::Display for Fqn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whose signing keys: a repository (`github://owner/repo`) or an owner (`github://owner`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Authority(Box<str>);

impl Authority {
    /// The text as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does it stand for all repositories of an owner?
    pub fn is_owner(&self) -> bool {
        self.0.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'))
    }

    /// The owner's authority: itself when it already is one.
    #[must_use]
    pub fn owner(&self) -> Self {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let owner = rest.split('/').next().unwrap_or_default();
        Self(format!("{scheme}://{owner}").into())
    }

    /// The repository as a package name; none for an owner.
    pub fn repository(&self) -> Option<Fqn> {
        self.0.parse().ok()
    }
}

impl FromStr for Authority {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let wrong = || invalid(Reason::InvalidFqn, raw, "an authority like github://owner[/repo]");
        let (scheme, rest) = raw.split_once("://").ok_or_else(wrong)?;
        scheme.parse::<Scheme>()?;
        let mut segments = rest.split('/');
        let owner = segments.next().unwrap_or_default();
        let repo = segments.next();
        let sound = raw.len() <= 256
            && owner_name(owner)
            && repo.is_none_or(path_segment)
            && segments.next().is_none();
        if sound { Ok(Self(raw.into())) } else { Err(wrong()) }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A strict semantic version: never a leading `v`, no ranges, no `latest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(semver::Version);

impl Version {
    /// Does it come before the version it is named after, like `1.0.0-rc.1`?
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let wrong = || invalid(Reason::ValidationError, raw, "a version like 1.2.3");
        if raw.len() > 128 {
            return Err(wrong());
        }
        semver::Version::parse(raw).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A package at one version: `<fqn>@<version>`, split at the last `@`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageRef {
    pub fqn: Fqn,
    pub version: Version,
}

impl FromStr for PackageRef {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let (fqn, version) = raw.rsplit_once('@').ok_or_else(|| {
            invalid(Reason::InvalidFqn, raw, "a package with a version, like github://o/r@1.2.3")
        })?;
        Ok(Self { fqn: fqn.parse()?, version: version.parse()? })
    }
}

impl fmt::Display for PackageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.fqn, self.version)
    }
}

fn owner_name(raw: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
    !raw.is_empty()
        && raw.bytes().all(inner)
        && !raw.starts_with('-')
        && !raw.ends_with('-')
        && raw.len() <= 100
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_package_name_has_an_owner_and_a_repository() {
        let fqn: Fqn = "github://acme/tools/actions/list".parse().unwrap();
        assert_eq!((fqn.owner(), fqn.repo(), fqn.subpath()), ("acme", "tools", "actions/list"));
        assert_eq!(fqn.authority().as_str(), "github://acme/tools");
        assert_eq!(fqn.authority().owner().as_str(), "github://acme");
    }

    #[test]
    fn a_package_name_cannot_smuggle() {
        for raw in [
            "github://acme",
            "github://acme/",
            "github://acme/../x",
            "github://acme/x?y",
            "github://acme/x#y",
            "github://acme:80/x",
            "github://acme/%2e%2e",
            "github://-a/x",
            "ftp://acme/x",
            "github://acme/x@1.0.0",
        ] {
            assert!(raw.parse::<Fqn>().is_err(), "{raw}");
        }
    }

    /// Texts that come near to being names.
    fn nearly() -> impl Strategy<Value = String> {
        prop_oneof![
            "(github|gitlab|hub|local|ftp)?(://)?[A-Za-z0-9-]{0,6}(/[A-Za-z0-9._-]{0,6}){0,4}",
            "(github|local)://[a-z]{1,4}/[a-z.]{1,4}(@|@v)?[0-9]?(\\.[0-9]){0,3}",
            "\\PC{0,24}",
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_a_package_name_is_kept_as_written_and_climbs_nowhere(raw in nearly()) {
            let Ok(fqn) = raw.parse::<Fqn>() else { return Ok(()) };
            prop_assert_eq!(fqn.as_str(), &raw);
            let parts = [fqn.owner(), fqn.repo()];
            prop_assert!(parts.into_iter().all(|part| !matches!(part, "" | "." | "..")));
            let sound = |part: &str| {
                !matches!(part, "." | "..")
                    && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
            };
            prop_assert!(fqn.subpath().split('/').all(sound));
            let again = match fqn.subpath() {
                "" => format!("{}://{}/{}", fqn.scheme().text(), fqn.owner(), fqn.repo()),
                rest => format!("{}://{}/{}/{rest}", fqn.scheme().text(), fqn.owner(), fqn.repo()),
            };
            prop_assert_eq!(again, raw, "the parts are the whole");
        }

        #[test]
        fn an_authority_covers_its_own_packages(raw in nearly()) {
            let Ok(fqn) = raw.parse::<Fqn>() else { return Ok(()) };
            let authority = fqn.authority();
            prop_assert_eq!(authority.as_str().parse::<Authority>().unwrap(), authority.clone());
            prop_assert!(!authority.is_owner());
            prop_assert_eq!(authority.repository().unwrap().authority(), authority.clone());
            prop_assert!(authority.owner().is_owner() && authority.owner().repository().is_none());
            let owner = format!("{}/", authority.owner());
            prop_assert!(authority.as_str().starts_with(&owner));
        }

        #[test]
        fn a_reference_is_split_at_its_last_at_and_written_as_it_was(raw in nearly()) {
            let Ok(package) = raw.parse::<PackageRef>() else { return Ok(()) };
            prop_assert_eq!(package.to_string(), &*raw);
            let (fqn, version) = raw.rsplit_once('@').unwrap();
            prop_assert_eq!((package.fqn.as_str(), package.version.to_string()), (fqn, version.to_owned()));
        }
    }
}
