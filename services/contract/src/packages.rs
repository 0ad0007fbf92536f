//! Connectors, actions and suites: from a release page into the store.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Context, Error, Result,
    closed::closed,
    credential::{CredentialKind, CredentialNeed},
    names::{ActionName, BindingName, Fqn, HostPort, PackageRef, Sha256Hash, Version},
};

mod drift;
mod progress;
mod releases;

pub use drift::{
    Acceptance, Accepted, Drift, DriftOf, DriftState, InstallFailure, MissingConnector, Needs,
    Synced,
};
pub use progress::{Progress, Step};
pub use releases::{LocalFile, LocalFiles, LocalPackage, Newer, PackageKind, Update};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Packages>;

/// Installs what publishers sign. Nothing is written before signature and hash are verified.
#[async_trait]
pub trait Packages: Send + Sync + 'static {
    /// Fetches and verifies a connector without installing it.
    async fn preview_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<ConnectorPreview>;

    /// Installs a connector. The caller has consented to exactly what the preview showed.
    async fn install_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<InstalledConnector>;

    /// Installed connectors, sorted by name and version.
    async fn connectors(&self, context: &Context) -> Result<Vec<Connector>>;

    /// One installed connector, the newest when several versions are; `connector_not_installed`.
    async fn connector(&self, context: &Context, fqn: Fqn) -> Result<Connector>;

    /// Fetches and verifies actions without installing them, at most
    /// [`INSTALL_BATCH`](crate::limits::INSTALL_BATCH). Answers in the order of the requests; one
    /// that cannot be previewed does not stop the others.
    async fn preview_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<ActionPreview>>>;

    /// Installs actions, as many at most, each with the connectors it lacks when the request says
    /// so. Each all or nothing, whatever becomes of the others: a failure leaves no trace. Answers
    /// in the order of the requests.
    async fn install_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<InstalledAction>>>;

    /// The newest version a publisher has released of a package; pre-releases only when asked for.
    async fn newest(&self, context: &Context, fqn: Fqn, prereleases: bool) -> Result<PackageRef>;

    /// Every connector that is installed or that an installed action names, sorted by name and
    /// version, and what is newer. A source that fails fails for its connectors alone.
    async fn updates(&self, context: &Context, prereleases: bool) -> Result<Vec<Update>>;

    /// What this caller's own previews and installations wait for right now, in the order it began;
    /// at most [`PACKAGE_STEPS`](crate::limits::PACKAGE_STEPS).
    async fn progress(&self, context: &Context) -> Result<Vec<Progress>>;

    /// Takes a package from the person's own disk: for a while, a preview or an installation of
    /// that very name and version uses these files, and checks them as it checks a release.
    async fn bring(&self, context: &Context, files: LocalFiles) -> Result<LocalPackage>;

    /// Reads a suite: its source resolved, or its text parsed, and its members made complete.
    async fn suite(&self, context: &Context, source: SuiteSource) -> Result<Suite>;

    /// What is no longer as a person accepted it, or never was: actions by name, then connectors,
    /// then the lockfile. With a name, what became of that action. `vault_locked`.
    async fn drift(&self, context: &Context, only: Option<ActionName>) -> Result<Vec<Drift>>;

    /// Accepts something as it was shown; `consent_changed` when it is not that any more.
    async fn accept(&self, context: &Context, acceptance: Acceptance) -> Result<Accepted>;

    /// What the action files ask for, and what of it is not there. `vault_locked`.
    async fn needs(&self, context: &Context) -> Result<Needs>;

    /// Installs the missing connectors, or those among them with one of these hashes; the caller
    /// has consented to each. One that fails does not stop the others.
    async fn sync(&self, context: &Context, only: Option<Vec<Sha256Hash>>) -> Result<Synced>;
}

/// A connector to preview or install; with a hash, only these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorRequest {
    pub package: PackageRef,
    pub expected_hash: Option<Sha256Hash>,
}

/// What a connector may do, as its manifest declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    pub hosts: Vec<HostPort>,
    pub credential: Option<CredentialNeed>,
}

/// What would be installed: verified, and not yet written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorPreview {
    pub package: PackageRef,
    pub hash: Sha256Hash,
    pub publisher: String,
    /// Of the key that verified the signature.
    pub fingerprint: String,
    pub capabilities: Capabilities,
    pub already_installed: bool,
    /// Beside the newest installed version of the same connector, when another one is installed.
    pub change: Option<CapabilityChange>,
}

/// What a version may do that the installed one may not, and the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapabilityChange {
    /// The installed version it is compared with.
    pub from: Version,
    /// Of the key that signed the installed version.
    pub signer: String,
    /// What the installed version may do.
    pub before: Capabilities,
    /// Requests that become possible, sorted by host.
    pub gained: Vec<PossibleRequest>,
    /// Requests that the version no longer asks for, sorted by host.
    pub lost: Vec<PossibleRequest>,
    /// What a provider is asked to grant from now on, and was not before.
    pub gained_scopes: Vec<String>,
    pub lost_scopes: Vec<String>,
}

/// Requests to one host, as a manifest allows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossibleRequest {
    pub host: HostPort,
    /// The kind of credential that may join them. None: they go without one.
    pub credential: Option<CredentialKind>,
    /// The person's own bindings of that kind for this connector, for a caller who may list them.
    pub bindings: Vec<BindingName>,
}

/// What an installation of a connector did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledConnector {
    pub package: PackageRef,
    pub hash: Sha256Hash,
    pub entry_dir: String,
    pub already_installed: bool,
    pub newly_stale_bindings: Vec<BindingName>,
}

/// An installed connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    pub package: PackageRef,
    pub hash: Sha256Hash,
    pub capabilities: Capabilities,
}

/// An action to preview or install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRequest {
    pub package: PackageRef,
    /// Only these bytes: the ones a person agreed to.
    pub expected_hash: Option<Sha256Hash>,
    /// Replace an installed action of that name and other bytes.
    pub force: bool,
    pub auto_install_connectors: bool,
    /// Install it although nobody signed it: a consent of its own.
    pub accept_unsigned: bool,
}

/// What would be installed: fetched, checked, and not yet written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionPreview {
    pub package: PackageRef,
    pub name: ActionName,
    pub hash: Sha256Hash,
    pub intent: String,
    pub signature: SignatureStatus,
    pub approval_required: bool,
    pub connectors: Vec<ConnectorDependency>,
    pub already_installed: bool,
    /// An installed action of that name with other bytes.
    pub existing: Option<ExistingAction>,
    /// Calls of the action it replaces wait for a person, and calls of this one would not.
    pub loses_approval: bool,
    /// How the file departs from the published grammar; empty when it keeps it.
    pub lenient: Vec<String>,
}

closed! {
    SignatureStatus {
        Verified = "verified",
        Unsigned = "unsigned",
    }
}

/// A connector an action needs, at exactly these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorDependency {
    pub package: PackageRef,
    pub hash: Sha256Hash,
    /// The operations the action may call.
    pub operations: Vec<String>,
    pub already_installed: bool,
}

/// The installed action a new one would replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingAction {
    pub source: PackageRef,
    pub hash: Sha256Hash,
    pub path: String,
    /// Of the key that signed what was installed there; none when nobody did, or nothing was.
    pub signer: Option<String>,
}

/// What an installation of an action did, and what it still lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledAction {
    pub name: ActionName,
    pub package: PackageRef,
    pub hash: Sha256Hash,
    pub path: String,
    pub already_installed: bool,
    pub installed_connectors: Vec<InstalledConnector>,
    pub unbound: Vec<UnboundCapability>,
    pub newly_stale_bindings: Vec<BindingName>,
}

/// A credential a connector needs and nobody has bound yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnboundCapability {
    pub connector: Fqn,
    pub kind: CredentialKind,
    pub scope: Option<String>,
}

/// The answer for one action, out of the answers to a call about that one.
pub fn only<T>(mut answers: Vec<Result<T>>) -> Result<T> {
    match (answers.pop(), answers.is_empty()) {
        (Some(answer), true) => answer,
        _ => Err(Error::internal("a call about one action has another number of answers")),
    }
}

/// Where a suite comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuiteSource {
    /// `<scheme>://<owner>/<repo>/<file>@<ref>`; the reference `latest`, a commit or a tag.
    Remote(String),
    /// The text of a local `suite.toml`.
    Text(String),
}

/// A named list of actions, as its publisher wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    pub name: String,
    pub description: String,
    /// In declaration order.
    pub actions: Vec<PackageRef>,
}
