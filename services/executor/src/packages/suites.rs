//! Suites: read from a repository or from text, their members made complete.

use aileron_contract::{
    Error, Reason, Result, limits,
    names::{Fqn, PackageRef, Version},
    packages::{Suite, SuiteSource},
};

use super::Parts;
use crate::formats::{
    package::SUITE,
    suite::{self, Member, SuiteFile},
};

/// Reads a suite and completes its members.
pub(super) async fn read(parts: &Parts, source: SuiteSource) -> Result<Suite> {
    match source {
        SuiteSource::Text(text) => {
            let file = suite::parse(text.as_bytes(), SUITE)?;
            complete(file, |path| {
                let text = format!(
                    "the member {path:?} of a local suite must name its repository and version, \
                     like github://owner/repo/{path}@1.2.3"
                );
                Err(Error::new(Reason::ValidationError, text))
            })
        }
        SuiteSource::Remote(source) => remote(parts, &source).await,
    }
}

async fn remote(parts: &Parts, source: &str) -> Result<Suite> {
    let (file, reference) = split(source)?;
    let reference = match reference {
        "latest" => latest(parts, &file).await?,
        other => other.to_owned(),
    };
    let url = parts.sources.file(&file, &reference)?;
    let text = match parts.fetcher.public(url, limits::SUITE).await {
        // Private repositories have no public files.
        Err(error) if error.is_not_found() && parts.fetcher.with_token() => {
            let url = parts.sources.contents(&file, &reference)?;
            parts.fetcher.api(url, "application/vnd.github.raw", limits::SUITE).await
        }
        done => done,
    };
    let text = text.map_err(|error| {
        error.told(Reason::FetchFailed, "check the suite's repository, path and reference")
    })?;
    let parsed = suite::parse(&text, source)?;
    let repository = file.authority();
    complete(parsed, |path| {
        let fqn: Fqn = format!("{repository}/{path}").parse()?;
        Ok(PackageRef { fqn, version: version(&reference, path)? })
    })
}

fn complete(file: SuiteFile, locate: impl Fn(&str) -> Result<PackageRef>) -> Result<Suite> {
    let actions = file.members.into_iter().map(|member| match member {
        Member::Package(package) => Ok(package),
        Member::Path(path) => locate(&path),
    });
    Ok(Suite {
        name: file.name,
        description: file.description,
        actions: actions.collect::<Result<_>>()?,
    })
}

/// The file's name and its reference, split at the last `@`.
fn split(source: &str) -> Result<(Fqn, &str)> {
    let wrong = || {
        let text = "a suite is named <scheme>://<owner>/<repo>/<file>@<ref>, the reference being \
                    latest, a commit or a tag";
        Error::new(Reason::InvalidFqn, text)
    };
    let (file, reference) = source.rsplit_once('@').ok_or_else(wrong)?;
    let file: Fqn = file.parse()?;
    let sound = !file.subpath().is_empty()
        && (1..=255).contains(&reference.len())
        && reference.bytes().all(|c| c.is_ascii_graphic())
        && reference != "."
        && reference != "..";
    if sound { Ok((file, reference)) } else { Err(wrong()) }
}

/// The tag of the repository's newest release.
async fn latest(parts: &Parts, file: &Fqn) -> Result<String> {
    #[derive(serde::Deserialize)]
    struct Release {
        tag_name: String,
    }
    // Only what can be fetched has releases to ask for.
    parts.sources.file(file, "HEAD")?;
    let url = parts.sources.latest(file)?;
    let accept = "application/vnd.github+json";
    let answer = parts.fetcher.api(url, accept, limits::RELEASE_PAGE).await.map_err(|error| {
        let advice = "without published releases name a tag or a commit instead of latest";
        error.told(Reason::FetchFailed, advice)
    })?;
    let release: Release = serde_json::from_slice(&answer).map_err(|error| {
        let text = format!("the newest release of {} cannot be read", file.authority());
        Error::new(Reason::FetchFailed, text).caused_by(error)
    })?;
    let found = format!("{file}@{}", release.tag_name);
    split(&found).map(|(_, reference)| reference.to_owned())
}

/// The version a member by path has: the suite's own tag without its `v`.
fn version(reference: &str, path: &str) -> Result<Version> {
    let commit = reference.len() == 40
        && reference.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    let version = reference.strip_prefix('v').filter(|_| !commit);
    version.and_then(|version| version.parse().ok()).ok_or_else(|| {
        let text = format!(
            "the suite at {reference:?} lists {path:?} by path, which takes the suite's version, \
             and {reference:?} is no tag like v1.2.3: name such a tag"
        );
        Error::new(Reason::ValidationError, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_members_version_is_the_suites_tag() {
        assert_eq!(version("v1.2.3", "x").unwrap().to_string(), "1.2.3");
        for reference in ["1.2.3", "main", "v1.2", &"a".repeat(40)] {
            assert!(version(reference, "x").is_err(), "{reference}");
        }
    }

    #[test]
    fn a_source_names_a_file_and_a_reference() {
        let (file, reference) = split("github://acme/notes/suite.toml@v1.0.0").unwrap();
        assert_eq!((file.subpath(), reference), ("suite.toml", "v1.0.0"));
        for source in [
            "github://acme/notes@v1.0.0",
            "github://acme/notes/suite.toml",
            "github://acme/notes/suite.toml@",
            "github://acme/notes/suite.toml@..",
            "github://acme/notes/../suite.toml@v1.0.0",
        ] {
            assert!(split(source).is_err(), "{source}");
        }
    }
}
