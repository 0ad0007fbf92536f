//! What an installed connector declares, and the consents that are made of it.

use std::collections::BTreeSet;

use aileron_api::bindings::{BindingSource, BindingSpec};
use aileron_contract::{
    Context, Error, Reason, Secret,
    bindings::Consent,
    credential::{CredentialKind, CredentialNeed, Oauth2Client, Reach},
    names::{BindingName, Fqn, HostPort, Identity},
    packages::{Capabilities, Connector},
};

use crate::{
    Shared,
    answer::Result,
    input::{field, optional, secret},
};

/// The facts a consent is made of.
pub(crate) struct Declared {
    connector: Fqn,
    hosts: Vec<HostPort>,
    need: CredentialNeed,
}

/// What the person was shown, as far as the caller says so.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) hosts: Option<&'a [String]>,
    pub(crate) scopes: Option<&'a [String]>,
}

/// Whose binding, and how it is called.
pub(crate) struct Called {
    pub(crate) identity: String,
    pub(crate) service: Option<String>,
    pub(crate) account: Option<String>,
}

impl Declared {
    /// Reads them from the executor, and refuses when the person saw something else.
    pub(crate) async fn read(
        shared: &Shared,
        context: &Context,
        fqn: Fqn,
        seen: Seen<'_>,
    ) -> Result<Self> {
        let Connector { package, hash: _, capabilities } =
            shared.services.packages.connector(context, fqn).await?;
        let Capabilities { hosts, credential } = capabilities;
        let need = credential.ok_or_else(|| {
            let public = format!("{package} asks for no credential: there is nothing to bind");
            Error::new(Reason::KindMismatch, public)
        })?;
        let changed = |what: &str| {
            let public =
                format!("{package} declares other {what} than the ones consented to: look again");
            Err(Error::new(Reason::ConsentChanged, public).into())
        };
        if let Some(seen) = seen.hosts {
            let seen = seen
                .iter()
                .map(|host| field("hosts", host))
                .collect::<Result<BTreeSet<HostPort>>>()?;
            if seen != hosts.iter().cloned().collect() {
                return changed("hosts");
            }
        }
        if let Some(seen) = seen.scopes {
            let declared = need.oauth2.as_ref().map(Oauth2Client::scopes).unwrap_or_default();
            if seen.iter().collect::<BTreeSet<_>>() != declared.iter().collect() {
                return changed("scopes");
            }
        }
        Ok(Self { connector: package.fqn, hosts, need })
    }

    pub(crate) fn connector(&self) -> &Fqn {
        &self.connector
    }

    pub(crate) fn hosts(&self) -> &[HostPort] {
        &self.hosts
    }

    pub(crate) fn need(&self) -> &CredentialNeed {
        &self.need
    }

    /// How to obtain tokens; `not_oauth2` when the connector takes another kind.
    pub(crate) fn client(&self) -> Result<Oauth2Client> {
        let kind = self.need.kind();
        match &self.need.oauth2 {
            Some(client) if kind == CredentialKind::Oauth2 => Ok(client.clone()),
            _ => {
                let public = format!("{} takes a credential of kind {kind}", self.connector);
                let details = serde_json::json!({ "declared_kind": kind.text() });
                Err(Error::new(Reason::NotOauth2, public).with_details(details).into())
            }
        }
    }

    pub(crate) fn consent(&self, called: Called) -> Result<Consent> {
        let Called { identity, service, account } = called;
        let identity: Identity = field("identity", &identity)?;
        // Published default: the repository's name. Binding names are lower case.
        let service = service.unwrap_or_else(|| self.connector.repo().to_ascii_lowercase());
        // The name must exist before anything is sealed under it.
        BindingName::new(self.need.kind().text(), &service, &identity)?;
        Ok(Consent {
            connector: self.connector.clone(),
            service,
            identity,
            account,
            scope: self.need.scope.clone(),
            reach: Reach { hosts: self.hosts.clone(), form: self.need.form.clone() },
            access_key_id: None,
            region: None,
            refuse_existing: true,
        })
    }

    /// For a credential that the person has at hand.
    pub(crate) fn with_value(&self, spec: BindingSpec) -> Result<(Consent, Secret)> {
        let BindingSpec { identity, service, source, account, access_key_id, region } = spec;
        let consent = Consent {
            access_key_id: optional("access_key_id", access_key_id.as_deref())?,
            region: optional("region", region.as_deref())?,
            ..self.consent(Called { identity, service, account })?
        };
        Ok((consent, self.value(source)?))
    }

    fn value(&self, source: BindingSource) -> Result<Secret> {
        let BindingSource { kind, value } = source;
        let refused = |reason, public: String| Err(Error::new(reason, public).into());
        let declared = self.need.kind();
        let Ok(kind) = kind.parse::<CredentialKind>() else {
            let public = format!("source.kind: {kind:?} is no kind of credential: use {declared}");
            return refused(Reason::UnsupportedKind, public);
        };
        if kind == CredentialKind::Oauth2 {
            let public = "source.kind: a token of kind oauth2 is obtained from its provider: \
                          begin at /v1/bindings/setup/oauth2/init";
            return refused(Reason::UnsupportedKind, public.to_owned());
        }
        if kind != declared {
            let public = format!("{} asks for a credential of kind {declared}", self.connector);
            return refused(Reason::KindMismatch, public);
        }
        match value {
            Some(value) if !value.expose().is_empty() => Ok(secret(value)),
            _ => {
                refused(Reason::MissingValue, "source.value: the credential is missing".to_owned())
            }
        }
    }
}
