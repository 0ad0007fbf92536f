//! `aileron token …`.

use aileron_api::access::MintToken;
use jiff::{Timestamp, ToSpan as _};

use crate::{
    arguments::{TokenCommand, TokenMintArguments},
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
    table,
};

pub(super) async fn run(command: TokenCommand, connection: &Connection<'_>) -> Result<Exit> {
    let person = connection.person_alone().await?;
    let done = match command {
        TokenCommand::Mint(arguments) => mint(&arguments, connection, &person.client).await,
        TokenCommand::List { json } => list(json, connection, &person.client).await,
        TokenCommand::Revoke { id } => match person.client.revoke_token(&id).await {
            Ok(_) => {
                connection.printer.tick(format!(
                    "token {id} is revoked; what it asked for and still waited is denied"
                ));
                Ok(())
            }
            Err(error) => Err(error.into()),
        },
    };
    person.leave().await;
    done.map(|()| Exit::Done)
}

async fn mint(
    arguments: &TokenMintArguments,
    connection: &Connection<'_>,
    client: &aileron_api::client::Client,
) -> Result<()> {
    let hours = i64::from(arguments.days) * 24;
    let expires_at = Timestamp::now()
        .checked_add(hours.hours())
        .map_err(|error| Failure::plain(format!("--days: {error}")))?;
    let request = MintToken {
        label: arguments.label.clone(),
        scopes: arguments.scopes.clone(),
        expires_at: expires_at.to_string(),
    };
    let answer = client.mint_token(&request).await?;
    if arguments.json {
        connection.printer.data(answer.raw);
        return Ok(());
    }
    connection.printer.say(format!(
        "token {} for {} until {}; it is shown once:",
        answer.value.id, answer.value.label, answer.value.expires_at
    ));
    connection.printer.data(answer.value.token.expose());
    Ok(())
}

async fn list(
    json: bool,
    connection: &Connection<'_>,
    client: &aileron_api::client::Client,
) -> Result<()> {
    let answer = client.tokens().await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(());
    }
    let rows = answer.value.items.into_iter().map(|token| {
        let end = match token.revoked_at {
            Some(at) => format!("revoked {}", table::time(&at)),
            None => table::time(&token.expires_at),
        };
        [token.id, token.label, token.scopes.join(","), end]
    });
    table::print(
        connection.printer,
        "no tokens were minted",
        ["ID", "LABEL", "SCOPES", "UNTIL"],
        rows,
    );
    Ok(())
}
