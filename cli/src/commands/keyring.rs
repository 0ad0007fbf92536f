//! `aileron keyring …`, and the trust prompt that installs share.

use std::path::Path;

use aileron_api::packages::{LookUpKey, PublishedKey, RevokeKeys, TrustKey};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use sha2::{Digest as _, Sha256};

use crate::{
    arguments::KeyringCommand,
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    table, terminal,
};

pub(super) async fn run(command: KeyringCommand, connection: &Connection<'_>) -> Result<Exit> {
    let printer = connection.printer;
    match command {
        // Handled before a connection was made.
        #[cfg(feature = "runtime")]
        KeyringCommand::Generate { .. } => {}
        KeyringCommand::Trust { authority, key_file, key, yes } => {
            let given = match (key_file, key) {
                (Some(path), _) => Some(read_key(&path)?),
                (None, key) => key,
            };
            let person = connection.person(None).await?;
            let trusted = trust(&person, printer, &authority, given, yes).await;
            person.leave().await;
            trusted?;
        }
        KeyringCommand::List { json } => {
            let answer = connection.client.keyring().await?;
            if json {
                printer.data(answer.raw);
                return Ok(Exit::Done);
            }
            if answer.value.verified == Some(false) {
                printer.cross(format!(
                    "{} is not what you trusted: none of its keys is used",
                    answer.value.path
                ));
            }
            let rows = answer.value.items.into_iter().map(|key| [key.authority, key.fingerprint]);
            let nothing = "no publisher is trusted: aileron keyring trust AUTHORITY";
            table::print(printer, nothing, ["PUBLISHER", "FINGERPRINT"], rows);
        }
        KeyringCommand::Revoke { authority, key } => {
            let named = authority.clone().or_else(|| key.clone()).unwrap_or_default();
            let person = connection.person_of_vault().await?;
            let revoke = RevokeKeys { authority, fingerprint: key };
            let removed = person.client.revoke_keys(&revoke).await;
            person.leave().await;
            let removed = removed?.value.removed;
            if removed.is_empty() {
                printer.say(format!("Not trusted: {named} (no change)"));
            }
            for key in removed {
                printer.tick(format!("No longer trusted: {} {}", key.authority, key.fingerprint));
            }
        }
    }
    Ok(Exit::Done)
}

async fn trust(
    person: &Person,
    printer: Printer,
    authority: &str,
    given: Option<String>,
    yes: bool,
) -> Result<()> {
    let Some(key) = given else {
        let published = person.client.look_up_key(&look_up(authority)).await?.value;
        if published.trusted {
            printer.tick(format!("Already trusted: {authority}"));
            return Ok(());
        }
        let trusted = offer_trust(person, printer, &published, yes).await?;
        return if trusted { Ok(()) } else { Err(Failure::Declined) };
    };
    printer.say(format!("Publisher {authority} is not yet trusted with this key:"));
    printer.say(format!("  Fingerprint: {}", fingerprint(&key)?));
    let covered = if owner_of(authority) == authority { "every package of" } else { "packages of" };
    printer.say(format!("  Covers: {covered} {authority}"));
    if !yes && !terminal::confirm(printer, &format!("Trust publisher {authority}?"))? {
        return Err(Failure::Declined);
    }
    grant(person, printer, authority.to_owned(), key).await
}

/// The published trust prompt: once per publisher. True when the publisher is trusted now.
pub(super) async fn offer_trust(
    person: &Person,
    printer: Printer,
    published: &PublishedKey,
    yes: bool,
) -> Result<bool> {
    if published.trusted {
        return Ok(true);
    }
    let authority = &published.key.authority;
    printer.say(format!("Publisher {authority} is not yet trusted."));
    if owner_of(authority) == *authority {
        printer.say("Aileron fetched the key that the Hub names for this publisher's connectors");
        printer.say("and will use it to verify signed installs from this publisher.");
        printer.say(format!("  Key: {}", published.source.as_deref().unwrap_or_default()));
    } else {
        printer.say("Aileron will fetch keys/publisher.pub on the publisher's default branch");
        printer.say("and use that key to verify signed installs from this publisher.");
    }
    printer.say(format!("  Fingerprint: {}", published.key.fingerprint));
    printer.say(format!("  Covers: every package of {}", owner_of(authority)));
    if !yes && !terminal::confirm(printer, &format!("Trust publisher {authority}?"))? {
        return Ok(false);
    }
    grant(person, printer, owner_of(authority), published.key.key.clone()).await?;
    Ok(true)
}

async fn grant(person: &Person, printer: Printer, authority: String, key: String) -> Result<()> {
    let trusted = person.client.trust_key(&TrustKey { authority, key }).await?.value;
    printer.tick(format!("Trusted publisher {}", trusted.key.authority));
    printer.say(format!("  Fingerprint: {}", trusted.key.fingerprint));
    printer.say(format!("  Keyring: {}", trusted.path));
    Ok(())
}

pub(super) fn look_up(authority: &str) -> LookUpKey {
    LookUpKey { authority: authority.to_owned() }
}

pub(super) fn owner_of(authority: &str) -> String {
    match authority.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.split('/').next().unwrap_or_default())
        }
        None => authority.to_owned(),
    }
}

/// The short form that lists and `aileron keyring generate` show, of base64 of a raw key.
fn fingerprint(key: &str) -> Result<String> {
    let raw = STANDARD.decode(key).ok().filter(|raw| raw.len() == 32);
    let raw = raw.ok_or_else(|| Failure::plain("that is no Ed25519 public key"))?;
    let hash = STANDARD_NO_PAD.encode(Sha256::digest(raw));
    Ok(format!("sha256:{}", hash.chars().take(22).collect::<String>()))
}

/// A key file: PEM (SPKI), or base64 of the 32 bytes. The runtime checks what it is given.
fn read_key(path: &Path) -> Result<String> {
    let text = terminal::from_file(path)?;
    let text = text.expose().trim();
    let Some(body) = text.strip_prefix("-----BEGIN PUBLIC KEY-----") else {
        return Ok(text.split_whitespace().collect());
    };
    let body: String =
        body.split("-----END").next().unwrap_or_default().split_whitespace().collect();
    // RFC 8410: a fixed 12-byte prefix, then the raw key.
    let der = STANDARD.decode(body).unwrap_or_default();
    match der
        .strip_prefix(&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00])
    {
        Some(raw) if raw.len() == 32 => Ok(STANDARD.encode(raw)),
        _ => Err(Failure::plain(format!("{} holds no Ed25519 public key", path.display()))),
    }
}
