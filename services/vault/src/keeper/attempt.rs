//! Checking a passphrase: one at a time, at the same cost whatever comes of it, and at a steady
//! pace after failures.

use std::sync::Arc;

use aileron_contract::{Context, Error, Reason, Result, Secret, audit, limits};
use zeroize::Zeroizing;

use super::{Keeper, Turn};
use crate::{
    file::{FileError, UnlockError, VaultFile},
    kdf::Kdf,
    keys::Keys,
    lines::Verdict,
    mark,
    recovery_key::RecoveryKey,
};

/// A file with the keys that a passphrase opened it with.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) file: Arc<VaultFile>,
    pub(crate) keys: Keys,
}

/// What a passphrase or a recovery key came to with a file, and how a wrong one is recorded.
struct Attempt {
    file: Arc<VaultFile>,
    opened: Result<Keys, UnlockError>,
    refused: audit::EventKind,
    /// A person was shown that the file is not the one last used here.
    older: bool,
}

impl Keeper {
    /// Waits for the caller's turn to have a passphrase checked. `unlock_backoff` when too many
    /// like this caller wait already. Whoever goes away meanwhile leaves the line.
    pub(crate) async fn turn(&self, context: &Context) -> Result<Turn> {
        self.gate.turn(context).await
    }

    /// Does this passphrase open the file that is there, and is that the file last seen here?
    /// A wrong one is recorded as `refused` and counted.
    pub(crate) async fn prove(
        &self,
        context: &Context,
        turn: &mut Turn,
        passphrase: Secret,
        refused: audit::EventKind,
    ) -> Result<Proven> {
        bounded(&passphrase)?;
        let file = self.view().await?.file()?;
        let opened = self.opened_with(&file, passphrase, |_, _| Ok(())).await?;
        let attempt = Attempt { file, opened, refused, older: false };
        let proven = self.judge(context, turn, attempt).await?;
        proven.ok_or_else(|| UnlockError::Rejected.into())
    }

    /// The same for a file that is not the one last seen here, with every entry in it.
    pub(super) async fn prove_older(
        &self,
        context: &Context,
        turn: &mut Turn,
        file: Arc<VaultFile>,
        passphrase: Secret,
    ) -> Result<Proven> {
        bounded(&passphrase)?;
        let opened = self.opened_with(&file, passphrase, VaultFile::verify_entries).await?;
        let refused = audit::EventKind::VaultUnlockFailed;
        let attempt = Attempt { file, opened, refused, older: true };
        let proven = self.judge(context, turn, attempt).await?;
        proven.ok_or_else(|| UnlockError::Rejected.into())
    }

    /// The same with the vault's recovery key. There is nothing to derive: such a key is not
    /// guessed.
    pub(crate) async fn prove_recovery(
        &self,
        context: &Context,
        turn: &mut Turn,
        key: &RecoveryKey,
    ) -> Result<Proven> {
        let file = self.view().await?.file()?;
        let opened = file.recover(key);
        let refused = audit::EventKind::VaultUnlockFailed;
        let attempt = Attempt { file, opened, refused, older: false };
        let proven = self.judge(context, turn, attempt).await?;
        proven.ok_or_else(|| {
            Error::new(
                Reason::PassphraseRejected,
                "this is not the vault's recovery key, or the vault has none: a key stops \
                 working when another is made or the vault key is rotated",
            )
        })
    }

    /// The keys that a passphrase opens a file with; `further` looks at more of it.
    async fn opened_with(
        &self,
        file: &Arc<VaultFile>,
        passphrase: Secret,
        further: fn(&VaultFile, &Keys) -> Result<(), UnlockError>,
    ) -> Result<Result<Keys, UnlockError>> {
        let file = Arc::clone(file);
        self.blocking(move |_| {
            let (kdf, salt) = file.challenge();
            let key = passphrase.expose(|text| kdf.derive(text, salt))?;
            let keys = file.unlock(&key)?;
            further(&file, &keys)?;
            Ok(keys)
        })
        .await
    }

    /// What an attempt came to; none when it was not the right secret.
    async fn judge(
        &self,
        context: &Context,
        turn: &mut Turn,
        attempt: Attempt,
    ) -> Result<Option<Proven>> {
        let Attempt { file, opened, refused, older } = attempt;
        match opened {
            Ok(keys) => {
                let mark = mark::read(&self.database).await?;
                if !older && mark.is_some_and(|mark| !mark.admits(&file.seen())) {
                    return Err(FileError::RolledBack.into());
                }
                turn.came_to(Verdict::Right);
                self.touch();
                Ok(Some(Proven { file, keys }))
            }
            Err(UnlockError::Rejected) => {
                turn.came_to(Verdict::Wrong);
                self.refusals.tell(context, refused).await;
                Ok(None)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// A new passphrase's key, under a fresh salt and the configured cost.
    pub(crate) async fn derive_new(
        &self,
        turn: &mut Turn,
        passphrase: Secret,
    ) -> Result<crate::file::v2::NewPassphrase> {
        long_enough(&passphrase)?;
        let kdf: Kdf = self.kdf;
        let salt = crate::envelope::random::<16>()?.to_vec();
        let key = self.derive(turn, kdf, salt.clone(), passphrase).await?;
        Ok(crate::file::v2::NewPassphrase { kdf, salt, key })
    }

    /// A passphrase's key. Held by its turn: this is work and memory for one at a time.
    pub(crate) async fn derive(
        &self,
        _turn: &mut Turn,
        kdf: Kdf,
        salt: Vec<u8>,
        passphrase: Secret,
    ) -> Result<Zeroizing<[u8; 32]>> {
        bounded(&passphrase)?;
        self.blocking(move |_| passphrase.expose(|text| kdf.derive(text, &salt))).await?
    }
}

/// One that is chosen now. One that was chosen before there was a least length opens its vault.
fn long_enough(passphrase: &Secret) -> Result<()> {
    let characters = passphrase.expose(|text| match std::str::from_utf8(text) {
        Ok(text) => text.chars().count(),
        Err(_) => text.len(),
    });
    if characters >= limits::PASSPHRASE_MIN {
        return Ok(());
    }
    Err(Error::new(
        Reason::PassphraseInvalid,
        format!(
            "a new passphrase has at least {} characters: whoever has a copy of the file can try \
             short ones; take several words",
            limits::PASSPHRASE_MIN
        ),
    ))
}

/// An empty passphrase protects nothing; a very long one is a mistake, and work for us.
fn bounded(passphrase: &Secret) -> Result<()> {
    if (1..=limits::PASSPHRASE).contains(&passphrase.len()) {
        return Ok(());
    }
    Err(Error::new(
        Reason::PassphraseInvalid,
        format!("a passphrase has 1 to {} bytes", limits::PASSPHRASE),
    ))
}
