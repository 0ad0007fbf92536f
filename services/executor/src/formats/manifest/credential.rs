//! The rules of `[capabilities.credential]`.

use aileron_contract::credential::{CredentialKind, CredentialNeed, HeaderTemplate};
use url::Url;

use super::{Credential, Oauth2, Sigv4, raw};
use crate::formats::{
    Problem,
    table::{Document, Spot},
};

const KEY: &str = "capabilities.credential";

pub(super) fn check(document: &Document<'_>, raw: raw::Credential) -> Result<Credential, Problem> {
    let kind = document.required(raw.kind, "capabilities.credential.kind", raw.line)?;
    let kind: CredentialKind = document.named(&kind, "capabilities.credential.kind")?;
    let api_key = [("header", &raw.header), ("format", &raw.format)];
    let sigv4 =
        [("region", &raw.region), ("service", &raw.service), ("access_key_id", &raw.access_key_id)];
    only(document, kind, CredentialKind::ApiKey, &api_key)?;
    only(document, kind, CredentialKind::AwsSigv4, &sigv4)?;
    if let Some(table) = raw.oauth2.as_ref().filter(|_| kind != CredentialKind::Oauth2) {
        let message = format!("{KEY}.oauth2 goes with kind \"oauth2\" only");
        return Err(document.invalid(message, table.line));
    }
    let template = template(document, raw.header, raw.format, raw.line)?;
    let need = CredentialNeed { kind, scope: raw.scope.map(|text| text.value), template };
    let (mut oauth2, mut signing) = (None, None);
    match kind {
        CredentialKind::ApiKey => {}
        CredentialKind::Oauth2 => {
            let table = raw.oauth2.ok_or_else(|| {
                document.invalid(format!("kind \"oauth2\" needs [{KEY}.oauth2]"), raw.line)
            })?;
            oauth2 = Some(check_oauth2(document, table)?);
        }
        CredentialKind::AwsSigv4 => {
            signing = Some(Sigv4 {
                region: plain(document, raw.region)?,
                service: plain(document, raw.service)?,
                access_key_id: plain(document, raw.access_key_id)?,
            });
        }
    }
    Ok(Credential { need, oauth2, sigv4: signing })
}

/// Refuses keys that belong to another kind.
fn only(
    document: &Document<'_>,
    kind: CredentialKind,
    owner: CredentialKind,
    keys: &[(&str, &raw::Text)],
) -> Result<(), Problem> {
    let given = keys.iter().find_map(|(key, text)| text.as_ref().map(|text| (key, text.line)));
    match given {
        Some((key, line)) if kind != owner => {
            Err(document.invalid(format!("{KEY}.{key} goes with kind \"{owner}\" only"), line))
        }
        _ => Ok(()),
    }
}

fn template(
    document: &Document<'_>,
    header: raw::Text,
    format: raw::Text,
    line: u32,
) -> Result<HeaderTemplate, Problem> {
    let standard = HeaderTemplate::default();
    let at = |text: &raw::Text| text.as_ref().map_or(line, |text| text.line);
    let (header_line, format_line) = (at(&header), at(&format));
    let given = |text: raw::Text| text.map(|text| text.value).filter(|text| !text.is_empty());
    let header = given(header).unwrap_or_else(|| standard.header().to_owned());
    let format = given(format).unwrap_or_else(|| standard.format().to_owned());
    HeaderTemplate::new(&header, &format).map_err(|error| {
        let header_fits = HeaderTemplate::new(&header, standard.format()).is_ok();
        let line = if header_fits { format_line } else { header_line };
        document.invalid(format!("{KEY}: {}", error.public()), line)
    })
}

fn check_oauth2(document: &Document<'_>, raw: raw::Oauth2) -> Result<Oauth2, Problem> {
    let line = raw.line;
    let authorize = document.required(raw.authorize_url, "oauth2.authorize_url", line)?;
    let token = document.required(raw.token_url, "oauth2.token_url", line)?;
    let client_id = document.required(raw.client_id, "oauth2.client_id", line)?;
    if client_id.is_blank() {
        return Err(document.invalid("oauth2.client_id must not be blank", client_id.line));
    }
    let scopes = document.required(raw.scopes, "oauth2.scopes", line)?;
    if scopes.value.is_empty() || scopes.value.iter().any(|scope| scope.trim().is_empty()) {
        let rule = "oauth2.scopes needs at least one scope, none blank";
        return Err(document.invalid(rule, scopes.line));
    }
    Ok(Oauth2 {
        authorize_url: endpoint(document, &authorize, "oauth2.authorize_url")?,
        token_url: endpoint(document, &token, "oauth2.token_url")?,
        client_id: client_id.value,
        client_secret: raw.client_secret.map(|text| text.value).filter(|text| !text.is_empty()),
        scopes: scopes.value,
    })
}

/// `https://…`, or `http://` to this machine by one of its two published names.
fn endpoint(document: &Document<'_>, text: &Spot<String>, key: &str) -> Result<Url, Problem> {
    let url = Url::parse(&text.value).ok().filter(|url| {
        let bare = url.username().is_empty() && url.password().is_none();
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
        bare && url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && local))
    });
    url.ok_or_else(|| {
        let rule = format!("{key} must be an https:// URL (http:// only to localhost)");
        document.invalid(rule, text.line)
    })
}

/// Printable text for a signature's scope; empty is absent.
fn plain(document: &Document<'_>, text: raw::Text) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if !text.value.bytes().all(|c| c.is_ascii_graphic()) => {
            let rule = format!("{KEY}: {:?} holds spaces or unprintable characters", text.value);
            Err(document.invalid(rule, text.line))
        }
        text => Ok(text.map(|text| text.value).filter(|text| !text.is_empty())),
    }
}
