//! The recovery key: made, removed, and used when the passphrase is lost.

use aileron_api::{custody::RecoverVault, vault::VaultState};

use super::new_passphrase;
use crate::{
    arguments::{RecoveryCommand, VaultUnlockArguments},
    connection::{Connection, Person},
    failure::{Failure, Result},
    printer::Printer,
    terminal,
};

pub(super) async fn run(command: RecoveryCommand, connection: &Connection<'_>) -> Result<()> {
    let printer = connection.printer;
    match command {
        RecoveryCommand::Add { yes, passphrase_file } => {
            let there = connection.client.vault_status().await?.value.recovery_key;
            let question = "There is a recovery key; a new one makes it worthless. Go on?";
            if there && !yes && !terminal::confirm(printer, question)? {
                return Err(Failure::Declined);
            }
            let person = connection.person_alone_by(passphrase_file.as_deref()).await?;
            let shown = show_new(printer, &person).await;
            person.leave().await;
            shown
        }
        RecoveryCommand::Remove { yes, passphrase_file } => {
            let question = "Without a recovery key a lost passphrase loses everything. Go on?";
            if !yes && !terminal::confirm(printer, question)? {
                return Err(Failure::Declined);
            }
            let person = connection.person_alone_by(passphrase_file.as_deref()).await?;
            let removed = person.client.remove_recovery_key().await;
            person.leave().await;
            removed?;
            printer.tick("the recovery key opens the vault no longer");
            Ok(())
        }
        RecoveryCommand::Status { json } => {
            let answer = connection.client.vault_status().await?;
            if json {
                printer.data(answer.raw);
            } else if answer.value.state == VaultState::Missing {
                printer.say("there is no vault yet: aileron vault init --recovery-key");
            } else if answer.value.recovery_key {
                printer.say("the vault has a recovery key");
            } else {
                printer.say("the vault has no recovery key: aileron vault recovery add");
            }
            Ok(())
        }
    }
}

/// Makes a recovery key and shows it.
pub(super) async fn show_new(printer: Printer, person: &Person) -> Result<()> {
    let made = person.client.add_recovery_key().await?.value;
    printer.say(
        "The recovery key, shown this once. Write it down and keep it apart from this machine:\n\
         whoever has it and the vault file can open the vault.\n",
    );
    printer.data(made.key.expose());
    printer.say("\nWhen the passphrase is lost: aileron vault unlock --recovery");
    Ok(())
}

/// Opens the vault without its passphrase, which is replaced.
pub(super) async fn recover(
    arguments: &VaultUnlockArguments,
    connection: &Connection<'_>,
) -> Result<()> {
    let status = connection.client.vault_status().await?.value;
    if status.state == VaultState::Missing {
        return Err(Failure::plain("there is no vault yet: aileron vault init creates it"));
    }
    if !status.recovery_key {
        return Err(Failure::plain("this vault has no recovery key: only its passphrase opens it"));
    }
    let key = match &arguments.recovery_key_file {
        Some(file) => terminal::from_file(file)?,
        None if terminal::present() => terminal::hidden("Recovery key: ")?,
        None => {
            return Err(Failure::plain(
                "there is no terminal to ask for the recovery key at: give --recovery-key-file",
            ));
        }
    };
    let passphrase = new_passphrase(arguments.new_passphrase_file.as_deref())?;
    let working = connection.printer.working("opening the vault");
    let opened = connection.client.recover_vault(&RecoverVault { key, passphrase }).await;
    drop(working);
    opened?;
    connection.printer.tick("the vault is unlocked, and the new passphrase counts from now on");
    connection.printer.say(
        "the recovery key stays good; if somebody else may have seen it: aileron vault recovery add",
    );
    Ok(())
}
