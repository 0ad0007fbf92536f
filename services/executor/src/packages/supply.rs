//! Where a package's files come from: what a person laid down, a release page, or, while that
//! does not answer, what an earlier installation left. Wherever they come from, they are checked
//! the same way.

use aileron_contract::{
    Error, Reason, Result, limits,
    names::{PackageRef, Scheme},
};
use bytes::Bytes;
use serde::Deserialize;

use super::{
    Parts, blocking,
    fetch::FetchError,
    releases,
    tarball::{self, ActionFiles, ConnectorFiles},
    underway::Watched,
    verify::Purpose,
};
use crate::formats::package::ARCHIVE;

/// The files of a connector.
pub(super) async fn connector(
    parts: &Parts,
    package: &PackageRef,
    purpose: Purpose,
) -> Result<ConnectorFiles> {
    if let Some(files) = parts.local.connector(package, (parts.clock)()) {
        return Ok(files);
    }
    match archive(parts, package, purpose).await {
        Ok(archive) => Ok(blocking(move || tarball::connector(&archive)).await??),
        Err(missing) if missing.silent => match stored(parts, package).await? {
            Some(files) => {
                tracing::info!(%package, "its source does not answer: the stored one is taken");
                Ok(files)
            }
            None => Err(missing.error),
        },
        Err(missing) => Err(missing.error),
    }
}

/// The files of an action.
pub(super) async fn action(
    parts: &Parts,
    package: &PackageRef,
    purpose: Purpose,
) -> Result<ActionFiles> {
    if let Some(files) = parts.local.action(package, (parts.clock)()) {
        return Ok(files);
    }
    match archive(parts, package, purpose).await {
        Ok(archive) => Ok(blocking(move || tarball::action(&archive)).await??),
        Err(missing) if missing.silent => match parts.kept.read(package).await? {
            Some(files) => {
                tracing::info!(%package, "its source does not answer: the kept one is taken");
                Ok(files)
            }
            None => Err(missing.error),
        },
        Err(missing) => Err(missing.error),
    }
}

/// Why there is no archive.
struct Missing {
    error: Error,
    /// Nobody said that it is gone: what is here from before may be used.
    silent: bool,
}

impl Missing {
    fn of(error: FetchError) -> Self {
        let silent = error.is_silence();
        Self { error: error.told(Reason::FetchFailed, "nothing was installed"), silent }
    }
}

/// What was shown a moment ago, once, else what the source has now.
async fn archive(parts: &Parts, package: &PackageRef, purpose: Purpose) -> Result<Bytes, Missing> {
    let now = (parts.clock)();
    if purpose == Purpose::Install
        && let Some(archive) = parts.archives.take(package, now)
    {
        return Ok(archive);
    }
    let archive = released(parts, package).await?;
    if purpose == Purpose::Preview {
        parts.archives.put(package, archive.clone(), now);
    }
    Ok(archive)
}

/// The archive on a package's release page, or for those with a token behind the API: private
/// repositories have no public pages.
async fn released(parts: &Parts, package: &PackageRef) -> Result<Bytes, Missing> {
    let nowhere = |error| Missing { error, silent: package.fqn.scheme() == Scheme::Local };
    let url = parts.sources.archive(package).map_err(nowhere)?;
    let watched = parts.underway.fetching(package);
    match parts.fetcher.archive(url.clone(), &watched).await {
        Err(error) if error.is_not_found() => {}
        done => return done.map_err(Missing::of),
    }
    if parts.fetcher.with_token()
        && let Some(archive) = behind_the_api(parts, package, &watched).await?
    {
        return Ok(archive);
    }
    let error = releases::not_there(parts, &package.fqn, &url).await;
    Err(Missing { error, silent: false })
}

async fn behind_the_api(
    parts: &Parts,
    package: &PackageRef,
    watched: &Watched,
) -> Result<Option<Bytes>, Missing> {
    #[derive(Deserialize)]
    struct Release {
        assets: Vec<Asset>,
    }
    #[derive(Deserialize)]
    struct Asset {
        name: String,
        id: u64,
    }
    let loud = |error| Missing { error, silent: false };
    let url = parts.sources.release(package).map_err(loud)?;
    let accept = "application/vnd.github+json";
    let answer = match parts.fetcher.api(url, accept, limits::RELEASE_PAGE).await {
        Err(error) if error.is_not_found() => return Ok(None),
        done => done.map_err(Missing::of)?,
    };
    let release: Release = serde_json::from_slice(&answer).map_err(|error| {
        let text = format!("the release of {package} cannot be read; nothing was installed");
        loud(Error::new(Reason::FetchFailed, text).caused_by(error))
    })?;
    let asset = release.assets.into_iter().find(|asset| asset.name == ARCHIVE);
    let Some(asset) = asset else { return Ok(None) };
    let url = parts.sources.asset(package, asset.id).map_err(loud)?;
    match parts.fetcher.asset(url, watched).await {
        Err(error) if error.is_not_found() => Ok(None),
        done => done.map(Some).map_err(Missing::of),
    }
}

/// The files of the installed connector of that name and version, the one installed last.
async fn stored(parts: &Parts, package: &PackageRef) -> Result<Option<ConnectorFiles>> {
    let records = parts.store.records().await?;
    match records.into_iter().rfind(|record| record.package == *package) {
        Some(record) => parts.store.files(record.hash).await,
        None => Ok(None),
    }
}
