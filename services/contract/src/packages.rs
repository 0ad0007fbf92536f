//! Connectors, actions and suites: from a release page into the store.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Context, Result,
    closed::closed,
    credential::{CredentialKind, CredentialNeed},
    names::{ActionName, BindingName, Fqn, HostPort, PackageRef, Sha256Hash},
};

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

    /// Fetches and verifies an action without installing it.
    async fn preview_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<ActionPreview>;

    /// Installs an action, and with `auto_install_connectors` the connectors it needs. All or
    /// nothing: a failure leaves no trace.
    async fn install_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<InstalledAction>;

    /// Reads a suite: its source resolved, or its text parsed, and its members made complete.
    async fn suite(&self, context: &Context, source: SuiteSource) -> Result<Suite>;
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
    pub description: Option<String>,
    pub capabilities: Capabilities,
    pub already_installed: bool,
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
    /// Replace an installed action of that name and other bytes.
    pub force: bool,
    pub auto_install_connectors: bool,
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
