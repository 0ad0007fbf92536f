use aileron_api::{
    error::ErrorEnvelope,
    hub::{
        ActionInstallDecision, HubAction, HubActions, HubConnector, HubConnectors, HubCopy,
        HubEntries, HubName, HubQuery, HubSearch, HubSuite, HubSuites, InstallDecision,
        SuiteInstallDecision,
    },
};
use aileron_contract::{
    Context, Error, Reason,
    publishers::{self, HubDecision, HubEntry, HubKind, HubListing},
};
use axum::{Json as Answer, extract::State};

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, field},
    shape,
};

/// What the Hub lists, of all kinds or of one.
#[utoipa::path(
    get,
    path = "/v1/hub",
    tag = "hub",
    params(HubQuery),
    responses(
        (status = 200, description = "Entries, each kind sorted by name", body = HubEntries),
        (status = 502, description = "There is no copy of the Hub, and it does not answer", body = ErrorEnvelope),
    )
)]
pub(crate) async fn all(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubQuery { q, kind }): Filter<HubQuery>,
) -> Result<Answer<HubEntries>> {
    let kind = kind.as_deref().map(plural).transpose()?;
    let listing = list(&shared, &context, kind, q).await?;
    Ok(Answer(shape::hub_entries(listing, kind)?))
}

/// Connectors of the Hub.
#[utoipa::path(
    get,
    path = "/v1/hub/connectors",
    tag = "hub",
    params(HubSearch),
    responses(
        (status = 200, description = "Connectors, sorted by name", body = HubConnectors),
        (status = 502, description = "There is no copy of the Hub, and it does not answer", body = ErrorEnvelope),
    )
)]
pub(crate) async fn connectors(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubSearch { q }): Filter<HubSearch>,
) -> Result<Answer<HubConnectors>> {
    let listing = list(&shared, &context, Some(HubKind::Connector), q).await?;
    Ok(Answer(shape::hub_connectors(listing)?))
}

/// Actions of the Hub.
#[utoipa::path(
    get,
    path = "/v1/hub/actions",
    tag = "hub",
    params(HubSearch),
    responses(
        (status = 200, description = "Actions, sorted by name", body = HubActions),
        (status = 502, description = "There is no copy of the Hub, and it does not answer", body = ErrorEnvelope),
    )
)]
pub(crate) async fn actions(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubSearch { q }): Filter<HubSearch>,
) -> Result<Answer<HubActions>> {
    let listing = list(&shared, &context, Some(HubKind::Action), q).await?;
    Ok(Answer(shape::hub_actions(listing)?))
}

/// Suites of the Hub.
#[utoipa::path(
    get,
    path = "/v1/hub/suites",
    tag = "hub",
    params(HubSearch),
    responses(
        (status = 200, description = "Suites, sorted by name", body = HubSuites),
        (status = 502, description = "There is no copy of the Hub, and it does not answer", body = ErrorEnvelope),
    )
)]
pub(crate) async fn suites(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubSearch { q }): Filter<HubSearch>,
) -> Result<Answer<HubSuites>> {
    let listing = list(&shared, &context, Some(HubKind::Suite), q).await?;
    Ok(Answer(shape::hub_suites(listing)?))
}

/// One connector of the Hub.
#[utoipa::path(
    get,
    path = "/v1/hub/connector",
    tag = "hub",
    params(HubName),
    responses(
        (status = 200, description = "The entry", body = HubConnector),
        (status = 404, description = "There is none", body = ErrorEnvelope),
    )
)]
pub(crate) async fn connector(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubName { fqn }): Filter<HubName>,
) -> Result<Answer<HubConnector>> {
    let entry = entry(&shared, &context, &fqn, HubKind::Connector).await?;
    Ok(Answer(shape::hub_connector(entry)?))
}

/// One action of the Hub.
#[utoipa::path(
    get,
    path = "/v1/hub/action",
    tag = "hub",
    params(HubName),
    responses(
        (status = 200, description = "The entry", body = HubAction),
        (status = 404, description = "There is none", body = ErrorEnvelope),
    )
)]
pub(crate) async fn action(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubName { fqn }): Filter<HubName>,
) -> Result<Answer<HubAction>> {
    let entry = entry(&shared, &context, &fqn, HubKind::Action).await?;
    Ok(Answer(shape::hub_action(entry)?))
}

/// One suite of the Hub.
#[utoipa::path(
    get,
    path = "/v1/hub/suite",
    tag = "hub",
    params(HubName),
    responses(
        (status = 200, description = "The entry", body = HubSuite),
        (status = 404, description = "There is none", body = ErrorEnvelope),
    )
)]
pub(crate) async fn suite(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubName { fqn }): Filter<HubName>,
) -> Result<Answer<HubSuite>> {
    let entry = entry(&shared, &context, &fqn, HubKind::Suite).await?;
    Ok(Answer(shape::hub_suite(entry)?))
}

/// What to know before installing a connector; its publisher's key is fetched.
#[utoipa::path(
    get,
    path = "/v1/hub/install-decision",
    tag = "hub",
    params(HubName),
    responses(
        (status = 200, description = "The publisher's key, and whether it is trusted", body = InstallDecision),
        (status = 404, description = "The Hub lists no such connector", body = ErrorEnvelope),
        (status = 502, description = "The key cannot be fetched", body = ErrorEnvelope),
    )
)]
pub(crate) async fn install_decision(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubName { fqn }): Filter<HubName>,
) -> Result<Answer<InstallDecision>> {
    let decision = decide(&shared, &context, &fqn, HubKind::Connector).await?;
    Ok(Answer(shape::install_decision(decision)?))
}

/// What to know before installing an action; its connector's publisher's key is fetched.
#[utoipa::path(
    get,
    path = "/v1/hub/action-install-decision",
    tag = "hub",
    params(HubName),
    responses(
        (status = 200, description = "The publisher's key, and whether it is trusted", body = ActionInstallDecision),
        (status = 404, description = "The Hub lists no such action", body = ErrorEnvelope),
        (status = 422, description = "The Hub does not list its connector", body = ErrorEnvelope),
        (status = 502, description = "The key cannot be fetched", body = ErrorEnvelope),
    )
)]
pub(crate) async fn action_install_decision(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubName { fqn }): Filter<HubName>,
) -> Result<Answer<ActionInstallDecision>> {
    let decision = decide(&shared, &context, &fqn, HubKind::Action).await?;
    Ok(Answer(shape::action_install_decision(decision)?))
}

/// What to know before installing a suite; the keys of its connectors' publishers are fetched.
#[utoipa::path(
    get,
    path = "/v1/hub/suite-install-decision",
    tag = "hub",
    params(HubName),
    responses(
        (status = 200, description = "The publishers' keys, and whether they are trusted", body = SuiteInstallDecision),
        (status = 404, description = "The Hub lists no such suite", body = ErrorEnvelope),
        (status = 422, description = "The Hub does not list a connector it needs", body = ErrorEnvelope),
        (status = 502, description = "A key cannot be fetched", body = ErrorEnvelope),
    )
)]
pub(crate) async fn suite_install_decision(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(HubName { fqn }): Filter<HubName>,
) -> Result<Answer<SuiteInstallDecision>> {
    let decision = decide(&shared, &context, &fqn, HubKind::Suite).await?;
    Ok(Answer(shape::suite_install_decision(decision)?))
}

/// Asks the Hub anew, whatever the age of the copy.
#[utoipa::path(
    post,
    path = "/v1/hub/refresh",
    tag = "hub",
    responses(
        (status = 200, description = "The copy as it is now", body = HubCopy),
        (status = 502, description = "The Hub does not answer; the copy is what it was", body = ErrorEnvelope),
    )
)]
pub(crate) async fn refresh(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<HubCopy>> {
    Ok(Answer(shape::hub_copy(shared.services.publishers.hub_refresh(&context).await?)))
}

async fn list(
    shared: &Shared,
    context: &Context,
    kind: Option<HubKind>,
    text: Option<String>,
) -> Result<HubListing> {
    let query = publishers::HubQuery { kind, text };
    Ok(shared.services.publishers.hub(context, query).await?)
}

async fn entry(shared: &Shared, context: &Context, fqn: &str, kind: HubKind) -> Result<HubEntry> {
    let fqn = field("fqn", fqn)?;
    let found = shared.services.publishers.hub_entry(context, fqn, Some(kind)).await?;
    Ok(found.entry)
}

async fn decide(
    shared: &Shared,
    context: &Context,
    fqn: &str,
    kind: HubKind,
) -> Result<HubDecision> {
    let fqn = field("fqn", fqn)?;
    Ok(shared.services.publishers.hub_decision(context, fqn, kind).await?)
}

/// The word of a kind's list.
fn plural(raw: &str) -> Result<HubKind> {
    let known = raw.strip_suffix('s').and_then(|one| one.parse().ok());
    known.ok_or_else(|| {
        let text = format!("type: {raw:?} is none of connectors, actions, suites");
        Error::new(Reason::InvalidRequest, text).into()
    })
}
