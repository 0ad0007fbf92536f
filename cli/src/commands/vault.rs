//! `aileron vault …`.

mod entries;
mod older;
mod portable;
mod recovery;

use std::path::Path;

use aileron_api::{
    Sensitive,
    vault::{ChangePassphrase, CreateVault, EntryFilter, VaultEntry, VaultState},
};

use crate::{
    arguments::{
        VaultCommand, VaultInitArguments, VaultListArguments, VaultPasswdArguments, VaultScope,
    },
    connection::{Connection, RecoveryKey, need_terminal},
    exit::Exit,
    failure::{Failure, Result},
    terminal,
};

pub(super) async fn run(command: VaultCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        VaultCommand::Init(arguments) => {
            let state = connection.client.vault_status().await?.value.state;
            if state != VaultState::Missing {
                return Err(Failure::plain(
                    "a vault exists already; it is never overwritten: aileron vault passwd changes its passphrase",
                ));
            }
            init(&arguments, connection).await?;
        }
        VaultCommand::Unlock(arguments) if arguments.recovery => {
            recovery::recover(&arguments, connection).await?;
        }
        VaultCommand::Unlock(arguments) => {
            connection.unlock_vault(arguments.passphrase_file.as_deref()).await?;
            connection.printer.tick("the vault is unlocked");
        }
        VaultCommand::Lock => {
            let person = connection.person_of_vault().await.map_err(keys_remain)?;
            let locked = person.client.lock_vault().await;
            person.leave().await;
            locked?;
            connection.printer.tick("the vault is locked: every key is forgotten");
        }
        VaultCommand::AcceptOlder(arguments) => older::accept(&arguments, connection).await?,
        VaultCommand::Passwd(arguments) => passwd(&arguments, connection).await?,
        VaultCommand::Put(arguments) => entries::put(&arguments, connection).await?,
        VaultCommand::Delete { path, yes } => entries::delete(&path, yes, connection).await?,
        VaultCommand::List(arguments) => list(&arguments, connection).await?,
        VaultCommand::Recovery(command) => recovery::run(command, connection).await?,
        VaultCommand::Export(arguments) => portable::export(&arguments, connection).await?,
        VaultCommand::Import(arguments) => portable::import(&arguments, connection).await?,
    }
    Ok(Exit::Done)
}

/// Whoever locks has to be a person, and the file that would show it may be out of order while the
/// keys are still in memory.
fn keys_remain(failure: Failure) -> Failure {
    match failure {
        Failure::Api(error)
            if matches!(error.code(), Some("vault_unreadable" | "vault_rolled_back")) =>
        {
            Failure::plain(format!(
                "{error}\nSo nobody can show to be you, and lock it. aileron stop ends the daemon, \
                 and every key it holds in memory is forgotten"
            ))
        }
        failure => failure,
    }
}

async fn init(arguments: &VaultInitArguments, connection: &Connection<'_>) -> Result<()> {
    let wanted = if arguments.recovery_key { RecoveryKey::Wanted } else { RecoveryKey::Later };
    let passphrase = connection.new_passphrase(arguments.passphrase_file.as_deref(), wanted)?;
    let working = connection.printer.working("creating the vault");
    let body = CreateVault { passphrase: passphrase.clone() };
    let created = connection.client.create_vault(&body).await;
    drop(working);
    created?;
    connection.printer.tick("the vault was created and is unlocked");
    if wanted == RecoveryKey::Wanted {
        let person = connection.person_with(&passphrase).await?;
        let shown = recovery::show_new(connection.printer, &person).await;
        person.leave().await;
        shown?;
    }
    Ok(())
}

async fn passwd(arguments: &VaultPasswdArguments, connection: &Connection<'_>) -> Result<()> {
    let status = connection.client.vault_status().await?.value;
    if status.state == VaultState::Missing {
        return Err(Failure::plain("there is no vault yet: aileron vault init creates it"));
    }
    let had_recovery_key = status.recovery_key;
    let open = async |passphrase: &Sensitive| connection.opened(passphrase).await;
    let file = arguments.passphrase_file.as_deref();
    let (current, opened) = connection.with_passphrase(file, open).await?;
    let person = connection.person_in(opened)?;
    let new = new_passphrase(arguments.new_passphrase_file.as_deref())?;
    let rotate = arguments.rotate;
    let changed = person.client.change_passphrase(&ChangePassphrase { current, new, rotate }).await;
    // Sessions end with the passphrase they were opened with: this is for the failure.
    person.leave().await;
    changed?;
    let what = if rotate { "passphrase and vault key were replaced" } else { "passphrase changed" };
    connection.printer.tick(what);
    if had_recovery_key && rotate {
        connection.printer.say(
            "the recovery key went with the old vault key: aileron vault recovery add makes another",
        );
    }
    Ok(())
}

pub(super) fn new_passphrase(file: Option<&Path>) -> Result<Sensitive> {
    if let Some(path) = file {
        return terminal::from_file(path);
    }
    need_terminal()?;
    let new = terminal::hidden("New passphrase: ")?;
    if terminal::hidden("Confirm passphrase: ")? != new {
        return Err(Failure::plain("the two passphrases differ; nothing was changed"));
    }
    Ok(new)
}

async fn list(arguments: &VaultListArguments, connection: &Connection<'_>) -> Result<()> {
    let include = arguments.include_control_plane.then_some(true);
    let answer =
        connection.client.vault_entries(&EntryFilter { include_control_plane: include }).await?;
    if arguments.json && arguments.scope.is_none() && arguments.prefix.is_none() {
        connection.printer.data(answer.raw);
        return Ok(());
    }
    let prefix = arguments.prefix.as_deref().unwrap_or_default();
    let wanted = |entry: &VaultEntry| {
        let in_scope = match arguments.scope {
            None => true,
            Some(VaultScope::Agent) => entry.scope == "agent",
            Some(VaultScope::User) => entry.scope == "user",
            Some(VaultScope::All) => entry.scope == "agent" || entry.scope == "user",
        };
        in_scope && entry.path.starts_with(prefix)
    };
    let entries: Vec<VaultEntry> = answer.value.entries.into_iter().filter(wanted).collect();
    if arguments.json {
        connection.printer.data(serde_json::json!({ "entries": entries }).to_string());
    } else if entries.is_empty() {
        let filtered = arguments.scope.is_some() || arguments.prefix.is_some();
        connection.printer.say(if filtered {
            "the vault holds nothing of that kind"
        } else {
            "the vault is empty"
        });
    }
    for entry in entries.iter().filter(|_| !arguments.json) {
        connection.printer.data(format!("{}: {}", entry.scope, entry.path));
    }
    Ok(())
}
