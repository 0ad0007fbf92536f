//! What leaves the vault on purpose, and the ways back in when a passphrase or a machine is lost.
//!
//! Everything else about credentials is *use*, never *read* ([`vault`](crate::vault)). Here are
//! the exceptions, each behind a right of its own and each recorded.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use crate::{Context, Result, Secret, names::Login, vault::Status};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Custody>;

/// Logins that are handed out as they are, recovery keys, and copies of a whole vault.
#[async_trait]
pub trait Custody: Send + Sync + 'static {
    /// Stores a login, replacing an earlier one.
    async fn put_login(&self, context: &Context, login: Login, value: LoginValue) -> Result<()>;

    /// Deletes a login; `not_found` when there is none. Needs the vault unlocked.
    async fn delete_login(&self, context: &Context, login: Login) -> Result<()>;

    /// The login as it was stored: the one plaintext that leaves the vault. Recorded before it is
    /// handed out; when that cannot be recorded, it is not.
    async fn export_login(&self, context: &Context, login: Login) -> Result<LoginValue>;

    /// Makes a recovery key, shown once: a second way into the vault, in a form for paper. An
    /// earlier one stops working.
    async fn add_recovery_key(&self, context: &Context) -> Result<Secret>;

    /// The vault's recovery key opens it no longer; `not_found` when there is none.
    async fn remove_recovery_key(&self, context: &Context) -> Result<Status>;

    /// Opens the vault with its recovery key and gives it a new passphrase; leaves it unlocked.
    /// All person sessions end. The same line as with passphrases. The key stays good.
    async fn recover(&self, context: &Context, recovery: Recovery) -> Result<Status>;

    /// The whole vault in one file, encrypted and authenticated under a passphrase of its own.
    async fn export(&self, context: &Context, passphrase: Secret) -> Result<Exported>;

    /// Takes over what such a file holds: all of it, or nothing. Entries that are there already
    /// with another value or other labels are a conflict (`import_conflict`) unless they are to be
    /// replaced. Bindings keep the consent they were exported with.
    async fn import(&self, context: &Context, import: Import) -> Result<Imported>;
}

/// A login's bytes, and what may be listed about it.
#[derive(Debug)]
pub struct LoginValue {
    pub value: Secret,
    /// Such as `oauth_refresh_token` or `api_key`; may be empty.
    pub kind: String,
    pub environment: String,
    pub labels: BTreeMap<String, String>,
}

/// A recovery key as a person typed it, and the passphrase from now on.
#[derive(Debug)]
pub struct Recovery {
    pub key: Secret,
    pub new: Secret,
}

/// A vault in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Sealed: of no use without its passphrase.
    pub file: Vec<u8>,
    pub entries: u64,
}

/// A vault from a file.
#[derive(Debug)]
pub struct Import {
    pub file: Vec<u8>,
    /// The one it was exported with.
    pub passphrase: Secret,
    /// Let the file win where both have an entry.
    pub replace: bool,
}

/// What an import changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    pub added: u64,
    pub replaced: u64,
    pub unchanged: u64,
}
