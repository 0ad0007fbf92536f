//! Which version is the newest, and whether connectors in use are behind it.

use std::collections::{BTreeMap, BTreeSet};

use aileron_contract::{
    Error, Reason, Result, limits,
    names::{Authority, Fqn, PackageRef, Scheme, Version},
    packages::{Newer, Update},
};
use futures::{StreamExt as _, stream};

use super::{Parts, catalog::Catalog, releases::listing};

/// The newest published version of a package.
pub(super) async fn newest(parts: &Parts, fqn: Fqn, prereleases: bool) -> Result<PackageRef> {
    let versions = parts.releases.versions(&fqn).await?;
    if let Some(version) = offered(&versions, prereleases).next() {
        return Ok(PackageRef { version: version.clone(), fqn });
    }
    let text = match versions.first() {
        Some(newest) => format!(
            "{fqn} has published pre-releases only ({}): name the one you want, like {fqn}@{newest}",
            listing::some(&versions)
        ),
        None => format!("{fqn} has published no version: check the name"),
    };
    let details = serde_json::json!({ "retriable": false });
    Err(Error::new(Reason::FetchFailed, text).with_details(details))
}

/// Every connector that is installed or that an installed action names, and what is newer.
pub(super) async fn updates(
    parts: &Parts,
    catalog: &Catalog,
    prereleases: bool,
) -> Result<Vec<Update>> {
    let mut repositories: BTreeMap<Authority, BTreeSet<PackageRef>> = BTreeMap::new();
    for connector in in_use(parts, catalog).await? {
        repositories.entry(connector.fqn.authority()).or_default().insert(connector);
    }
    let looked = repositories.into_values().map(|connectors| look(parts, connectors, prereleases));
    let mut updates: Vec<Update> =
        stream::iter(looked).buffer_unordered(limits::RELEASE_FETCHES).concat().await;
    updates.sort_by(|a, b| a.connector.cmp(&b.connector));
    Ok(updates)
}

async fn in_use(parts: &Parts, catalog: &Catalog) -> Result<BTreeSet<PackageRef>> {
    let installed = parts.store.records().await?.into_iter().map(|record| record.package);
    let actions = catalog.list().await?.items;
    let named = actions.into_iter().flat_map(|action| action.requires).map(|it| it.package);
    Ok(installed.chain(named).collect())
}

/// The connectors of one repository: its releases are asked for once.
async fn look(parts: &Parts, connectors: BTreeSet<PackageRef>, prereleases: bool) -> Vec<Update> {
    let Some(first) = connectors.first() else { return Vec::new() };
    // What is on the person's own disk has no releases, and that is no failure.
    let tags = match first.fqn.scheme() {
        Scheme::Local => Ok(Vec::new()),
        _ => parts.releases.tags(&first.fqn).await,
    };
    let found = |connector: PackageRef| {
        let found = match &tags {
            Ok(tags) => newer(&connector, tags, prereleases),
            Err(error) => Newer::Unknown(error.public().to_owned()),
        };
        Update { connector, found }
    };
    connectors.into_iter().map(found).collect()
}

fn newer(connector: &PackageRef, tags: &[String], prereleases: bool) -> Newer {
    let versions = listing::versions(tags, connector.fqn.subpath());
    let newest = offered(&versions, prereleases).next().cloned();
    let newer = offered(&versions, prereleases).filter(|version| **version > connector.version);
    Newer::Known { newest, newer: newer.cloned().collect() }
}

/// A pre-release is one by its version, not by what its release page says: publishers mark every
/// release of an action as one.
fn offered(versions: &[Version], prereleases: bool) -> impl Iterator<Item = &Version> {
    versions.iter().filter(move |version| prereleases || !version.is_prerelease())
}
