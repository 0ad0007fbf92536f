//! The rules of `[capabilities.credential]`.

use aileron_contract::credential::{
    CredentialKind, CredentialNeed, Endpoint, Form, HeaderTemplate, Oauth2Client, Signing,
    TokenTemplate,
};

use super::raw;
use crate::formats::{
    Problem,
    table::{Document, Spot},
};

const KEY: &str = "capabilities.credential";

pub(super) fn check(
    document: &Document<'_>,
    raw: raw::Credential,
) -> Result<CredentialNeed, Problem> {
    let kind = document.required(raw.kind.clone(), "capabilities.credential.kind", raw.line)?;
    let kind: CredentialKind = document.named(&kind, "capabilities.credential.kind")?;
    closed(document, kind, &raw)?;
    let scope = raw.scope.map(|text| text.value);
    let line = raw.line;
    let mut oauth2 = None;
    let form = match kind {
        CredentialKind::ApiKey => {
            Form::ApiKey(key_template(document, raw.header, raw.format, line)?)
        }
        CredentialKind::Oauth2 => {
            let table = raw.oauth2.ok_or_else(|| {
                document.invalid(format!("kind \"oauth2\" needs [{KEY}.oauth2]"), line)
            })?;
            oauth2 = Some(client(document, table)?);
            Form::Oauth2
        }
        CredentialKind::AwsSigv4 => Form::AwsSigv4(Signing {
            service: word(document, raw.service, "service")?,
            region: word(document, raw.region, "region")?,
            access_key_id: word(document, raw.access_key_id, "access_key_id")?,
        }),
        CredentialKind::Basic => Form::Basic,
        CredentialKind::Header => {
            Form::Header(token_template(document, raw.header, raw.format, line)?)
        }
        CredentialKind::Query => {
            let key = "capabilities.credential.parameter";
            Form::Query(document.required_named(raw.parameter, key, line)?)
        }
    };
    Ok(CredentialNeed { scope, form, oauth2 })
}

/// Refuses keys that belong to other kinds.
fn closed(
    document: &Document<'_>,
    kind: CredentialKind,
    raw: &raw::Credential,
) -> Result<(), Problem> {
    use CredentialKind::{ApiKey, AwsSigv4, Header, Oauth2, Query};
    let line = |text: &raw::Text| text.as_ref().map(|text| text.line);
    let keys: [(&str, Option<u32>, &[CredentialKind]); 7] = [
        ("header", line(&raw.header), &[ApiKey, Header]),
        ("format", line(&raw.format), &[ApiKey, Header]),
        ("region", line(&raw.region), &[AwsSigv4]),
        ("service", line(&raw.service), &[AwsSigv4]),
        ("access_key_id", line(&raw.access_key_id), &[AwsSigv4]),
        ("parameter", line(&raw.parameter), &[Query]),
        ("oauth2", raw.oauth2.as_ref().map(|table| table.line), &[Oauth2]),
    ];
    for (key, line, owners) in keys {
        if let (Some(line), false) = (line, owners.contains(&kind)) {
            let owners: Vec<_> = owners.iter().map(|owner| format!("\"{owner}\"")).collect();
            let message = format!("{KEY}.{key} goes with kind {} only", owners.join(" or "));
            return Err(document.invalid(message, line));
        }
    }
    Ok(())
}

/// Both have published defaults.
fn key_template(
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

/// Neither has a default.
fn token_template(
    document: &Document<'_>,
    header: raw::Text,
    format: raw::Text,
    line: u32,
) -> Result<TokenTemplate, Problem> {
    let header = document.required(header, "capabilities.credential.header", line)?;
    let format = document.required(format, "capabilities.credential.format", line)?;
    TokenTemplate::new(&header.value, &format.value).map_err(|error| {
        let header_fits = TokenTemplate::new(&header.value, TokenTemplate::PLACE).is_ok();
        let line = if header_fits { format.line } else { header.line };
        document.invalid(format!("{KEY}: {}", error.public()), line)
    })
}

fn client(document: &Document<'_>, raw: raw::Oauth2) -> Result<Oauth2Client, Problem> {
    let line = raw.line;
    let authorize = document.required(raw.authorize_url, "oauth2.authorize_url", line)?;
    let token = document.required(raw.token_url, "oauth2.token_url", line)?;
    let client_id = document.required(raw.client_id, "oauth2.client_id", line)?;
    let scopes = document.required(raw.scopes, "oauth2.scopes", line)?;
    let authorize = endpoint(document, &authorize, "oauth2.authorize_url")?;
    let token = endpoint(document, &token, "oauth2.token_url")?;
    let optional =
        |text: raw::Text, key: &str| text.map(|text| endpoint(document, &text, key)).transpose();
    let device = optional(raw.device_authorization_url, "oauth2.device_authorization_url")?;
    let revocation = optional(raw.revocation_url, "oauth2.revocation_url")?;
    let scopes_line = scopes.line;
    let client = Oauth2Client::new(authorize, token, &client_id.value, scopes.value);
    let mut client = client.map_err(|error| {
        let of_id = error.public().starts_with("client_id");
        let line = if of_id { client_id.line } else { scopes_line };
        document.invalid(format!("oauth2.{}", error.public()), line)
    })?;
    client.device_authorization_url = device;
    client.revocation_url = revocation;
    Ok(match raw.client_secret {
        Some(secret) => client.with_secret(&secret.value),
        None => client,
    })
}

fn endpoint(document: &Document<'_>, text: &Spot<String>, key: &str) -> Result<Endpoint, Problem> {
    document.named(text, key)
}

/// Empty is absent.
fn word<T>(document: &Document<'_>, text: raw::Text, key: &str) -> Result<Option<T>, Problem>
where
    T: std::str::FromStr<Err = aileron_contract::Error>,
{
    let given = text.filter(|text| !text.value.is_empty());
    given.map(|text| document.named(&text, &format!("{KEY}.{key}"))).transpose()
}
