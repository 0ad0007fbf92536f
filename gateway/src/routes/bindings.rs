use std::collections::BTreeSet;

use aileron_api::bindings::{
    Binding, BindingFilter, BindingSetup, BindingSetupResult, BindingSource, BindingSpec, Bindings,
    Rebind,
};
use aileron_contract::{
    Context, Error, Reason, Secret,
    credential::{CredentialKind, CredentialNeed, Reach},
    names::{BindingName, Fqn, HostPort, Identity},
    packages::{Capabilities, Connector},
    vault::{self, Consent},
};
use axum::{Json as Answer, extract::State};
use http::StatusCode;

use super::{not_found, vault::secret};
use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Json, Name, field, optional},
    shape,
};

/// Bindings. Works while locked.
#[utoipa::path(
    get,
    path = "/v1/bindings",
    tag = "bindings",
    params(BindingFilter),
    responses((status = 200, description = "Bindings, sorted by name", body = Bindings))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(BindingFilter { connector_fqn, kind }): Filter<BindingFilter>,
) -> Result<Answer<Bindings>> {
    let filter = vault::BindingFilter {
        connector: optional("connector_fqn", connector_fqn.as_deref())?,
        kind: optional("kind", kind.as_deref())?,
        name: None,
    };
    let items = shared.services.vault.bindings(&context, filter).await?;
    Ok(Answer(Bindings { items: items.into_iter().map(shape::binding).collect() }))
}

/// One binding. Works while locked.
#[utoipa::path(
    get,
    path = "/v1/bindings/{name}",
    tag = "bindings",
    params(("name" = String, Path, description = "`<kind>/<service>/<identity>`, each `/` sent as `%2F`")),
    responses(
        (status = 200, description = "The binding", body = Binding),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn get(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<BindingName>,
) -> Result<Answer<Binding>> {
    Ok(Answer(shape::binding(find(&shared, &context, name).await?)))
}

/// Removes a binding for good.
#[utoipa::path(
    delete,
    path = "/v1/bindings/{name}",
    tag = "bindings",
    params(("name" = String, Path, description = "`<kind>/<service>/<identity>`, each `/` sent as `%2F`")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn revoke(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<BindingName>,
) -> Result<StatusCode> {
    shared.services.vault.revoke(&context, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Binds credentials to a connector, for exactly the hosts it declares.
#[utoipa::path(
    post,
    path = "/v1/bindings/setup",
    tag = "bindings",
    request_body = BindingSetup,
    responses(
        (status = 201, description = "Bound", body = BindingSetupResult),
        (status = 404, description = "The connector is not installed", body = aileron_api::error::ErrorEnvelope),
        (status = 409, description = "A binding exists, or the connector's hosts are not the ones the person saw", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn setup(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Json(body): Json<BindingSetup>,
) -> Result<(StatusCode, Answer<BindingSetupResult>)> {
    let BindingSetup { connector_fqn, bindings, skip_existing, hosts } = body;
    if bindings.is_empty() {
        return Err(Error::new(Reason::InvalidRequest, "bindings: at least one is needed").into());
    }
    let fqn: Fqn = field("connector_fqn", &connector_fqn)?;
    let declared = Declared::read(&shared, &context, fqn, hosts.as_deref()).await?;
    let wanted = bindings
        .into_iter()
        .map(|spec| declared.consent(spec))
        .collect::<Result<Vec<(Consent, Secret)>>>()?;
    let task = shared.clone();
    let done =
        shared.detached(async move { bind_all(&task, &context, wanted, skip_existing).await });
    Ok((StatusCode::CREATED, Answer(done.await?)))
}

/// Replaces a binding's value, for exactly the hosts its connector declares now.
#[utoipa::path(
    post,
    path = "/v1/bindings/{name}/rebind",
    tag = "bindings",
    params(("name" = String, Path, description = "`<kind>/<service>/<identity>`, each `/` sent as `%2F`")),
    request_body = Rebind,
    responses(
        (status = 200, description = "Bound again", body = Binding),
        (status = 404, description = "There is none", body = aileron_api::error::ErrorEnvelope),
        (status = 423, description = "The vault is locked", body = aileron_api::error::ErrorEnvelope),
    )
)]
pub(crate) async fn rebind(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Name(name): Name<BindingName>,
    Json(Rebind { source, hosts }): Json<Rebind>,
) -> Result<Answer<Binding>> {
    let existing = find(&shared, &context, name).await?;
    let declared = Declared::read(&shared, &context, existing.connector, hosts.as_deref()).await?;
    let spec = BindingSpec {
        identity: existing.identity.to_string(),
        service: Some(existing.service),
        source,
        account: existing.account,
    };
    let (consent, value) = declared.consent(spec)?;
    let consent = Consent { refuse_existing: false, ..consent };
    Ok(Answer(shape::binding(shared.services.vault.bind(&context, consent, value).await?)))
}

/// What an installed connector declares: the facts a consent is made of.
struct Declared {
    connector: Fqn,
    hosts: Vec<HostPort>,
    need: CredentialNeed,
}

impl Declared {
    /// Reads them from the executor, and refuses when the person saw other hosts.
    async fn read(
        shared: &Shared,
        context: &Context,
        fqn: Fqn,
        seen: Option<&[String]>,
    ) -> Result<Self> {
        let Connector { package, hash: _, capabilities } =
            shared.services.packages.connector(context, fqn).await?;
        let Capabilities { hosts, credential } = capabilities;
        let need = credential.ok_or_else(|| {
            let public = format!("{package} asks for no credential: there is nothing to bind");
            Error::new(Reason::KindMismatch, public)
        })?;
        if let Some(seen) = seen {
            let seen = seen
                .iter()
                .map(|host| field("hosts", host))
                .collect::<Result<BTreeSet<HostPort>>>()?;
            if seen != hosts.iter().cloned().collect() {
                return Err(Error::new(
                    Reason::ConsentChanged,
                    format!(
                        "{package} declares other hosts than the ones consented to: look again"
                    ),
                )
                .into());
            }
        }
        Ok(Self { connector: package.fqn, hosts, need })
    }

    fn consent(&self, spec: BindingSpec) -> Result<(Consent, Secret)> {
        let BindingSpec { identity, service, source, account } = spec;
        let identity: Identity = field("identity", &identity)?;
        // Published default: the repository's name. Binding names are lower case.
        let service = service.unwrap_or_else(|| self.connector.repo().to_ascii_lowercase());
        // The name must exist before anything is sealed under it.
        BindingName::new(self.need.kind().text(), &service, &identity)?;
        let value = self.value(source)?;
        let consent = Consent {
            connector: self.connector.clone(),
            service,
            identity,
            account,
            scope: self.need.scope.clone(),
            reach: Reach { hosts: self.hosts.clone(), form: self.need.form.clone() },
            access_key_id: None,
            region: None,
            refuse_existing: true,
        };
        Ok((consent, value))
    }

    fn value(&self, source: BindingSource) -> Result<Secret> {
        let BindingSource { kind, value } = source;
        let refused = |reason, public: String| Err(Error::new(reason, public).into());
        let Ok(kind) = kind.parse::<CredentialKind>() else {
            let public = format!("source.kind: {kind:?} is no kind of credential: use api_key");
            return refused(Reason::UnsupportedKind, public);
        };
        if kind != CredentialKind::ApiKey {
            let public = format!("source.kind: {kind} cannot be set up here: use api_key");
            return refused(Reason::UnsupportedKind, public);
        }
        if kind != self.need.kind() {
            let public =
                format!("{} asks for a credential of kind {}", self.connector, self.need.kind());
            return refused(Reason::KindMismatch, public);
        }
        match value {
            Some(value) if !value.expose().is_empty() => Ok(secret(value)),
            _ => refused(Reason::MissingValue, "source.value: the key is missing".to_owned()),
        }
    }
}

async fn bind_all(
    shared: &Shared,
    context: &Context,
    wanted: Vec<(Consent, Secret)>,
    skip_existing: bool,
) -> Result<BindingSetupResult> {
    let mut result = BindingSetupResult { created: Vec::new(), skipped: Vec::new() };
    for (consent, value) in wanted {
        let kind = consent.reach.form.kind();
        let name = BindingName::new(kind.text(), &consent.service, &consent.identity)?;
        match shared.services.vault.bind(context, consent, value).await {
            Ok(binding) => result.created.push(shape::binding(binding)),
            Err(error) if skip_existing && error.reason() == Reason::BindingExists => {
                result.skipped.push(name.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(result)
}

async fn find(shared: &Shared, context: &Context, name: BindingName) -> Result<vault::Binding> {
    let public = format!("there is no binding {name}");
    let filter = vault::BindingFilter { name: Some(name), ..vault::BindingFilter::default() };
    let found = shared.services.vault.bindings(context, filter).await?;
    Ok(found.into_iter().next().ok_or_else(|| not_found(&public))?)
}
