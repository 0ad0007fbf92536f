//! `aileron vault …`.

use aileron_api::{
    access::OpenPersonSession,
    vault::{ChangePassphrase, CreateVault, EntryFilter, VaultState},
};

use crate::{
    arguments::{VaultCommand, VaultListArguments, VaultPasswdArguments},
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    terminal,
};

pub(super) async fn run(command: VaultCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        VaultCommand::Init(arguments) => {
            let state = connection.client.vault_status().await?.value.state;
            if state != VaultState::Missing {
                return Err(Failure::plain("a vault exists; it is never overwritten"));
            }
            let passphrase = connection.new_passphrase(arguments.passphrase_file.as_deref())?;
            connection.client.create_vault(&CreateVault { passphrase }).await?;
            connection.printer.tick("the vault was created and is unlocked");
        }
        VaultCommand::Unlock { passphrase_file } => {
            connection.open_vault(passphrase_file.as_deref()).await?;
            connection.printer.tick("the vault is unlocked");
        }
        VaultCommand::Lock => {
            let person = connection.person(None).await?;
            let locked = person.client.lock_vault().await;
            person.leave().await;
            locked?;
            connection.printer.tick("the vault is locked: every key is forgotten");
        }
        VaultCommand::Passwd(arguments) => passwd(&arguments, connection).await?,
        VaultCommand::List(arguments) => list(&arguments, connection).await?,
    }
    Ok(Exit::Done)
}

async fn passwd(arguments: &VaultPasswdArguments, connection: &Connection<'_>) -> Result<()> {
    let current = connection.passphrase(arguments.passphrase_file.as_deref())?;
    let new = if let Some(path) = &arguments.new_passphrase_file {
        terminal::from_file(path)?
    } else {
        let new = terminal::hidden("New passphrase: ")?;
        if terminal::hidden("Confirm passphrase: ")? != new {
            return Err(Failure::plain("the two passphrases differ; nothing was changed"));
        }
        new
    };
    let opened = connection
        .client
        .open_person_session(&OpenPersonSession { passphrase: current.clone() })
        .await?
        .value;
    let client = connection.with_token(opened.token)?;
    let rotate = arguments.rotate;
    let changed = client.change_passphrase(&ChangePassphrase { current, new, rotate }).await;
    // Sessions end with the passphrase they were opened with: this is for the failure.
    drop(client.close_person_session(&opened.id).await);
    changed?;
    let what = if rotate { "passphrase and vault key were replaced" } else { "passphrase changed" };
    connection.printer.tick(what);
    Ok(())
}

async fn list(arguments: &VaultListArguments, connection: &Connection<'_>) -> Result<()> {
    let include = arguments.include_control_plane.then_some(true);
    let answer =
        connection.client.vault_entries(&EntryFilter { include_control_plane: include }).await?;
    if arguments.json {
        connection.printer.data(answer.raw);
        return Ok(());
    }
    let prefix = arguments.prefix.as_deref().unwrap_or_default();
    for entry in answer.value.entries.iter().filter(|entry| entry.path.starts_with(prefix)) {
        connection.printer.data(format!("{}: {}", entry.scope, entry.path));
    }
    Ok(())
}
