use aileron_contract::{
    Error, Reason, Result,
    credential::{CredentialKind, CredentialNeed, Form},
    names::PackageRef,
    packages::{
        ActionPreview, ActionRequest, Capabilities, CapabilityChange, Connector,
        ConnectorDependency, ConnectorPreview, ConnectorRequest, ExistingAction, InstalledAction,
        InstalledConnector, LocalFile, LocalFiles, LocalPackage, Newer, PackageKind,
        PossibleRequest, Progress, SignatureStatus, Step, Suite, SuiteSource, UnboundCapability,
        Update,
    },
};
use bytes::Bytes;

use serde_json::json;

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
        capabilities: capabilities(full),
        already_installed: full,
        change: full.then(change),
    }
}

fn change() -> CapabilityChange {
    let requests = |full: bool| {
        let request = PossibleRequest {
            host: name("api.example.com:443"),
            credential: full.then_some(CredentialKind::ApiKey),
            bindings: if full { vec![name("api_key/a/b")] } else { Vec::new() },
        };
        vec![request]
    };
    CapabilityChange {
        from: name("1.2.2"),
        signer: "sha256:abc".to_owned(),
        before: capabilities(false),
        gained: requests(true),
        lost: requests(false),
        gained_scopes: vec!["write".to_owned()],
        lost_scopes: vec!["read".to_owned()],
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
    ActionRequest {
        package: name(PACKAGE),
        expected_hash: full.then(hash),
        force: full,
        auto_install_connectors: !full,
        accept_unsigned: full,
    }
}

pub(crate) fn action_preview(full: bool) -> ActionPreview {
    let dependency = |full: bool| ConnectorDependency {
        package: name(PACKAGE),
        hash: hash(),
        operations: if full { vec!["list".to_owned()] } else { Vec::new() },
        already_installed: full,
    };
    let existing = ExistingAction {
        source: name(PACKAGE),
        hash: hash(),
        path: "actions/x.md".to_owned(),
        signer: text(full),
    };
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
        loses_approval: full,
        lenient: if full { vec!["types are shown".to_owned()] } else { Vec::new() },
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

/// What became of each of several: a success and a refusal.
pub(crate) fn each<T>(full: bool, one: impl Fn(bool) -> T) -> Vec<Result<T>> {
    let refused = Error::new(Reason::FetchFailed, text(full).unwrap_or_default());
    let refused = if full { refused.with_details(json!({ "status": 404 })) } else { refused };
    if full { vec![Ok(one(true)), Err(refused), Ok(one(false))] } else { vec![Err(refused)] }
}

pub(crate) fn newest(full: bool) -> PackageRef {
    name(if full { "github://acme/tools/x@2.0.0-rc.1" } else { PACKAGE })
}

pub(crate) fn updates(full: bool) -> Vec<Update> {
    let of = |found| Update { connector: name(PACKAGE), found };
    let newer = vec![name("2.0.0-rc.1"), name("1.9.0")];
    let known = Newer::Known { newest: Some(name("2.0.0-rc.1")), newer };
    let nothing = Newer::Known { newest: None, newer: Vec::new() };
    let unknown = Newer::Unknown("it does not answer".to_owned());
    if full { vec![of(known), of(nothing), of(unknown)] } else { Vec::new() }
}

pub(crate) fn progress(full: bool) -> Vec<Progress> {
    let of = |step| Progress { package: name(PACKAGE), step };
    let whole = Step::Fetching { received: 1, total: Some(u64::MAX) };
    let some = Step::Fetching { received: 0, total: None };
    if full { vec![of(whole), of(some), of(Step::Compiling)] } else { Vec::new() }
}

pub(crate) fn local_files(full: bool) -> LocalFiles {
    let content = Bytes::from_static(&[0, 159, 146, 150]);
    if full {
        LocalFiles::Loose(vec![LocalFile { name: "manifest.toml".to_owned(), content }])
    } else {
        LocalFiles::Archive(content)
    }
}

pub(crate) fn local_package(full: bool) -> LocalPackage {
    let kind = if full { PackageKind::Action } else { PackageKind::Connector };
    LocalPackage { package: name(PACKAGE), kind, hash: hash() }
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
