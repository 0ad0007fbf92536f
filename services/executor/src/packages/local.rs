//! Packages of the person's own disk. Whoever may install lays one down here; for a while,
//! previews and installations of that very name and version take it instead of a release. It is
//! checked as a release is: the same files, the same signatures, the same names.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Error, Reason, Result, Timestamp, limits,
    names::{Fqn, PackageRef, Scheme, Sha256Hash},
    packages::{LocalFiles, LocalPackage, PackageKind},
};

use super::{
    Parts, blocking,
    tarball::{ActionFiles, ConnectorFiles},
};
use crate::formats::{
    action, manifest,
    package::{ACTION, MANIFEST},
};

mod unpack;

/// What lies ready. Cheap to clone; ends with the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf(Arc<Mutex<VecDeque<Laid>>>);

#[derive(Debug)]
struct Laid {
    package: PackageRef,
    files: Files,
    until: Timestamp,
}

/// The files of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Files {
    Connector(ConnectorFiles),
    Action(ActionFiles),
}

impl Files {
    fn size(&self) -> usize {
        match self {
            Self::Connector(files) => files.binary.len().saturating_add(files.manifest.len()),
            Self::Action(files) => files.action.len(),
        }
    }
}

impl Shelf {
    pub(super) fn connector(&self, package: &PackageRef, now: Timestamp) -> Option<ConnectorFiles> {
        self.find(package, now).into_iter().find_map(|files| match files {
            Files::Connector(files) => Some(files),
            Files::Action(_) => None,
        })
    }

    pub(super) fn action(&self, package: &PackageRef, now: Timestamp) -> Option<ActionFiles> {
        self.find(package, now).into_iter().find_map(|files| match files {
            Files::Action(files) => Some(files),
            Files::Connector(_) => None,
        })
    }

    fn find(&self, package: &PackageRef, now: Timestamp) -> Option<Files> {
        let mut laid = self.laid();
        laid.retain(|it| now < it.until);
        laid.iter().find(|it| it.package == *package).map(|it| it.files.clone())
    }

    /// Lays files down; they replace those of the same name and version, and the oldest go when
    /// there are too many.
    fn put(&self, package: PackageRef, files: Files, now: Timestamp) {
        let mut laid = self.laid();
        laid.retain(|it| now < it.until && it.package != package);
        let until = now.checked_add(limits::LOCAL_WALL).unwrap_or(now);
        laid.push_front(Laid { package, files, until });
        let mut bytes = 0_usize;
        let fitting = laid.iter().take(limits::LOCAL_PACKAGES).take_while(|it| {
            bytes = bytes.saturating_add(it.files.size());
            bytes <= limits::LOCAL_SHELF
        });
        let keep = fitting.count();
        laid.truncate(keep);
    }

    fn laid(&self) -> MutexGuard<'_, VecDeque<Laid>> {
        // Each change is one operation: a panic elsewhere leaves nothing half done here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lays a person's files down and says what they are.
pub(super) async fn bring(parts: &Parts, given: LocalFiles) -> Result<LocalPackage> {
    let (files, found) = blocking(move || {
        let files = unpack::files(given)?;
        let found = identify(&files)?;
        Ok::<_, Error>((files, found))
    })
    .await??;
    allowed(&found, &files)?;
    parts.local.put(found.package.clone(), files, (parts.clock)());
    Ok(found)
}

fn identify(files: &Files) -> Result<LocalPackage> {
    Ok(match files {
        Files::Connector(files) => LocalPackage {
            package: manifest::parse(&files.manifest, MANIFEST)?.package,
            kind: PackageKind::Connector,
            hash: Sha256Hash::of(&[&files.binary, &files.manifest]),
        },
        Files::Action(files) => LocalPackage {
            package: action::parse(&files.action, ACTION)?.source,
            kind: PackageKind::Action,
            hash: Sha256Hash::of(&[&files.action]),
        },
    })
}

/// Whose name may such files carry? Their own maker's, or a publisher's who signed them.
fn allowed(found: &LocalPackage, files: &Files) -> Result<()> {
    let fqn = &found.package.fqn;
    if fqn.scheme() == Scheme::Local {
        return local_name(fqn, found.kind);
    }
    if matches!(files, Files::Action(ActionFiles { signature: None, .. })) {
        let text = format!(
            "the action says it is {}, and nobody signed it: from your own disk it can only be \
             installed as source = \"local://user/<name>@<version>\", or with its publisher's \
             signature.sig beside it",
            found.package
        );
        return Err(Error::new(Reason::SignatureFailure, text));
    }
    Ok(())
}

fn local_name(fqn: &Fqn, kind: PackageKind) -> Result<()> {
    let whole = kind == PackageKind::Action || fqn.subpath().is_empty();
    if fqn.owner() == "user" && whole {
        return Ok(());
    }
    let text = format!(
        "{fqn} is no name for a local {kind}: a connector is local://user/<name>, an action \
         local://user/<name>/<action>"
    );
    Err(Error::new(Reason::InvalidFqn, text))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn package(number: usize) -> PackageRef {
        format!("local://user/x{number}@1.0.0").parse().unwrap()
    }

    fn action(size: usize) -> Files {
        Files::Action(ActionFiles { action: Bytes::from(vec![b'x'; size]), signature: None })
    }

    #[test]
    fn what_lies_ready_goes_after_a_while_and_the_oldest_first() {
        let (shelf, now) = (Shelf::default(), Timestamp::UNIX_EPOCH);
        for number in 0..=limits::LOCAL_PACKAGES {
            shelf.put(package(number), action(1), now);
        }
        assert!(shelf.action(&package(0), now).is_none());
        assert!(shelf.action(&package(1), now).is_some());
        assert!(shelf.connector(&package(1), now).is_none());
        let later = now.checked_add(limits::LOCAL_WALL).unwrap();
        assert!(shelf.action(&package(1), later).is_none());
    }

    #[test]
    fn what_lies_ready_is_bounded_and_the_last_one_counts() {
        let (shelf, now) = (Shelf::default(), Timestamp::UNIX_EPOCH);
        shelf.put(package(1), action(limits::LOCAL_SHELF), now);
        shelf.put(package(2), action(1), now);
        assert!(shelf.action(&package(1), now).is_none());
        shelf.put(package(2), action(2), now);
        assert_eq!(shelf.action(&package(2), now).unwrap().action.len(), 2);
    }
}
