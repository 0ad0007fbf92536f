//! A backup of the vault's file that a person restored.

use aileron_api::{
    Sensitive,
    vault::{AcceptOlderVault, OlderVault, VaultWriting},
};

use crate::{
    arguments::VaultAcceptOlderArguments,
    connection::Connection,
    failure::{Failure, Result},
    printer::Printer,
    table, terminal,
};

/// Shows both files, asks, and goes on with the one that is there.
pub(super) async fn accept(
    arguments: &VaultAcceptOlderArguments,
    connection: &Connection<'_>,
) -> Result<()> {
    let printer = connection.printer;
    let older = connection.client.older_vault().await?.value;
    show(printer, &older);
    if !arguments.yes && !terminal::confirm(printer, "Go on with the file that is there?")? {
        return Err(Failure::Declined);
    }
    let generation = older.present.generation;
    let accept = async |passphrase: &Sensitive| {
        let body = AcceptOlderVault { passphrase: passphrase.clone(), generation };
        connection.client.accept_older_vault(&body).await
    };
    connection.with_passphrase(arguments.passphrase_file.as_deref(), accept).await?;
    printer.tick("the file counts from now on, and the vault is unlocked");
    Ok(())
}

fn show(printer: Printer, older: &OlderVault) {
    let OlderVault { present, last, same_vault } = older;
    if *same_vault {
        printer.say("secrets.json is an older state of the vault than the one last used here.");
    } else {
        printer.say(
            "secrets.json is another vault's than the one last used here, or of the time before \
             its format changed.",
        );
    }
    let facts = [("there now", writing(present)), ("last used", writing(last))];
    table::facts(printer, &facts);
    printer.say(
        "It brings back credentials that were revoked or replaced since, and the passphrase of \
         its time. What was bound since is not in it.",
    );
}

fn writing(writing: &VaultWriting) -> String {
    let VaultWriting { generation, written_at } = writing;
    let at = written_at.as_deref().map(table::time);
    let at = at.map(|at| format!(", written {at}")).unwrap_or_default();
    match generation {
        0 => format!("format 1{at}"),
        generation => format!("writing {generation}{at}"),
    }
}
