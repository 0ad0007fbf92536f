//! The types of the packages contract, field by field.

use aileron_contract::{
    Result,
    packages::{
        ActionPreview, ActionRequest, Capabilities, CapabilityChange, Connector,
        ConnectorDependency, ConnectorPreview, ConnectorRequest, ExistingAction, InstalledAction,
        InstalledConnector, PossibleRequest, Suite, SuiteSource, UnboundCapability,
    },
};
use aileron_proto::executor::v1::{self as pb, get_suite_request::Source};

use crate::message::{Wire, messages, must_be_there};

// connectors
messages! {
    ConnectorRequest => pb::ConnectorRequest { package, expected_hash }

    Capabilities => pb::Capabilities { hosts, credential }

    ConnectorPreview => pb::ConnectorPreview {
        package, hash, publisher, fingerprint, capabilities, already_installed, change,
    }

    CapabilityChange => pb::CapabilityChange {
        from, signer, before, gained, lost, gained_scopes, lost_scopes,
    }

    PossibleRequest => pb::PossibleRequest { host, credential, bindings }

    InstalledConnector => pb::InstalledConnector {
        package, hash, entry_dir, already_installed, newly_stale_bindings,
    }

    Connector => pb::Connector { package, hash, capabilities }
}

// actions and suites
messages! {
    ActionRequest => pb::ActionRequest {
        package, expected_hash, force, auto_install_connectors, accept_unsigned,
    }

    ActionPreview => pb::ActionPreview {
        package, name, hash, intent, signature, approval_required, connectors, already_installed,
        existing, loses_approval, lenient,
    }

    ConnectorDependency => pb::ConnectorDependency { package, hash, operations, already_installed }

    ExistingAction => pb::ExistingAction { source, hash, path, signer }

    InstalledAction => pb::InstalledAction {
        name, package, hash, path, already_installed, installed_connectors, unbound,
        newly_stale_bindings,
    }

    UnboundCapability => pb::UnboundCapability { connector, kind, scope }

    Suite => pb::Suite { name, description, actions }
}

impl Wire<Source> for SuiteSource {
    fn into_wire(self) -> Source {
        match self {
            Self::Remote(source) => Source::Remote(source),
            Self::Text(text) => Source::Text(text),
        }
    }

    fn from_wire(source: Source, _field: &'static str) -> Result<Self> {
        Ok(match source {
            Source::Remote(source) => Self::Remote(source),
            Source::Text(text) => Self::Text(text),
        })
    }
}

must_be_there!(SuiteSource => Source);
