//! The vault gate: creates or unlocks the vault when a command needs it, and opens a person
//! session when a command needs a person. The passphrase is asked for once per command, and once
//! more when what was typed is wrong.

use std::{path::Path, sync::Arc};

use aileron_api::{
    Sensitive,
    access::OpenedPersonSession,
    client::{Client, Error},
    vault::{CreateVault, UnlockVault, VaultState},
};

use super::{Connection, Held, queue::patiently};
use crate::{
    failure::{Failure, Result},
    terminal,
};

const BANNER: &str = "\
Creating a new Aileron vault.

The passphrase you choose protects all secrets in this vault.
It is never stored, transmitted, or recoverable. No one can
read it, tell you what it is, or help you retrieve it.
";

/// As published.
const WITHOUT_RECOVERY: &str = "\
If you lose this passphrase, you must delete the vault file
(~/.aileron/secrets.json) and re-add all secrets.
Store this passphrase securely. Do not share it.

This vault has no recovery key. `aileron vault recovery add`
makes one, now or later.
";

const WITH_RECOVERY: &str = "\
If you lose this passphrase, the recovery key that is shown
next opens the vault, and nothing else does. Lose both, and
you must delete the vault file (~/.aileron/secrets.json) and
re-add all secrets.
Store both securely, apart from each other. Do not share them.
";

/// Does a new vault get a recovery key?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecoveryKey {
    Wanted,
    Later,
}

/// A client with a person's rights, until [`Person::leave`].
pub(crate) struct Person {
    pub(crate) client: Client,
    session: Option<Session>,
}

/// One that is open, and where that is remembered.
struct Session {
    id: String,
    held: Arc<Held>,
}

impl Person {
    /// Did somebody give the passphrase, rather than a token a person minted?
    pub(crate) fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// Ends the person session; a session that is already gone is fine.
    pub(crate) async fn leave(self) {
        if let Some(Session { id, held }) = &self.session {
            held.close(id).await;
        }
    }

    /// Leaves the session open: it is the browser's from here on.
    pub(crate) async fn hand_over(self) {
        if let Some(Session { id, held }) = &self.session {
            held.hand_over(id).await;
        }
    }
}

/// What the gate does when there is no vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absent {
    /// The command makes sense on a fresh machine: create it.
    Create,
    /// What the command is about can only be in a vault.
    Refuse,
}

impl Connection<'_> {
    /// Makes sure that an existing vault is unlocked.
    pub(crate) async fn unlock_vault(&self, passphrase_file: Option<&Path>) -> Result<()> {
        self.pass_gate(passphrase_file, Absent::Refuse).await.map(drop)
    }

    /// Creates or unlocks the vault where somebody can say how. Otherwise the runtime answers
    /// for itself: a program that runs an action is told what is missing.
    pub(crate) async fn ready_vault(&self) -> Result<()> {
        let somebody = self.settings.passphrase.is_some() || terminal::present();
        if self.settings.token.is_some() || !somebody {
            return Ok(());
        }
        self.pass_gate(None, Absent::Create).await.map(drop)
    }

    /// Opens the vault, creating it on a fresh machine, and becomes a person. With
    /// `AILERON_TOKEN` set and no passphrase given, that token's rights are used instead: a person
    /// minted it.
    pub(crate) async fn person(&self, passphrase_file: Option<&Path>) -> Result<Person> {
        if self.acts_by_token(passphrase_file) {
            return Ok(Person { client: self.client.clone(), session: None });
        }
        self.enter(passphrase_file, Absent::Create).await
    }

    /// The same, for what only an existing vault can be about.
    pub(crate) async fn person_of_vault(&self) -> Result<Person> {
        if self.acts_by_token(None) {
            return Ok(Person { client: self.client.clone(), session: None });
        }
        self.enter(None, Absent::Refuse).await
    }

    /// A person where the passphrase is at hand; nobody is asked for it, and no vault is made.
    pub(crate) async fn person_at_hand(&self) -> Result<Option<Person>> {
        if self.settings.passphrase.is_none()
            || self.client.vault_status().await?.value.state == VaultState::Missing
        {
            return Ok(None);
        }
        self.enter(None, Absent::Refuse).await.map(Some)
    }

    /// Can somebody be asked for the passphrase of a vault that is there?
    pub(crate) async fn could_ask(&self) -> Result<bool> {
        Ok(self.settings.token.is_none()
            && terminal::present()
            && self.client.vault_status().await?.value.state != VaultState::Missing)
    }

    /// For what no token can be minted for: `AILERON_TOKEN` only opens the door of a runtime on
    /// another machine.
    pub(crate) async fn person_alone(&self) -> Result<Person> {
        self.enter(None, Absent::Refuse).await
    }

    /// The same, where the passphrase may come from a file.
    pub(crate) async fn person_alone_by(&self, file: Option<&Path>) -> Result<Person> {
        self.enter(file, Absent::Refuse).await
    }

    /// Who has just given this passphrase to a new vault.
    pub(crate) async fn person_with(&self, passphrase: &Sensitive) -> Result<Person> {
        let opened = patiently(self.printer, async || self.opened(passphrase).await).await?;
        self.person_in(opened)
    }

    /// Opens a person session; it ends with the command at the latest.
    pub(crate) async fn opened(
        &self,
        passphrase: &Sensitive,
    ) -> Result<OpenedPersonSession, Error> {
        Ok(self.held.open(&self.client, passphrase).await?.value)
    }

    /// Who acts in it.
    pub(crate) fn person_in(&self, opened: OpenedPersonSession) -> Result<Person> {
        let client = self.with_token(opened.token)?;
        let session = Session { id: opened.id, held: Arc::clone(&self.held) };
        Ok(Person { client, session: Some(session) })
    }

    fn acts_by_token(&self, file: Option<&Path>) -> bool {
        self.settings.token.is_some() && self.settings.passphrase.is_none() && file.is_none()
    }

    async fn enter(&self, file: Option<&Path>, absent: Absent) -> Result<Person> {
        let open = async |passphrase: &Sensitive| self.opened(passphrase).await;
        let opened = match self.pass_gate(file, absent).await? {
            Some(passphrase) => patiently(self.printer, async || open(&passphrase).await).await?,
            None => self.with_passphrase(file, open).await?.1,
        };
        self.person_in(opened)
    }

    /// Returns the passphrase if one was needed.
    async fn pass_gate(&self, file: Option<&Path>, absent: Absent) -> Result<Option<Sensitive>> {
        match self.client.vault_status().await?.value.state {
            VaultState::Missing if absent == Absent::Refuse => {
                Err(Failure::plain("there is no vault yet: aileron vault init creates it"))
            }
            VaultState::Missing => {
                let passphrase = self.new_passphrase(file, RecoveryKey::Later)?;
                let _working = self.printer.working("creating the vault");
                let body = CreateVault { passphrase: passphrase.clone() };
                self.client.create_vault(&body).await?;
                Ok(Some(passphrase))
            }
            VaultState::Locked => {
                let unlock = async |passphrase: &Sensitive| {
                    self.client.unlock_vault(&UnlockVault { passphrase: passphrase.clone() }).await
                };
                Ok(Some(self.with_passphrase(file, unlock).await?.0))
            }
            VaultState::Unlocked | VaultState::Dev => Ok(None),
        }
    }

    /// Calls with the passphrase; one that was typed wrong may be typed once more.
    pub(crate) async fn with_passphrase<T>(
        &self,
        file: Option<&Path>,
        call: impl AsyncFn(&Sensitive) -> Result<T, Error>,
    ) -> Result<(Sensitive, T)> {
        let checked = async |passphrase: &Sensitive| {
            let call = async || {
                let _working = self.printer.working("checking the passphrase");
                call(passphrase).await
            };
            patiently(self.printer, call).await
        };
        let mut passphrase = self.passphrase(file)?;
        let mut answer = checked(&passphrase).await;
        if self.may_retry(file) && answer.as_ref().is_err_and(rejected) {
            self.printer.say("That is not the passphrase. One more try.");
            passphrase = terminal::hidden("Vault passphrase: ")?;
            answer = checked(&passphrase).await;
        }
        Ok((passphrase, answer?))
    }

    /// Asks for a passphrase twice, under the creation banner.
    pub(crate) fn new_passphrase(
        &self,
        file: Option<&Path>,
        recovery: RecoveryKey,
    ) -> Result<Sensitive> {
        let given = self.given(file)?;
        if given.is_none() {
            need_terminal()?;
        }
        self.printer.say(self.banner(recovery));
        if let Some(passphrase) = given {
            return Ok(passphrase);
        }
        let passphrase = terminal::hidden("Vault passphrase: ")?;
        if terminal::hidden("Confirm passphrase: ")? != passphrase {
            return Err(Failure::plain("the two passphrases differ; no vault was created"));
        }
        Ok(passphrase)
    }

    /// The published words, with the file where it is.
    fn banner(&self, recovery: RecoveryKey) -> String {
        let loss = match recovery {
            RecoveryKey::Wanted => WITH_RECOVERY,
            RecoveryKey::Later => WITHOUT_RECOVERY,
        };
        let banner = format!("{BANNER}{loss}");
        if self.settings.api_url.is_some() || self.settings.home.ends_with(".aileron") {
            return banner;
        }
        let file = self.settings.home.join("secrets.json");
        banner.replace("~/.aileron/secrets.json", &file.display().to_string())
    }

    /// The passphrase: from the environment, the file, or the terminal.
    fn passphrase(&self, file: Option<&Path>) -> Result<Sensitive> {
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

/// Fails where nobody can be asked for a passphrase.
pub(crate) fn need_terminal() -> Result<()> {
    if terminal::present() {
        return Ok(());
    }
    Err(Failure::plain(
        "this needs a person: run it at a terminal, give --passphrase-file where the command \
         has it, or use a token that a person minted (AILERON_TOKEN)",
    ))
}
