//! `aileron secret …`.

use aileron_api::{Sensitive, vault::PutSecret};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    arguments::{SecretCommand, SecretSetArguments},
    connection::Connection,
    exit::Exit,
    failure::Result,
    terminal,
};

pub(super) async fn run(command: SecretCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        SecretCommand::Set(arguments) => set(&arguments, connection).await?,
        SecretCommand::List { json } => {
            let answer = connection.client.secrets().await?;
            if json {
                connection.printer.data(answer.raw);
            } else {
                for secret in answer.value.items {
                    connection.printer.data(secret.name);
                }
            }
        }
        SecretCommand::Delete { name } => {
            let person = connection.person(None).await?;
            let deleted = person.client.delete_secret(&name).await;
            person.leave().await;
            deleted?;
            connection.printer.tick(format!("secret {name} was deleted"));
        }
    }
    Ok(Exit::Done)
}

async fn set(arguments: &SecretSetArguments, connection: &Connection<'_>) -> Result<()> {
    let person = connection.person(arguments.passphrase_file.as_deref()).await?;
    let value = if terminal::present() {
        terminal::hidden(&format!("Value of {}: ", arguments.name))?
    } else {
        terminal::piped()?
    };
    let encoded = Sensitive::new(STANDARD.encode(value.expose()));
    let stored = person.client.put_secret(&arguments.name, &PutSecret { value: encoded }).await;
    person.leave().await;
    stored?;
    connection.printer.tick(format!("secret {} is stored", arguments.name));
    Ok(())
}
