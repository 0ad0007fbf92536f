use aileron_contract::{
    credential::CredentialKind,
    packages::{
        Acceptance, Accepted, Drift, DriftOf, DriftState, InstallFailure, MissingConnector, Needs,
        Synced, UnboundCapability,
    },
};

use super::{hash, name, packages::installed_connector, text};

const PACKAGE: &str = "github://acme/tools@1.2.3";

pub(crate) fn acceptance(full: bool) -> Acceptance {
    let of = if full { DriftOf::Connector(name(PACKAGE)) } else { DriftOf::Lock };
    Acceptance { of, digest: hash() }
}

pub(crate) fn drift(full: bool) -> Vec<Drift> {
    let all =
        [DriftOf::Action(name("notes-list")), DriftOf::Connector(name(PACKAGE)), DriftOf::Lock];
    let item = |of| Drift {
        of,
        state: if full { DriftState::Changed } else { DriftState::Unaccepted },
        path: text(full).unwrap_or_default(),
        message: text(full).unwrap_or_default(),
        difference: text(full).unwrap_or_default(),
        cut: full,
        digest: full.then(hash),
    };
    all.into_iter().map(item).collect()
}

pub(crate) fn accepted(full: bool) -> Accepted {
    Accepted { already: full, missing: if full { vec![name(PACKAGE)] } else { Vec::new() } }
}

pub(crate) fn needs(full: bool) -> Needs {
    if !full {
        return Needs::default();
    }
    let missing = MissingConnector {
        package: name(PACKAGE),
        hash: hash(),
        needed_by: vec![name("notes-list"), name("notes-add")],
        accepted: true,
    };
    let unbound = UnboundCapability {
        connector: name("github://acme/tools"),
        kind: CredentialKind::ApiKey,
        scope: text(true),
    };
    Needs {
        actions: u64::MAX,
        unreadable: 1,
        required: vec![name(PACKAGE)],
        present: vec![name("github://b/b@1.0.0")],
        missing: vec![missing],
        unbound: vec![unbound],
    }
}

pub(crate) fn synced(full: bool) -> Synced {
    let failure = InstallFailure { package: name(PACKAGE), error: "no".to_owned() };
    Synced {
        installed: if full { vec![installed_connector(true)] } else { Vec::new() },
        failures: if full { vec![failure] } else { Vec::new() },
        needs: needs(full),
    }
}
