//! The types of the packages contract, field by field.

use aileron_contract::{
    Result,
    packages::{
        ActionPreview, ActionRequest, Capabilities, Connector, ConnectorDependency,
        ConnectorPreview, ConnectorRequest, DistrustRequest, ExistingAction, InstalledAction,
        InstalledConnector, Keyring, PublishedKey, Suite, SuiteSource, Trusted, TrustedKey,
        UnboundCapability,
    },
};
use aileron_proto::executor::v1::{self as pb, distrust_request::Which, get_suite_request::Source};

use crate::message::{Wire, messages, must_be_there, read};

// connectors
messages! {
    ConnectorRequest => pb::ConnectorRequest { package, expected_hash }

    Capabilities => pb::Capabilities { hosts, credential }

    ConnectorPreview => pb::ConnectorPreview {
        package, hash, publisher, fingerprint, description, capabilities, already_installed,
    }

    InstalledConnector => pb::InstalledConnector {
        package, hash, entry_dir, already_installed, newly_stale_bindings,
    }

    Connector => pb::Connector { package, hash, capabilities }
}

// actions and suites
messages! {
    ActionRequest => pb::ActionRequest { package, force, auto_install_connectors }

    ActionPreview => pb::ActionPreview {
        package, name, hash, intent, signature, approval_required, connectors, already_installed,
        existing,
    }

    ConnectorDependency => pb::ConnectorDependency { package, hash, operations, already_installed }

    ExistingAction => pb::ExistingAction { source, hash, path }

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

// keys
messages! {
    Keyring => pb::Keyring { keys, verified, path }

    TrustedKey => pb::TrustedKey { authority, key, fingerprint }

    PublishedKey => pb::PublishedKey { authority, key, fingerprint, trusted, fetched_at }

    Trusted => pb::TrustResponse { key, already, path }
}

impl Wire<Which> for DistrustRequest {
    fn into_wire(self) -> Which {
        match self {
            Self::Authority(authority) => Which::Authority(authority.into_wire()),
            Self::Fingerprint(fingerprint) => Which::Fingerprint(fingerprint),
        }
    }

    fn from_wire(which: Which, field: &'static str) -> Result<Self> {
        Ok(match which {
            Which::Authority(authority) => Self::Authority(read(authority, field)?),
            Which::Fingerprint(fingerprint) => Self::Fingerprint(fingerprint),
        })
    }
}

must_be_there!(DistrustRequest => Which);
