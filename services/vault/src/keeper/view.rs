//! The vault at one moment.

use std::sync::Arc;

use aileron_contract::{
    Error, Reason, Result,
    vault::{State, Status},
};

use super::opened::Opened;
use crate::{
    disk::Print,
    file::{FileError, VaultFile},
    keys::Keys,
    mark::Mark,
};

/// What was last seen of the file, and the keys while it is unlocked. Cheap to clone; keys go when
/// the last view that holds them does.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(super) print: Option<Print>,
    pub(crate) content: Content,
    pub(crate) keys: Option<Arc<Keys>>,
    /// While unlocked: the last state of the file that was held against the keys.
    pub(super) accepted: Option<Arc<Mark>>,
    /// What egress asked of this file with these keys.
    pub(crate) opened: Arc<Opened>,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Missing,
    Refused(FileError),
    Ready(Arc<VaultFile>),
}

impl View {
    /// Before the file was looked at.
    pub(super) fn nothing() -> Self {
        let content = Content::Missing;
        Self { print: None, content, keys: None, accepted: None, opened: Arc::default() }
    }

    /// A file that cannot be read counts as locked; unlocking says what is wrong with it.
    pub(crate) fn status(&self) -> Status {
        let state = match (&self.content, &self.keys) {
            (Content::Missing, _) => State::Missing,
            (Content::Ready(_), Some(_)) => State::Unlocked,
            _ => State::Locked,
        };
        let file = self.file().ok();
        Status {
            state,
            format: file.as_ref().map(|file| file.format()),
            generation: file.as_ref().and_then(|file| file.generation()),
            recovery_key: file.as_ref().is_some_and(|file| file.has_recovery_key()),
        }
    }

    /// Have the labels been held against the keys, each with its value?
    pub(crate) fn verified(&self) -> bool {
        let sealed = |file: &VaultFile| matches!(file, VaultFile::V2(_));
        self.keys.is_some() && self.file().is_ok_and(|file| sealed(&file))
    }

    pub(crate) fn file(&self) -> Result<Arc<VaultFile>> {
        match &self.content {
            Content::Ready(file) => Ok(Arc::clone(file)),
            Content::Refused(error) => Err(error.clone().into()),
            Content::Missing => Err(Error::new(
                Reason::VaultMissing,
                "there is no vault yet: create one with `aileron vault init`",
            )),
        }
    }

    /// The file and its keys; `vault_locked` without.
    pub(crate) fn unlocked(&self) -> Result<(Arc<VaultFile>, Arc<Keys>)> {
        let file = self.file()?;
        let keys = self.keys.as_ref().map(Arc::clone).ok_or_else(|| {
            Error::new(Reason::VaultLocked, "the vault is locked: unlock it and try again")
        })?;
        Ok((file, keys))
    }
}
