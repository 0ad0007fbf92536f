//! How much of a manifest a person can be asked to read: what a connector may reach is shown in
//! full before anybody agrees to it, so a list nobody can read is refused with the manifest.

use aileron_contract::limits;

use super::raw;
use crate::formats::{Problem, table::Document};

/// Refuses what is too long to be shown.
pub(super) fn check(document: &Document<'_>, raw: &raw::Manifest) -> Result<(), Problem> {
    let text = |text: &raw::Text, key: &str| short(document, text, key, limits::MANIFEST_TEXT);
    text(&raw.publisher, "connector.publisher")?;
    let of_network = "capabilities.network.hosts";
    few(document, &raw.hosts, of_network, (limits::MANIFEST_HOSTS, limits::MANIFEST_TEXT))?;
    let Some(credential) = &raw.credential else { return Ok(()) };
    text(&credential.scope, "capabilities.credential.scope")?;
    let Some(oauth2) = &credential.oauth2 else { return Ok(()) };
    text(&oauth2.authorize_url, "oauth2.authorize_url")?;
    text(&oauth2.token_url, "oauth2.token_url")?;
    text(&oauth2.device_authorization_url, "oauth2.device_authorization_url")?;
    text(&oauth2.revocation_url, "oauth2.revocation_url")?;
    text(&oauth2.client_id, "oauth2.client_id")?;
    let scopes = (limits::MANIFEST_SCOPES, limits::MANIFEST_SCOPE);
    few(document, &oauth2.scopes, "oauth2.scopes", scopes)
}

fn short(
    document: &Document<'_>,
    text: &raw::Text,
    key: &str,
    longest: usize,
) -> Result<(), Problem> {
    match text {
        Some(text) if text.value.len() > longest => {
            Err(document.invalid(format!("{key} is longer than {longest} bytes"), text.line))
        }
        _ => Ok(()),
    }
}

fn few(
    document: &Document<'_>,
    list: &raw::Texts,
    key: &str,
    (most, longest): (usize, usize),
) -> Result<(), Problem> {
    let Some(list) = list else { return Ok(()) };
    if list.value.len() > most {
        let rule = format!("{key} lists more than {most}: nobody could look at them all");
        return Err(document.invalid(rule, list.line));
    }
    if list.value.iter().any(|text| text.len() > longest) {
        let rule = format!("{key} has one that is longer than {longest} bytes");
        return Err(document.invalid(rule, list.line));
    }
    Ok(())
}
