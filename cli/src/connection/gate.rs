//! The vault gate: creates or unlocks the vault when a command needs it, and opens a person
//! session when a command needs a person. The passphrase is asked for once per command.

use std::path::Path;

use aileron_api::{
    Sensitive,
    access::OpenPersonSession,
    client::{Client, Error},
    vault::{CreateVault, UnlockVault, VaultState},
};

use super::Connection;
use crate::{
    failure::{Failure, Result},
    terminal,
};

const BANNER: &str = "\
Creating a new Aileron vault.

The passphrase you choose protects all secrets in this vault.
It is never stored, transmitted, or recoverable. No one can
read it, tell you what it is, or help you retrieve it.
If you lose this passphrase, you must delete the vault file
(~/.aileron/secrets.json) and re-add all secrets.
Store this passphrase securely. Do not share it.
";

/// A client with a person's rights, until [`Person::leave`].
pub(crate) struct Person {
    pub(crate) client: Client,
    session: Option<String>,
}

impl Person {
    /// Ends the person session; a session that is already gone is fine.
    pub(crate) async fn leave(self) {
        if let Some(id) = &self.session {
            // It ends by itself within minutes: a failure here is not worth a word.
            drop(self.client.close_person_session(id).await);
        }
    }
}

impl Connection<'_> {
    /// Makes sure that the vault is there and unlocked.
    pub(crate) async fn open_vault(&self, passphrase_file: Option<&Path>) -> Result<()> {
        self.passphrase_through_gate(passphrase_file, false).await.map(drop)
    }

    /// Opens the vault if need be and becomes a person. With `AILERON_TOKEN` set, that token's
    /// rights are used instead: a person minted it.
    pub(crate) async fn person(&self, passphrase_file: Option<&Path>) -> Result<Person> {
        if self.settings.token.is_some() {
            return Ok(Person { client: self.client.clone(), session: None });
        }
        let passphrase = self
            .passphrase_through_gate(passphrase_file, true)
            .await?
            .ok_or_else(|| Failure::plain("the vault passphrase is needed"))?;
        let opened =
            self.client.open_person_session(&OpenPersonSession { passphrase }).await?.value;
        let client = self.with_token(opened.token)?;
        Ok(Person { client, session: Some(opened.id) })
    }

    /// Returns the passphrase if one was needed, or `wanted`.
    async fn passphrase_through_gate(
        &self,
        file: Option<&Path>,
        wanted: bool,
    ) -> Result<Option<Sensitive>> {
        match self.client.vault_status().await?.value.state {
            VaultState::Missing => {
                let passphrase = self.new_passphrase(file)?;
                let body = CreateVault { passphrase: passphrase.clone() };
                self.client.create_vault(&body).await?;
                Ok(Some(passphrase))
            }
            VaultState::Locked => {
                let mut passphrase = self.passphrase(file)?;
                let unlock =
                    |passphrase: &Sensitive| UnlockVault { passphrase: passphrase.clone() };
                let mut unlocked = self.client.unlock_vault(&unlock(&passphrase)).await;
                if self.may_retry(file) && unlocked.as_ref().is_err_and(rejected) {
                    self.printer.say("That is not the passphrase. One more try.");
                    passphrase = terminal::hidden("Vault passphrase: ")?;
                    unlocked = self.client.unlock_vault(&unlock(&passphrase)).await;
                }
                unlocked?;
                Ok(Some(passphrase))
            }
            VaultState::Unlocked | VaultState::Dev if wanted => self.passphrase(file).map(Some),
            VaultState::Unlocked | VaultState::Dev => Ok(None),
        }
    }

    /// Asks for a passphrase twice, under the creation banner.
    pub(crate) fn new_passphrase(&self, file: Option<&Path>) -> Result<Sensitive> {
        self.printer.say(BANNER);
        if let Some(passphrase) = self.given(file)? {
            return Ok(passphrase);
        }
        need_terminal()?;
        let passphrase = terminal::hidden("Vault passphrase: ")?;
        if terminal::hidden("Confirm passphrase: ")? != passphrase {
            return Err(Failure::plain("the two passphrases differ; no vault was created"));
        }
        Ok(passphrase)
    }

    /// The passphrase: from the environment, the file, or the terminal.
    pub(crate) fn passphrase(&self, file: Option<&Path>) -> Result<Sensitive> {
        if let Some(passphrase) = self.given(file)? {
            return Ok(passphrase);
        }
        need_terminal()?;
        terminal::hidden("Vault passphrase: ")
    }

    fn given(&self, file: Option<&Path>) -> Result<Option<Sensitive>> {
        match (&self.settings.passphrase, file) {
            (Some(passphrase), _) => Ok(Some(passphrase.clone())),
            (None, Some(path)) => terminal::from_file(path).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn may_retry(&self, file: Option<&Path>) -> bool {
        self.settings.passphrase.is_none() && file.is_none() && terminal::present()
    }
}

fn rejected(error: &Error) -> bool {
    error.code() == Some("passphrase_rejected")
}

fn need_terminal() -> Result<()> {
    if terminal::present() {
        return Ok(());
    }
    Err(Failure::plain(
        "this needs a person: run it at a terminal, give --passphrase-file where the command \
         has it, or use a token that a person minted (AILERON_TOKEN)",
    ))
}
