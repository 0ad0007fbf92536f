//! What already stands where an action would be installed.

use std::{
    io,
    path::{Path, PathBuf},
};

use aileron_contract::{
    Error, Reason, Result, limits,
    names::{ActionName, Fqn, Sha256Hash},
    packages::{ActionRequest, ExistingAction},
};
use aileron_store::files;

use crate::{
    formats::{
        action::{self, ActionFile},
        package,
    },
    packages::{
        Parts, blocking,
        catalog::Installed,
        journal,
        pins::{Kind, Part},
        records::ActionRecord,
    },
};

#[derive(Debug)]
pub(in crate::packages) enum Standing {
    /// No file.
    Nothing {
        /// What a person installed there all the same.
        installed: Option<Box<Before>>,
    },
    /// The very bytes, as a person installed them.
    Installed { path: PathBuf },
    /// The very bytes, put there otherwise.
    Same { path: PathBuf, installed: Option<Box<Before>> },
    /// Another file of that name.
    Other {
        path: PathBuf,
        hash: Sha256Hash,
        file: Box<ActionFile>,
        /// What a person installed there, whatever the file says now.
        installed: Option<Box<Before>>,
    },
    /// A file in its place that is no action of that name.
    Foreign { path: PathBuf, readable: bool, installed: Option<Box<Before>> },
    /// Another file elsewhere that declares the name.
    Elsewhere { path: PathBuf },
}

/// What the log says a person installed.
#[derive(Debug)]
pub(in crate::packages) struct Before {
    record: ActionRecord,
    /// Each of its calls waited for a person. Known by the text that was accepted.
    gated: bool,
}

/// Looks at the place of the action `name`, whose bytes hash to `hash`, beside the installed action
/// that is known to declare the name, if one is.
pub(super) async fn of(
    parts: &Parts,
    known: Option<&Installed>,
    name: &ActionName,
    hash: Sha256Hash,
) -> Result<Standing> {
    let path = journal::action_path(&parts.home, name);
    if let Some(known) = known {
        if known.hash == hash && known.pinned == Some(true) {
            return Ok(Standing::Installed { path: known.path.clone() });
        }
        if known.hash != hash && known.path != path {
            return Ok(Standing::Elsewhere { path: known.path.clone() });
        }
    }
    let installed = before(parts, name).await?.map(Box::new);
    if let Some(known) = known.filter(|known| known.hash == hash) {
        return Ok(Standing::Same { path: known.path.clone(), installed });
    }
    let (place, name) = (path, name.clone());
    blocking(move || {
        let most = u64::try_from(limits::ACTION_FILE).unwrap_or(u64::MAX);
        let bytes = match files::read_own(&place, most) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Standing::Nothing { installed };
            }
            Err(_) => return Standing::Foreign { path: place, readable: false, installed },
        };
        let found = Sha256Hash::of(&[&bytes]);
        if found == hash {
            return Standing::Same { path: place, installed };
        }
        match action::parse(&bytes, package::ACTION) {
            Ok(file) if file.name == name => {
                Standing::Other { path: place, hash: found, file: Box::new(file), installed }
            }
            Ok(_) => Standing::Foreign { path: place, readable: true, installed },
            Err(_) => Standing::Foreign { path: place, readable: false, installed },
        }
    })
    .await
}

/// What the log says a person installed under this name. A record that is not the runtime's own
/// says nothing.
async fn before(parts: &Parts, name: &ActionName) -> Result<Option<Before>> {
    let judged = parts.pins.judge(Kind::Action, name.as_str()).await?;
    let Some(row) = judged.row.filter(|_| judged.verdict != Some(false)) else { return Ok(None) };
    let Some(record) = ActionRecord::of(&row) else { return Ok(None) };
    let text = parts.pins.text(&row, Part::File).await?;
    blocking(move || {
        // A text that is not the one that was accepted says nothing.
        let text = text.filter(|text| Sha256Hash::of(&[text]) == record.hash);
        let file = text.and_then(|text| action::parse(&text, package::ACTION).ok());
        Some(Before { gated: file.is_some_and(|file| file.gated()), record })
    })
    .await
}

impl Standing {
    /// These bytes, as a person installed them.
    pub(in crate::packages) fn is_installed(&self) -> bool {
        matches!(self, Self::Installed { .. })
    }

    /// Nothing has to be written: the bytes are there.
    pub(super) fn is_in_place(&self) -> bool {
        matches!(self, Self::Installed { .. } | Self::Same { .. })
    }

    pub(in crate::packages) fn existing(&self) -> Option<ExistingAction> {
        let Self::Other { path, hash, file, installed } = self else { return None };
        Some(ExistingAction {
            source: file.source.clone(),
            hash: *hash,
            path: path.display().to_string(),
            signer: installed.as_ref().and_then(|before| before.record.signer.clone()),
        })
    }

    /// Did calls wait for a person so far, and would not any more? What stands there now is
    /// nobody's word: an edit does not take a gate away unseen.
    pub(in crate::packages) fn loses_approval(&self, new: &ActionFile) -> bool {
        let (installed, edited) = match self {
            Self::Installed { .. } | Self::Elsewhere { .. } => return false,
            Self::Other { installed, file, .. } => (installed, file.gated()),
            Self::Nothing { installed }
            | Self::Same { installed, .. }
            | Self::Foreign { installed, .. } => (installed, false),
        };
        !new.gated() && (edited || installed.as_ref().is_some_and(|before| before.gated))
    }

    pub(super) fn path(&self, parts: &Parts, name: &ActionName) -> String {
        match self {
            Self::Installed { path } | Self::Same { path, .. } => path.display().to_string(),
            _ => journal::action_path(&parts.home, name).display().to_string(),
        }
    }

    /// Refuses to replace what the request may not replace. A name is never taken over: force
    /// replaces another version of the same action, and nothing else.
    pub(super) fn allow(&self, request: &ActionRequest, new: &ActionFile) -> Result<()> {
        let exists = |text: String| Err(Error::new(Reason::ActionExists, text));
        match self {
            Self::Installed { .. } | Self::Same { .. } => Ok(()),
            // The file is gone, and the name is not free for that: anybody could delete it.
            Self::Nothing { installed } => match installed {
                Some(before) if before.record.source.fqn != new.source.fqn => exists(format!(
                    "the name {} belongs to {}, whose file is gone: let that go first (aileron \
                     action accept {})",
                    new.name, before.record.source.fqn, new.name
                )),
                Some(_) | None => Ok(()),
            },
            Self::Other { path, file, installed, .. } => {
                // What the file says now is nobody's word; what was installed there is.
                let source =
                    installed.as_ref().map_or(&file.source, |before| &before.record.source);
                taken_over(path, &source.fqn, new)?;
                if request.force {
                    return Ok(());
                }
                exists(format!(
                    "another version of the action {} is installed ({}): install with force to \
                     replace it",
                    new.name, file.source
                ))
            }
            Self::Foreign { path, readable, installed } => {
                if let Some(before) = installed {
                    taken_over(path, &before.record.source.fqn, new)?;
                }
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

fn taken_over(path: &Path, owner: &Fqn, new: &ActionFile) -> Result<()> {
    if *owner == new.source.fqn {
        return Ok(());
    }
    let text = format!(
        "the name {} belongs to {owner} and is not taken over by {}, not even with force: if that \
         is what you want, move {} away first and let the name go (aileron action accept {})",
        new.name,
        new.source.fqn,
        path.display(),
        new.name
    );
    Err(Error::new(Reason::ActionExists, text))
}
