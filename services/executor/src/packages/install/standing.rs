//! What already stands where an action would be installed.

use std::{io, path::PathBuf};

use aileron_contract::{
    Error, Reason, Result, limits,
    names::{ActionName, Sha256Hash},
    packages::{ActionRequest, ExistingAction},
};
use aileron_store::files;

use crate::{
    formats::action::{self, ActionFile},
    packages::{Parts, blocking, catalog::Catalog, journal},
};

#[derive(Debug)]
pub(in crate::packages) enum Standing {
    Nothing,
    /// The very bytes; `pinned` when they are also what a person installed.
    Same {
        path: PathBuf,
        pinned: bool,
    },
    /// Another file of that name.
    Other {
        path: PathBuf,
        hash: Sha256Hash,
        file: Box<ActionFile>,
    },
    /// A file in its place that is no action of that name.
    Foreign {
        path: PathBuf,
        readable: bool,
    },
    /// Another file elsewhere that declares the name.
    Elsewhere {
        path: PathBuf,
    },
}

/// Looks at the place of the action `name`, whose bytes hash to `hash`.
pub(in crate::packages) async fn of(
    parts: &Parts,
    catalog: &Catalog,
    name: &ActionName,
    hash: Sha256Hash,
) -> Result<Standing> {
    let path = journal::action_path(&parts.home, name);
    let known = catalog.get(name).await?;
    if let Some(known) = &known {
        let pinned = known.pinned == Some(true);
        if known.hash == hash {
            return Ok(Standing::Same { path: known.path.clone(), pinned });
        }
        if known.path != path {
            return Ok(Standing::Elsewhere { path: known.path.clone() });
        }
    }
    let (place, name) = (path.clone(), name.clone());
    blocking(move || {
        let most = u64::try_from(limits::ACTION_FILE).unwrap_or(u64::MAX);
        let bytes = match files::read_bounded(&place, most) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Standing::Nothing,
            Err(_) => return Standing::Foreign { path: place, readable: false },
        };
        let found = Sha256Hash::of(&[&bytes]);
        if found == hash {
            return Standing::Same { path: place, pinned: false };
        }
        match action::parse(&bytes, "action.md") {
            Ok(file) if file.name == name => {
                Standing::Other { path: place, hash: found, file: Box::new(file) }
            }
            Ok(_) => Standing::Foreign { path: place, readable: true },
            Err(_) => Standing::Foreign { path: place, readable: false },
        }
    })
    .await
}

impl Standing {
    /// These bytes, as a person installed them.
    pub(in crate::packages) fn is_installed(&self) -> bool {
        matches!(self, Self::Same { pinned: true, .. })
    }

    /// Nothing has to be written: the bytes are there.
    pub(super) fn is_in_place(&self) -> bool {
        matches!(self, Self::Same { .. })
    }

    pub(in crate::packages) fn existing(&self) -> Option<ExistingAction> {
        let Self::Other { path, hash, file } = self else { return None };
        let path = path.display().to_string();
        Some(ExistingAction { source: file.source.clone(), hash: *hash, path })
    }

    pub(super) fn path(&self, parts: &Parts, name: &ActionName) -> String {
        match self {
            Self::Same { path, .. } => path.display().to_string(),
            _ => journal::action_path(&parts.home, name).display().to_string(),
        }
    }

    /// Refuses to replace what the request may not replace. A name is never taken over from
    /// another publisher.
    pub(super) fn allow(&self, request: &ActionRequest, new: &ActionFile) -> Result<()> {
        let exists = |text: String| Err(Error::new(Reason::ActionExists, text));
        match self {
            Self::Nothing | Self::Same { .. } => Ok(()),
            Self::Other { path, file, .. } => {
                let owner = file.source.fqn.authority().owner();
                if owner != new.source.fqn.authority().owner() {
                    return exists(format!(
                        "the action {} is {owner}'s and cannot be taken over by {}: remove {} \
                         first if that is what you want",
                        new.name,
                        new.source.fqn,
                        path.display()
                    ));
                }
                if request.force {
                    return Ok(());
                }
                exists(format!(
                    "another version of the action {} is installed ({}): install with force to \
                     replace it",
                    new.name, file.source
                ))
            }
            Self::Foreign { path, readable } => {
                if request.force && !readable {
                    return Ok(());
                }
                exists(format!(
                    "{} stands in the way and is not the action {}: move it away first",
                    path.display(),
                    new.name
                ))
            }
            Self::Elsewhere { path } => exists(format!(
                "{} already declares the action {}: move it away first",
                path.display(),
                new.name
            )),
        }
    }
}
