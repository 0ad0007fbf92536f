//! `aileron secret …`.

use aileron_api::{Sensitive, vault::PutSecret};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    arguments::{SecretCommand, SecretSetArguments},
    connection::{Connection, Person},
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
                if answer.value.items.is_empty() {
                    connection.printer.say("no secrets are stored: aileron secret set NAME");
                }
                for secret in answer.value.items {
                    connection.printer.data(secret.name);
                }
            }
        }
        SecretCommand::Delete { name } => {
            let person = connection.person_of_vault().await?;
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
    let stored = put(&arguments.name, &person).await;
    person.leave().await;
    stored?;
    let name = &arguments.name;
    connection.printer.tick(format!("secret {name} is stored; refer to it as vault:secret/{name}"));
    Ok(())
}

async fn put(name: &str, person: &Person) -> Result<()> {
    let value = if terminal::present() {
        terminal::hidden(&format!("Value of {name}: "))?
    } else {
        terminal::piped()?
    };
    let encoded = Sensitive::new(STANDARD.encode(value.expose()));
    person.client.put_secret(name, &PutSecret { value: encoded }).await?;
    Ok(())
}
