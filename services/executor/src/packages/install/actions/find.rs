//! What is to be installed, found and verified; nothing is written.

use aileron_contract::{
    Error, Reason, Result, executor::Requirement, limits, names::PackageRef,
    packages::ActionRequest,
};
use futures::{StreamExt as _, stream};

use super::bounded;
use crate::packages::{
    Parts,
    catalog::Catalog,
    install::{View, connectors::obtain, standing::Standing},
    verify::{self, Purpose, VerifiedAction, VerifiedConnector},
};

/// An action on its way in, and what it lacks.
pub(super) struct Found {
    pub(super) request: ActionRequest,
    pub(super) action: VerifiedAction,
    /// Connectors that are not installed and that the caller agreed to.
    pub(super) missing: Vec<Requirement>,
}

/// An action on its way in, with the connectors it brings along.
pub(in crate::packages) struct Ready {
    pub(super) request: ActionRequest,
    pub(super) action: VerifiedAction,
    pub(super) connectors: Vec<VerifiedConnector>,
}

/// Actions on their way in, or why they are not; in the order of the requests.
pub(in crate::packages) struct FoundActions(pub(super) Vec<Result<Found>>);

/// Finds and verifies each, without the connectors they lack.
pub(in crate::packages) async fn find_actions(
    parts: &Parts,
    catalog: &Catalog,
    requests: Vec<ActionRequest>,
) -> Result<FoundActions> {
    bounded(&requests)?;
    let view = View::now(parts, catalog).await?;
    let found = stream::iter(requests)
        .map(|request| Box::pin(find(parts, &view, request)))
        .buffered(limits::INSTALL_FETCHES);
    Ok(FoundActions(found.collect().await))
}

/// Finds and verifies one with the connectors it lacks.
pub(in crate::packages) async fn find_action(
    parts: &Parts,
    catalog: &Catalog,
    request: ActionRequest,
) -> Result<Ready> {
    let view = View::now(parts, catalog).await?;
    complete(parts, find(parts, &view, request).await?).await
}

/// Finds and verifies an action, without the connectors it lacks.
async fn find(parts: &Parts, view: &View<'_>, request: ActionRequest) -> Result<Found> {
    let action = verify::action(parts, &request.package, Purpose::Install).await?;
    if let Some(expected) = request.expected_hash.filter(|expected| *expected != action.hash) {
        let text = format!(
            "{} is not what was shown: its hash is {}, and {expected} was agreed to; look at it \
             again before you install it",
            request.package, action.hash
        );
        return Err(Error::new(Reason::HashMismatch, text));
    }
    let standing = view.standing(&action.file.name, action.hash).await?;
    standing.allow(&request, &action.file)?;
    signed(&request, &action, &standing)?;
    let mut missing = Vec::new();
    for required in &action.file.requires {
        match view.connector(required.hash).await? {
            Some(record) if record.package == required.package => {}
            Some(record) => return Err(misnamed(&required.package, &record.package)),
            None => missing.push(required.clone()),
        }
    }
    if !missing.is_empty() && !request.auto_install_connectors {
        return Err(lacks(&request.package, &missing));
    }
    Ok(Found { request, action, missing })
}

/// Finds and verifies the connectors an action lacks.
pub(super) async fn complete(parts: &Parts, found: Found) -> Result<Ready> {
    let Found { request, action, missing } = found;
    let mut connectors = Vec::with_capacity(missing.len());
    for required in missing {
        connectors.push(obtain(parts, &required.package, Some(required.hash)).await?);
    }
    Ok(Ready { request, action, connectors })
}

impl From<Found> for Ready {
    /// One that lacks nothing.
    fn from(Found { request, action, missing: _ }: Found) -> Self {
        Self { request, action, connectors: Vec::new() }
    }
}

/// Refuses what nobody signed, unless the caller agreed to just that. One that is installed has
/// been agreed to.
pub(super) fn signed(
    request: &ActionRequest,
    action: &VerifiedAction,
    standing: &Standing,
) -> Result<()> {
    if action.fingerprint.is_some() || request.accept_unsigned || standing.is_installed() {
        return Ok(());
    }
    let text = format!(
        "{} is not signed: anybody could have written it. Read it, and if you want it all the same, \
         say so (--accept-unsigned, or accept_unsigned in the request); nothing was installed",
        request.package
    );
    Err(Error::new(Reason::ActionUnsigned, text))
}

fn lacks(package: &PackageRef, missing: &[Requirement]) -> Error {
    let details = missing.iter().map(|required| {
        serde_json::json!({
            "name": required.package.fqn.as_str(),
            "version": required.package.version.to_string(),
            "hash": required.hash.to_string(),
        })
    });
    let text = format!(
        "{package} needs {} connector(s) that are not installed: consent to them (auto_install_\
         connectors), or install them first",
        missing.len()
    );
    Error::new(Reason::ConnectorsMissing, text).with_details(details.collect::<Vec<_>>().into())
}

pub(super) fn misnamed(required: &PackageRef, found: &PackageRef) -> Error {
    let text = format!(
        "the action requires {required}, and the connector with the hash it pins is {found}: its \
         publisher has to correct it; nothing was installed"
    );
    Error::new(Reason::FqnMismatch, text)
}
