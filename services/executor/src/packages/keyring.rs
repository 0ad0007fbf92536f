//! Trusted publisher keys: `keyring.json`, believed only while it is what persons made it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use aileron_contract::{
    Error, Reason, Result, Timestamp,
    audit::{self, EventKind},
    limits,
    names::{Authority, Sha256Hash},
    publishers::TrustedKey,
};
use aileron_store::files;

use super::{
    blocking,
    keys::{self, Key},
    pins::{Kind, Pins, Row},
};
use crate::quarantine::Quarantine;

mod file;
pub use file::{Keys, parse};

/// The keyring's file and its pin. Read anew at every use: other programs may write it.
#[derive(Clone, Debug)]
pub(super) struct KeyringFile {
    path: PathBuf,
    pins: Pins,
    quarantine: Quarantine,
    /// Believed besides the file's, for as long as this value lives.
    also: Arc<KeyMap>,
}

/// What the file says, and whether to believe it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) keys: Keys,
    /// None while the vault is locked.
    pub(super) verified: Option<bool>,
}

impl KeyringFile {
    pub(super) fn new(home: &Path, pins: Pins, audit: audit::Handle) -> Self {
        let quarantine = Quarantine::new(audit);
        Self { path: home.join("keyring.json"), pins, quarantine, also: Arc::default() }
    }

    /// The same, with keys that are not trusted yet: to find out whether a package verifies.
    pub(super) fn supposing(&self, keys: KeyMap) -> Self {
        Self { also: Arc::new(keys), ..self.clone() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is, with its verdict. `validation_error` when it cannot be read. The log is
    /// told of a file that somebody else wrote.
    pub(super) async fn look(&self) -> Result<Seen> {
        let seen = self.seen().await;
        let foreign = match &seen {
            Ok(Seen { keys, verified: Some(false) }) => Some(keys.text()),
            Err(error) if error.reason() == Reason::ValidationError => Some(error.to_string()),
            Ok(_) | Err(_) => None,
        };
        if let Some(text) = foreign {
            let state = Sha256Hash::of(&[text.as_bytes()]);
            let path = self.path.display().to_string();
            let tell = |event: audit::Event| event.with("aileron.keyring.path", path);
            self.quarantine.tell(EventKind::KeyringQuarantined, state, tell).await;
        }
        seen
    }

    async fn seen(&self) -> Result<Seen> {
        let keys = self.read().await?;
        let found = self.pins.find(Kind::Keyring, "").await?;
        let verified = match found.row {
            Some(row) if row.record == keys.text() => self.pins.verdict(&row).await?,
            Some(_) => Some(false),
            // Nobody trusted anything yet: only an empty file says the same. Or the record was
            // taken away: then nothing does.
            None => Some(keys.is_empty() && !found.named),
        };
        Ok(Seen { keys, verified })
    }

    /// The keys that may verify packages of `authority`; fails closed.
    pub(super) async fn trusted(&self, authority: &Authority) -> Result<BTreeSet<Key>> {
        let seen = self.look().await?;
        match seen.verified {
            Some(true) => {}
            Some(false) => return Err(unverified(&self.path)),
            None => {
                let text = "the vault is locked, and only it can tell whether the keyring is the \
                            one you made: unlock it first (aileron vault unlock)";
                return Err(Error::new(Reason::VaultLocked, text));
            }
        }
        let mut keys = seen.keys.of(authority);
        keys.extend(self.also.get(authority).into_iter().flatten());
        if keys.is_empty() {
            let local = authority.as_str().starts_with("local://");
            let from = if local { " --key-file keys/publisher.pub" } else { "" };
            let text = format!(
                "no signing key registered for authority \"{authority}\": trust its publisher \
                 first (aileron keyring trust {authority}{from})"
            );
            return Err(Error::new(Reason::SignatureFailure, text));
        }
        Ok(keys)
    }

    /// The fingerprint of the trusted key that signed `message` for `authority`.
    pub(super) async fn signer(
        &self,
        authority: &Authority,
        message: Vec<u8>,
        signature: [u8; 64],
    ) -> Result<String> {
        let trusted = self.trusted(authority).await?;
        let found =
            blocking(move || keys::signer(&trusted, &message, &signature).map(keys::fingerprint))
                .await?;
        found.ok_or_else(|| {
            let text = format!(
                "signature does not verify against any key registered for authority \
                 \"{authority}\": the package was not signed by the publisher you trust, or the \
                 publisher changed keys; nothing was installed"
            );
            Error::new(Reason::SignatureFailure, text)
        })
    }

    /// What to change: the file's keys when they are believed, else the last ones that were.
    /// With the second, the file is not ours and must be set aside.
    pub(super) async fn base(&self) -> Result<(Keys, bool)> {
        let foreign = match self.look().await {
            Ok(Seen { keys, verified: Some(true) }) => return Ok((keys, false)),
            Ok(Seen { verified: None, .. }) => {
                let text = "the vault is locked: unlock it before changing whom you trust";
                return Err(Error::new(Reason::VaultLocked, text));
            }
            Ok(_) => true,
            Err(error) if error.reason() == Reason::ValidationError => true,
            Err(error) => return Err(error),
        };
        let row = self.pins.find(Kind::Keyring, "").await?.row;
        let Some(row) = row else { return Ok((Keys::default(), foreign)) };
        if self.pins.verdict(&row).await? != Some(true) {
            return Ok((Keys::default(), foreign));
        }
        Ok((parse(row.record.as_bytes())?, foreign))
    }

    /// The row that makes `keys` the believed ones, with the file still to be written.
    pub(super) async fn seal(&self, keys: &Keys) -> Result<Row> {
        let text = keys.text();
        let row = self.pins.seal(Kind::Keyring, String::new(), text.clone()).await?;
        Ok(row.staging(text.as_bytes()))
    }

    /// Keeps a file somebody else changed, out of the way.
    pub(super) async fn set_aside(&self, now: Timestamp) -> Result<()> {
        let path = self.path.clone();
        let stamp = now.strftime("%Y%m%dT%H%M%SZ");
        let aside = path.with_file_name(format!("keyring.json.unverified-{stamp}"));
        let moved = blocking(move || match std::fs::rename(path, aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        });
        moved.await?.map_err(|cause| {
            let text = format!("{} could not be moved aside", self.path.display());
            Error::new(Reason::StoreUnwritable, text).caused_by(cause)
        })
    }

    async fn read(&self) -> Result<Keys> {
        let path = self.path.clone();
        match blocking(move || files::read_regular(&path, limits::KEYRING_FILE)).await? {
            Ok(bytes) => parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Keys::default()),
            Err(cause) => {
                let text = format!(
                    "the keyring {} cannot be read: check that it is yours",
                    self.path.display()
                );
                Err(Error::new(Reason::StoreUnreadable, text).caused_by(cause))
            }
        }
    }
}

/// Keys as lists show them, sorted by authority.
pub(super) fn shown(keys: &Keys) -> Vec<TrustedKey> {
    keys.iter()
        .map(|(authority, key)| TrustedKey {
            authority: authority.clone(),
            key: *key,
            fingerprint: keys::fingerprint(key),
        })
        .collect()
}

fn unverified(path: &Path) -> Error {
    let text = format!(
        "{} is not the keyring you made: something else changed it, so none of its keys is used. \
         Look at it with `aileron keyring list`, then trust each publisher you know again with \
         `aileron keyring trust`: that writes a fresh keyring and keeps the changed file beside it",
        path.display()
    );
    Error::new(Reason::Quarantined, text)
}

pub(super) type KeyMap = BTreeMap<Authority, BTreeSet<Key>>;
