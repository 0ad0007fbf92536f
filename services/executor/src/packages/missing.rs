//! What action files ask for and is not there, and installing it. Action files are read, never
//! written.

use std::collections::{BTreeMap, BTreeSet};

use aileron_contract::{
    Context, Error, Result,
    names::{ActionName, PackageRef, Sha256Hash},
    packages::{
        ConnectorRequest, InstallFailure, InstalledConnector, MissingConnector, Needs, Synced,
    },
};

use super::{Parts, catalog::Catalog, install};

/// A connector that action files ask for.
pub(super) struct Required {
    pub(super) package: PackageRef,
    pub(super) hash: Sha256Hash,
    pub(super) needed_by: BTreeSet<ActionName>,
    /// Is one of those accepted as it is?
    pub(super) accepted: bool,
}

/// What all action files ask for.
pub(super) struct Requirements {
    actions: usize,
    unreadable: usize,
    /// Sorted by package.
    pub(super) connectors: Vec<Required>,
}

/// Reads the action files, whether persons accepted them or not.
pub(super) async fn required(catalog: &Catalog) -> Result<Requirements> {
    let files = catalog.files().await?;
    let mut connectors: BTreeMap<(PackageRef, Sha256Hash), Required> = BTreeMap::new();
    for (parsed, accepted) in &files.read {
        for needed in &parsed.file.requires {
            let key = (needed.package.clone(), needed.hash);
            let required = connectors.entry(key).or_insert_with(|| Required {
                package: needed.package.clone(),
                hash: needed.hash,
                needed_by: BTreeSet::new(),
                accepted: false,
            });
            required.needed_by.insert(parsed.file.name.clone());
            required.accepted |= accepted;
        }
    }
    Ok(Requirements {
        actions: files.read.len(),
        unreadable: files.unreadable,
        connectors: connectors.into_values().collect(),
    })
}

/// What is asked for, what of it is there, and what is not.
pub(super) async fn needs(parts: &Parts, catalog: &Catalog) -> Result<Needs> {
    let Requirements { actions, unreadable, connectors } = required(catalog).await?;
    let mut needs = Needs {
        actions: u64::try_from(actions).map_err(Error::internal)?,
        unreadable: u64::try_from(unreadable).map_err(Error::internal)?,
        ..Needs::default()
    };
    let mut unbound = BTreeMap::new();
    for required in connectors {
        needs.required.push(required.package.clone());
        if !is_present(parts, &required).await? {
            needs.missing.push(MissingConnector {
                package: required.package,
                hash: required.hash,
                needed_by: required.needed_by.into_iter().collect(),
                accepted: required.accepted,
            });
            continue;
        }
        if let Some(lacks) = install::lacking(parts, required.hash).await? {
            unbound.insert((lacks.connector.clone(), lacks.kind), lacks);
        }
        needs.present.push(required.package);
    }
    // A version may be asked for under two hashes.
    needs.required.dedup();
    needs.present.dedup();
    needs.unbound = unbound.into_values().collect();
    Ok(needs)
}

/// Installs what is missing, or those among it with one of these hashes. Whoever calls has
/// consented to each. One that fails does not stop the others.
pub(super) async fn sync(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    only: Option<Vec<Sha256Hash>>,
) -> Result<Synced> {
    let wanted = |hash: &Sha256Hash| only.as_ref().is_none_or(|only| only.contains(hash));
    let before = needs(parts, catalog).await?;
    let (mut installed, mut failures) = (Vec::new(), Vec::new());
    for missing in before.missing.into_iter().filter(|missing| wanted(&missing.hash)) {
        let MissingConnector { package, hash, .. } = missing;
        match one(parts, context, package.clone(), hash).await {
            Ok(done) => installed.push(done),
            Err(error) => {
                failures.push(InstallFailure { package, error: error.public().to_owned() });
            }
        }
    }
    Ok(Synced { installed, failures, needs: needs(parts, catalog).await? })
}

async fn one(
    parts: &Parts,
    context: &Context,
    package: PackageRef,
    hash: Sha256Hash,
) -> Result<InstalledConnector> {
    let request = ConnectorRequest { package, expected_hash: Some(hash) };
    let found = install::find_connector(parts, request).await?;
    install::install_connector(parts, context, found).await
}

/// Is it installed, under this name, and whole?
async fn is_present(parts: &Parts, required: &Required) -> Result<bool> {
    let Some(record) = parts.store.record(required.hash).await? else { return Ok(false) };
    Ok(record.package == required.package && parts.store.files(required.hash).await?.is_some())
}
