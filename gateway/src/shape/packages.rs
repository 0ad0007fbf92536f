use aileron_api::packages::{
    ActionPreview, Capabilities, CapabilityChange, Connector, ConnectorDependency,
    ConnectorPreview, CredentialNeed, ExistingAction, InstalledAction, InstalledConnector,
    PossibleRequest, Suite, SuiteMember, UnboundCapability,
};
use aileron_contract::{
    credential::{self, Form},
    names::PackageRef,
    packages,
};

use super::{text, texts};

fn parts(package: PackageRef) -> (String, String) {
    let PackageRef { fqn, version } = package;
    (fqn.to_string(), version.to_string())
}

fn capabilities(capabilities: packages::Capabilities) -> Capabilities {
    let packages::Capabilities { hosts, credential } = capabilities;
    Capabilities { network_hosts: texts(&hosts), credential: credential.map(need) }
}

fn need(need: credential::CredentialNeed) -> CredentialNeed {
    let kind = need.kind().to_string();
    let credential::CredentialNeed { scope, form, oauth2 } = need;
    let (header, parameter, access_key_id) = match &form {
        Form::ApiKey(_) | Form::Oauth2 | Form::Basic | Form::Header(_) => {
            (Some(form.to_string()), None, None)
        }
        Form::Query(parameter) => (None, Some(parameter.to_string()), None),
        Form::AwsSigv4(signing) => (None, None, text(signing.access_key_id.as_ref())),
    };
    let scopes = oauth2.as_ref().map(|client| client.scopes().to_vec()).unwrap_or_default();
    let device = oauth2.as_ref().map(|client| client.device_authorization_url.is_some());
    let provider = oauth2.as_ref().and_then(|client| client.authorize_url.authority());
    CredentialNeed { kind, scope, header, parameter, scopes, provider, device, access_key_id }
}

pub(crate) fn connector_preview(preview: packages::ConnectorPreview) -> ConnectorPreview {
    let packages::ConnectorPreview {
        package,
        hash,
        publisher,
        fingerprint,
        capabilities: may,
        already_installed,
        change,
    } = preview;
    let (fqn, version) = parts(package);
    ConnectorPreview {
        fqn,
        version,
        hash: hash.to_string(),
        publisher,
        signature_status: "verified".to_owned(),
        capabilities: capabilities(may),
        already_installed,
        fingerprint: Some(fingerprint),
        change: change.map(capability_change),
    }
}

fn capability_change(change: packages::CapabilityChange) -> CapabilityChange {
    let packages::CapabilityChange {
        from,
        signer,
        before,
        gained,
        lost,
        gained_scopes,
        lost_scopes,
    } = change;
    CapabilityChange {
        from_version: from.to_string(),
        from_fingerprint: signer,
        before: capabilities(before),
        gained: gained.into_iter().map(possible_request).collect(),
        lost: lost.into_iter().map(possible_request).collect(),
        gained_scopes,
        lost_scopes,
    }
}

fn possible_request(request: packages::PossibleRequest) -> PossibleRequest {
    let packages::PossibleRequest { host, credential, bindings } = request;
    PossibleRequest {
        host: host.to_string(),
        credential_kind: text(credential.as_ref()),
        bindings: texts(&bindings),
    }
}

pub(crate) fn installed_connector(installed: packages::InstalledConnector) -> InstalledConnector {
    let packages::InstalledConnector {
        package,
        hash,
        entry_dir,
        already_installed,
        newly_stale_bindings,
    } = installed;
    let (fqn, version) = parts(package);
    InstalledConnector {
        fqn,
        version,
        hash: hash.to_string(),
        entry_dir,
        already_installed,
        newly_stale_bindings: texts(&newly_stale_bindings),
    }
}

pub(crate) fn connector(connector: packages::Connector) -> Connector {
    let packages::Connector { package, hash, capabilities: may } = connector;
    let (fqn, version) = parts(package);
    Connector { fqn, version, hash: hash.to_string(), capabilities: capabilities(may) }
}

pub(crate) fn action_preview(preview: packages::ActionPreview) -> ActionPreview {
    let packages::ActionPreview {
        package,
        name,
        hash,
        intent,
        signature,
        approval_required,
        connectors,
        already_installed,
        existing,
        loses_approval,
        lenient,
    } = preview;
    let (fqn, version) = parts(package);
    ActionPreview {
        fqn,
        version,
        hash: hash.to_string(),
        name: name.to_string(),
        connector_deps: connectors.into_iter().map(dependency).collect(),
        intent: Some(intent),
        signature_status: Some(signature.to_string()),
        already_installed,
        existing: existing.map(existing_action),
        approval_required,
        loses_approval,
        lenient,
    }
}

fn dependency(dependency: packages::ConnectorDependency) -> ConnectorDependency {
    let packages::ConnectorDependency { package, hash, operations, already_installed } = dependency;
    let (fqn, version) = parts(package);
    let hash = hash.to_string();
    ConnectorDependency { fqn, version, hash, capabilities: operations, already_installed }
}

fn existing_action(existing: packages::ExistingAction) -> ExistingAction {
    let packages::ExistingAction { source, hash, path, signer } = existing;
    ExistingAction {
        version: source.version.to_string(),
        hash: hash.to_string(),
        source: source.to_string(),
        path,
        fingerprint: signer,
    }
}

pub(crate) fn installed_action(installed: packages::InstalledAction) -> InstalledAction {
    let packages::InstalledAction {
        name,
        package,
        hash,
        path,
        already_installed,
        installed_connectors,
        unbound,
        newly_stale_bindings,
    } = installed;
    let source = package.to_string();
    let (fqn, version) = parts(package);
    InstalledAction {
        name: name.to_string(),
        fqn,
        version,
        source,
        path,
        already_installed,
        hash: Some(hash.to_string()),
        installed_connectors: installed_connectors.into_iter().map(installed_connector).collect(),
        unbound_capabilities: unbound.into_iter().map(unbound_capability).collect(),
        newly_stale_bindings: texts(&newly_stale_bindings),
    }
}

pub(super) fn unbound_capability(unbound: packages::UnboundCapability) -> UnboundCapability {
    let packages::UnboundCapability { connector, kind, scope } = unbound;
    UnboundCapability { connector_fqn: connector.to_string(), kind: kind.to_string(), scope }
}

pub(crate) fn suite(suite: packages::Suite) -> Suite {
    let packages::Suite { name, description, actions } = suite;
    let member = |package| {
        let (fqn, version) = parts(package);
        SuiteMember { fqn, version }
    };
    Suite { name, description, actions: actions.into_iter().map(member).collect() }
}
