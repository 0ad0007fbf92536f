//! Domain types of the packages contract and their messages: connectors and actions. Keys are in
//! `keys`.

pub(super) mod keys;

use aileron_contract::{
    Result,
    packages::{
        ActionPreview, ActionRequest, Capabilities, Connector, ConnectorDependency,
        ConnectorPreview, ConnectorRequest, ExistingAction, InstalledAction, InstalledConnector,
        Suite, SuiteSource, UnboundCapability,
    },
};
use aileron_proto::executor::v1::{self as pb, get_suite_request::Source};

use crate::{
    failure::{need_from_wire, need_to_wire},
    values::{hash_if, list, parsed, parsed_list, required, text_if, texts},
};

pub(super) fn connector_request_to_wire(request: ConnectorRequest) -> pb::ConnectorRequest {
    let ConnectorRequest { package, expected_hash } = request;
    pb::ConnectorRequest { package: package.to_string(), expected_hash: text_if(expected_hash) }
}

pub(super) fn connector_request_from_wire(
    request: Option<pb::ConnectorRequest>,
) -> Result<ConnectorRequest> {
    let pb::ConnectorRequest { package, expected_hash } = required(request, "request")?;
    Ok(ConnectorRequest { package: parsed(package)?, expected_hash: hash_if(expected_hash)? })
}

fn capabilities_to_wire(capabilities: Capabilities) -> pb::Capabilities {
    let Capabilities { hosts, credential } = capabilities;
    pb::Capabilities { hosts: texts(hosts), credential: credential.map(need_to_wire) }
}

fn capabilities_from_wire(capabilities: Option<pb::Capabilities>) -> Result<Capabilities> {
    let pb::Capabilities { hosts, credential } = required(capabilities, "capabilities")?;
    Ok(Capabilities {
        hosts: parsed_list(hosts)?,
        credential: credential.map(need_from_wire).transpose()?,
    })
}

pub(super) fn connector_preview_to_wire(preview: ConnectorPreview) -> pb::ConnectorPreview {
    let ConnectorPreview {
        package,
        hash,
        publisher,
        fingerprint,
        description,
        capabilities,
        already_installed,
    } = preview;
    pb::ConnectorPreview {
        package: package.to_string(),
        hash: hash.to_string(),
        publisher,
        fingerprint,
        description,
        capabilities: Some(capabilities_to_wire(capabilities)),
        already_installed,
    }
}

pub(super) fn connector_preview_from_wire(
    preview: Option<pb::ConnectorPreview>,
) -> Result<ConnectorPreview> {
    let pb::ConnectorPreview {
        package,
        hash,
        publisher,
        fingerprint,
        description,
        capabilities,
        already_installed,
    } = required(preview, "preview")?;
    Ok(ConnectorPreview {
        package: parsed(package)?,
        hash: parsed(hash)?,
        publisher,
        fingerprint,
        description,
        capabilities: capabilities_from_wire(capabilities)?,
        already_installed,
    })
}

pub(super) fn installed_connector_to_wire(installed: InstalledConnector) -> pb::InstalledConnector {
    let InstalledConnector { package, hash, entry_dir, already_installed, newly_stale_bindings } =
        installed;
    pb::InstalledConnector {
        package: package.to_string(),
        hash: hash.to_string(),
        entry_dir,
        already_installed,
        newly_stale_bindings: texts(newly_stale_bindings),
    }
}

pub(super) fn installed_connector_from_wire(
    installed: pb::InstalledConnector,
) -> Result<InstalledConnector> {
    let pb::InstalledConnector {
        package,
        hash,
        entry_dir,
        already_installed,
        newly_stale_bindings,
    } = installed;
    Ok(InstalledConnector {
        package: parsed(package)?,
        hash: parsed(hash)?,
        entry_dir,
        already_installed,
        newly_stale_bindings: parsed_list(newly_stale_bindings)?,
    })
}

pub(super) fn connector_to_wire(connector: Connector) -> pb::Connector {
    let Connector { package, hash, capabilities } = connector;
    pb::Connector {
        package: package.to_string(),
        hash: hash.to_string(),
        capabilities: Some(capabilities_to_wire(capabilities)),
    }
}

pub(super) fn connector_from_wire(connector: pb::Connector) -> Result<Connector> {
    let pb::Connector { package, hash, capabilities } = connector;
    Ok(Connector {
        package: parsed(package)?,
        hash: parsed(hash)?,
        capabilities: capabilities_from_wire(capabilities)?,
    })
}

pub(super) fn action_request_to_wire(request: ActionRequest) -> pb::ActionRequest {
    let ActionRequest { package, force, auto_install_connectors } = request;
    pb::ActionRequest { package: package.to_string(), force, auto_install_connectors }
}

pub(super) fn action_request_from_wire(
    request: Option<pb::ActionRequest>,
) -> Result<ActionRequest> {
    let pb::ActionRequest { package, force, auto_install_connectors } =
        required(request, "request")?;
    Ok(ActionRequest { package: parsed(package)?, force, auto_install_connectors })
}

pub(super) fn action_preview_to_wire(preview: ActionPreview) -> pb::ActionPreview {
    let ActionPreview {
        package,
        name,
        hash,
        intent,
        signature,
        approval_required,
        connectors,
        already_installed,
        existing,
    } = preview;
    pb::ActionPreview {
        package: package.to_string(),
        name: name.to_string(),
        hash: hash.to_string(),
        intent,
        signature: signature.to_string(),
        approval_required,
        connectors: connectors.into_iter().map(dependency_to_wire).collect(),
        already_installed,
        existing: existing.map(existing_to_wire),
    }
}

pub(super) fn action_preview_from_wire(
    preview: Option<pb::ActionPreview>,
) -> Result<ActionPreview> {
    let pb::ActionPreview {
        package,
        name,
        hash,
        intent,
        signature,
        approval_required,
        connectors,
        already_installed,
        existing,
    } = required(preview, "preview")?;
    Ok(ActionPreview {
        package: parsed(package)?,
        name: parsed(name)?,
        hash: parsed(hash)?,
        intent,
        signature: parsed(signature)?,
        approval_required,
        connectors: list(connectors, dependency_from_wire)?,
        already_installed,
        existing: existing.map(existing_from_wire).transpose()?,
    })
}

fn dependency_to_wire(dependency: ConnectorDependency) -> pb::ConnectorDependency {
    let ConnectorDependency { package, hash, operations, already_installed } = dependency;
    pb::ConnectorDependency {
        package: package.to_string(),
        hash: hash.to_string(),
        operations,
        already_installed,
    }
}

fn dependency_from_wire(dependency: pb::ConnectorDependency) -> Result<ConnectorDependency> {
    let pb::ConnectorDependency { package, hash, operations, already_installed } = dependency;
    Ok(ConnectorDependency {
        package: parsed(package)?,
        hash: parsed(hash)?,
        operations,
        already_installed,
    })
}

fn existing_to_wire(existing: ExistingAction) -> pb::ExistingAction {
    let ExistingAction { source, hash, path } = existing;
    pb::ExistingAction { source: source.to_string(), hash: hash.to_string(), path }
}

fn existing_from_wire(existing: pb::ExistingAction) -> Result<ExistingAction> {
    let pb::ExistingAction { source, hash, path } = existing;
    Ok(ExistingAction { source: parsed(source)?, hash: parsed(hash)?, path })
}

pub(super) fn installed_action_to_wire(installed: InstalledAction) -> pb::InstalledAction {
    let InstalledAction {
        name,
        package,
        hash,
        path,
        already_installed,
        installed_connectors,
        unbound,
        newly_stale_bindings,
    } = installed;
    pb::InstalledAction {
        name: name.to_string(),
        package: package.to_string(),
        hash: hash.to_string(),
        path,
        already_installed,
        installed_connectors: installed_connectors
            .into_iter()
            .map(installed_connector_to_wire)
            .collect(),
        unbound: unbound.into_iter().map(unbound_to_wire).collect(),
        newly_stale_bindings: texts(newly_stale_bindings),
    }
}

pub(super) fn installed_action_from_wire(
    installed: Option<pb::InstalledAction>,
) -> Result<InstalledAction> {
    let pb::InstalledAction {
        name,
        package,
        hash,
        path,
        already_installed,
        installed_connectors,
        unbound,
        newly_stale_bindings,
    } = required(installed, "installed")?;
    Ok(InstalledAction {
        name: parsed(name)?,
        package: parsed(package)?,
        hash: parsed(hash)?,
        path,
        already_installed,
        installed_connectors: list(installed_connectors, installed_connector_from_wire)?,
        unbound: list(unbound, unbound_from_wire)?,
        newly_stale_bindings: parsed_list(newly_stale_bindings)?,
    })
}

fn unbound_to_wire(unbound: UnboundCapability) -> pb::UnboundCapability {
    let UnboundCapability { connector, kind, scope } = unbound;
    pb::UnboundCapability { connector: connector.to_string(), kind: kind.to_string(), scope }
}

fn unbound_from_wire(unbound: pb::UnboundCapability) -> Result<UnboundCapability> {
    let pb::UnboundCapability { connector, kind, scope } = unbound;
    Ok(UnboundCapability { connector: parsed(connector)?, kind: parsed(kind)?, scope })
}

pub(super) fn suite_source_to_wire(source: SuiteSource) -> Source {
    match source {
        SuiteSource::Remote(source) => Source::Remote(source),
        SuiteSource::Text(text) => Source::Text(text),
    }
}

pub(super) fn suite_source_from_wire(source: Option<Source>) -> Result<SuiteSource> {
    Ok(match required(source, "source")? {
        Source::Remote(source) => SuiteSource::Remote(source),
        Source::Text(text) => SuiteSource::Text(text),
    })
}

pub(super) fn suite_to_wire(suite: Suite) -> pb::Suite {
    let Suite { name, description, actions } = suite;
    pb::Suite { name, description, actions: texts(actions) }
}

pub(super) fn suite_from_wire(suite: Option<pb::Suite>) -> Result<Suite> {
    let pb::Suite { name, description, actions } = required(suite, "suite")?;
    Ok(Suite { name, description, actions: parsed_list(actions)? })
}
