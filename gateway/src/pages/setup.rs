//! Binding a credential, for the first time or again: what the connector asks for, where the
//! credential may go, and the one form its kind needs. What a provider gives is fetched there.

mod offer;

pub(in crate::pages) use offer::why;

use aileron_api::{
    Sensitive,
    bindings::{BindingSource, BindingSpec},
};
use aileron_contract::{
    Reason,
    bindings::{Begin, Begun, Binding, BindingFilter, Caller, Consent, Purpose},
    credential::{CredentialKind, Endpoint},
    names::{BindingName, Fqn},
};
use axum::{extract::State, response::Response};
use http::Uri;
use maud::html;

use super::{
    answer::{Problem, Result, page},
    form::{Fields, query},
    frame,
    signed::{Posted, Signed},
    text::{encoded, shown},
};
use crate::{
    Shared,
    declared::{Called, Declared, Seen},
    oauth_cookie::{CALLBACK, SetupCookie},
};

/// Asks for what the connector declares now.
pub(super) async fn form(
    State(shared): State<Shared>,
    signed: Signed,
    uri: Uri,
) -> Result<Response> {
    let subject = Subject::read(&shared, &signed, &mut query(&uri)).await?;
    let unseen = Seen { hosts: None, scopes: None };
    let declared = subject.declared(&shared, &signed, unseen).await?;
    let frame = signed.frame(&shared).await?;
    let offered = offer::offer(&declared, subject.existing.as_ref(), &frame);
    Ok(page(frame.around("Bind a credential", false, offered)))
}

/// Binds for exactly the hosts and scopes that the form showed.
pub(super) async fn done(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let subject = Subject::read(&shared, &signed, &mut fields).await?;
    let [hosts, scopes] = ["hosts", "scopes"].map(|name| words(&mut fields, name));
    let seen = Seen { hosts: Some(&hosts), scopes: Some(&scopes) };
    let declared = subject.declared(&shared, &signed, seen).await;
    let declared = declared.map_err(|problem| subject.back(problem))?;
    let bindings = &shared.services.bindings;
    let bound = match fields.needed("how")?.as_str() {
        "provider" => {
            let begun = provider(&shared, &signed, &declared, subject.called(&mut fields)?).await;
            return begun.map_err(|problem| subject.back(problem));
        }
        "keep" => {
            let consent = declared.consent(subject.called(&mut fields)?)?;
            let consent = Consent { refuse_existing: false, ..consent };
            bindings.agree(&signed.context, consent).await
        }
        "value" => {
            let spec = subject.spec(&declared, &mut fields)?;
            let (consent, value) =
                declared.with_value(spec).map_err(|it| subject.back(it.into()))?;
            let refuse_existing = subject.existing.is_none();
            bindings.bind(&signed.context, Consent { refuse_existing, ..consent }, value).await
        }
        _ => return Err(Problem::new(Reason::InvalidBody, "how: value, keep or provider")),
    };
    let bound = bound.map_err(|error| subject.back(error.into()))?;
    Ok(signed.on_to(&format!("bindings?bound={}", encoded(bound.name.as_str()))))
}

/// What is bound: a connector, and the binding when there is one already.
struct Subject {
    connector: Fqn,
    existing: Option<Binding>,
}

impl Subject {
    async fn read(shared: &Shared, signed: &Signed, fields: &mut Fields) -> Result<Self> {
        let Some(name) = fields.filled("name") else {
            let connector = fields.needed("connector")?.parse().map_err(wrong)?;
            return Ok(Self { connector, existing: None });
        };
        let name: BindingName = name.parse().map_err(wrong)?;
        let public = format!("there is no binding {name}");
        let filter = BindingFilter { name: Some(name), ..BindingFilter::default() };
        let found = shared.services.bindings.list(&signed.context, filter).await?;
        let existing = found.into_iter().next().ok_or_else(|| {
            Problem::new(Reason::BindingNotFound, public)
                .back_to("bindings", "Back to the bindings")
        })?;
        Ok(Self { connector: existing.connector.clone(), existing: Some(existing) })
    }

    async fn declared(&self, shared: &Shared, signed: &Signed, seen: Seen<'_>) -> Result<Declared> {
        Ok(Declared::read(shared, &signed.context, self.connector.clone(), seen).await?)
    }

    /// Whose binding it is. One that exists keeps its name.
    fn called(&self, fields: &mut Fields) -> Result<Called> {
        if let Some(existing) = &self.existing {
            return Ok(Called {
                identity: existing.identity.to_string(),
                service: Some(existing.service.clone()),
                account: existing.account.clone(),
            });
        }
        let (identity, account) = (fields.needed("identity")?, fields.filled("account"));
        Ok(Called { identity, service: None, account })
    }

    /// A credential that was typed.
    fn spec(&self, declared: &Declared, fields: &mut Fields) -> Result<BindingSpec> {
        let Called { identity, service, account } = self.called(fields)?;
        let kind = declared.need().kind();
        let value = value(kind, fields).map_err(|problem| self.back(problem))?;
        let source = BindingSource { kind: kind.to_string(), value: Some(Sensitive::new(value)) };
        let kept = self.existing.as_ref();
        let kept_id = kept.and_then(|it| Some(it.access_key_id.as_ref()?.to_string()));
        let kept_region = kept.and_then(|it| Some(it.region.as_ref()?.to_string()));
        let access_key_id = fields.filled("access_key_id").or(kept_id);
        let region = fields.filled("region").or(kept_region);
        Ok(BindingSpec { identity, service, source, account, access_key_id, region })
    }

    /// The form, for who has to look again.
    fn back(&self, problem: Problem) -> Problem {
        problem.back_to(self.address(), "Back to the form")
    }

    fn address(&self) -> String {
        let (what, which) = match &self.existing {
            Some(existing) => ("name", existing.name.to_string()),
            None => ("connector", self.connector.to_string()),
        };
        format!("bindings/setup?{what}={}", encoded(&which))
    }
}

/// Sends the browser to the provider. By a page, because the policy lets no form end elsewhere.
async fn provider(
    shared: &Shared,
    signed: &Signed,
    declared: &Declared,
    called: Called,
) -> Result<Response> {
    let client = declared.client()?;
    let purpose = if called.service.is_some() { Purpose::Reauthorize } else { Purpose::Setup };
    let consent = declared.consent(called)?;
    let own = shared.options.page_address().ok_or_else(|| {
        Problem::new(Reason::NotFound, "this runtime has no page a provider could lead back to")
    })?;
    let catcher = Caller::Daemon {
        callback_url: format!("{own}{CALLBACK}"),
        // On this machine, as the vault wants it; its browser goes back to its place.
        return_to: format!("http://127.0.0.1:{}/bindings", shared.options.listen_addr.port()),
    };
    let named = shown_name(&client.authorize_url);
    let setup = Begin { consent, client, purpose, caller: catcher };
    let begun = shared.services.bindings.begin(&signed.context, setup).await?;
    let Begun { authorize_url, redirect_uri, browser_cookie, expires_at, session: _ } = begun;
    let cookie = SetupCookie::of_url(&authorize_url)?;
    let (name, now) = (cookie.name().to_owned(), (shared.options.clock)());
    shared.pages.setups.add(name, signed.place.clone(), expires_at, now)?;
    let said = html! { p { "On to " strong { (shown(&named)) } ", where you sign in." } };
    let mut response = page(frame::bounce(&authorize_url, &said));
    if let Some(value) = browser_cookie {
        cookie.give(&mut response, &value, &redirect_uri)?;
    }
    Ok(response)
}

/// The provider, as a person knows it.
fn shown_name(endpoint: &Endpoint) -> String {
    endpoint.authority().unwrap_or_default()
}

/// The credential as the vault wants it, put together from the fields of its kind.
fn value(kind: CredentialKind, fields: &mut Fields) -> Result<String> {
    let missing = |what: &str| Problem::new(Reason::MissingValue, format!("type the {what}"));
    let typed = |fields: &mut Fields, name: &str| fields.take(name).filter(|it| !it.is_empty());
    let value = typed(fields, "value");
    match kind {
        CredentialKind::Basic => {
            let user = fields.filled("user").ok_or_else(|| missing("user name"))?;
            if user.contains(':') {
                let public = "a user name has no colon (RFC 7617)";
                return Err(Problem::new(Reason::ValidationError, public));
            }
            Ok(format!("{user}:{}", value.ok_or_else(|| missing("password"))?))
        }
        CredentialKind::AwsSigv4 => {
            let key = value.ok_or_else(|| missing("secret access key"))?;
            let Some(token) = typed(fields, "session_token") else { return Ok(key) };
            let both = serde_json::json!({ "secret_access_key": key, "session_token": token });
            Ok(both.to_string())
        }
        CredentialKind::ApiKey
        | CredentialKind::Oauth2
        | CredentialKind::Header
        | CredentialKind::Query => value.ok_or_else(|| missing("credential")),
    }
}

fn words(fields: &mut Fields, name: &str) -> Vec<String> {
    let text = fields.take(name).unwrap_or_default();
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

fn wrong(error: aileron_contract::Error) -> Problem {
    Problem::from(error).back_to("bindings", "Back to the bindings")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: CredentialKind, form: &[u8]) -> Option<String> {
        value(kind, &mut Fields::parse(form).ok()?).ok()
    }

    #[test]
    fn what_is_typed_becomes_the_credential_of_its_kind() {
        let of = |kind, form: &str| read(kind, form.as_bytes());
        assert_eq!(of(CredentialKind::ApiKey, "value=k%20+").as_deref(), Some("k  "));
        assert_eq!(of(CredentialKind::ApiKey, "value="), None);
        assert_eq!(of(CredentialKind::Basic, "user=me&value=p:w").as_deref(), Some("me:p:w"));
        assert_eq!(of(CredentialKind::Basic, "user=m:e&value=pw"), None);
        assert_eq!(of(CredentialKind::Basic, "value=pw"), None);
        assert_eq!(of(CredentialKind::AwsSigv4, "value=s").as_deref(), Some("s"));
        let both = of(CredentialKind::AwsSigv4, "value=s&session_token=t").unwrap();
        assert_eq!(both, r#"{"secret_access_key":"s","session_token":"t"}"#);
    }
}
