use aileron_contract::{
    credential::{CredentialKind, CredentialNeed, Form},
    packages::{
        ActionPreview, ActionRequest, Capabilities, Connector, ConnectorDependency,
        ConnectorPreview, ConnectorRequest, ExistingAction, InstalledAction, InstalledConnector,
        SignatureStatus, Suite, SuiteSource, UnboundCapability,
    },
};

use super::{hash, hosts, name, oauth2, text};

const PACKAGE: &str = "github://acme/tools@1.2.3";

pub(crate) fn connector_request(full: bool) -> ConnectorRequest {
    ConnectorRequest { package: name(PACKAGE), expected_hash: full.then(hash) }
}

fn capabilities(full: bool) -> Capabilities {
    let credential =
        CredentialNeed { scope: text(full), form: Form::Oauth2, oauth2: Some(oauth2(true)) };
    Capabilities { hosts: hosts(full), credential: full.then_some(credential) }
}

pub(crate) fn connector_preview(full: bool) -> ConnectorPreview {
    ConnectorPreview {
        package: name(PACKAGE),
        hash: hash(),
        publisher: text(full).unwrap_or_default(),
        fingerprint: "sha256:abc".to_owned(),
        description: text(full),
        capabilities: capabilities(full),
        already_installed: full,
    }
}

pub(crate) fn installed_connector(full: bool) -> InstalledConnector {
    InstalledConnector {
        package: name(PACKAGE),
        hash: hash(),
        entry_dir: "store/x".to_owned(),
        already_installed: full,
        newly_stale_bindings: if full { vec![name("api_key/a/b")] } else { Vec::new() },
    }
}

pub(crate) fn connector(full: bool) -> Connector {
    Connector { package: name(PACKAGE), hash: hash(), capabilities: capabilities(full) }
}

pub(crate) fn connectors(full: bool) -> Vec<Connector> {
    if full { vec![connector(true), connector(false)] } else { Vec::new() }
}

pub(crate) fn action_request(full: bool) -> ActionRequest {
    ActionRequest { package: name(PACKAGE), force: full, auto_install_connectors: !full }
}

pub(crate) fn action_preview(full: bool) -> ActionPreview {
    let dependency = |full: bool| ConnectorDependency {
        package: name(PACKAGE),
        hash: hash(),
        operations: if full { vec!["list".to_owned()] } else { Vec::new() },
        already_installed: full,
    };
    let existing =
        ExistingAction { source: name(PACKAGE), hash: hash(), path: "actions/x.md".to_owned() };
    ActionPreview {
        package: name(PACKAGE),
        name: name("notes-list"),
        hash: hash(),
        intent: text(full).unwrap_or_default(),
        signature: if full { SignatureStatus::Unsigned } else { SignatureStatus::Verified },
        approval_required: full,
        connectors: if full { vec![dependency(true), dependency(false)] } else { Vec::new() },
        already_installed: full,
        existing: full.then_some(existing),
    }
}

pub(crate) fn installed_action(full: bool) -> InstalledAction {
    let unbound = UnboundCapability {
        connector: name("github://acme/tools"),
        kind: CredentialKind::Oauth2,
        scope: text(full),
    };
    InstalledAction {
        name: name("notes-list"),
        package: name(PACKAGE),
        hash: hash(),
        path: "actions/notes-list.md".to_owned(),
        already_installed: full,
        installed_connectors: if full { vec![installed_connector(true)] } else { Vec::new() },
        unbound: if full { vec![unbound] } else { Vec::new() },
        newly_stale_bindings: if full { vec![name("api_key/a/b")] } else { Vec::new() },
    }
}

pub(crate) fn suite_source(full: bool) -> SuiteSource {
    if full {
        SuiteSource::Remote("github://a/b/s@1".to_owned())
    } else {
        SuiteSource::Text(String::new())
    }
}

pub(crate) fn suite(full: bool) -> Suite {
    Suite {
        name: text(full).unwrap_or_default(),
        description: text(full).unwrap_or_default(),
        actions: if full {
            vec![name("github://b/b@1.0.0"), name("github://a/a@2.0.0")]
        } else {
            Vec::new()
        },
    }
}
