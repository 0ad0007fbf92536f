use aileron_contract::{
    Error, Reason, Result,
    credential::CredentialKind,
    names::{ActionName, Sha256Hash},
    packages::{
        Acceptance, Accepted, Drift, DriftOf, DriftState, InstallFailure, InstalledConnector,
        MissingConnector, Needs, Synced, UnboundCapability,
    },
};

/// What was shown, and is accepted when it is named.
pub(super) fn shown() -> Sha256Hash {
    Sha256Hash::new([7; 32])
}

pub(super) fn drift(only: Option<ActionName>) -> Vec<Drift> {
    let item = |of| Drift {
        of,
        state: DriftState::Changed,
        path: "/home/actions/x".to_owned(),
        message: "it is not what was accepted".to_owned(),
        difference: "-a\n+\u{1b}[2Jb\n".to_owned(),
        cut: false,
        digest: Some(shown()),
    };
    if let Some(only) = only {
        return vec![item(DriftOf::Action(only))];
    }
    let connector = DriftOf::Connector("github://acme/notes@1.0.0".parse().unwrap());
    let gone = Drift { state: DriftState::Missing, digest: None, ..item(connector) };
    vec![item(DriftOf::Action("notes-list".parse().unwrap())), gone, item(DriftOf::Lock)]
}

pub(super) fn accept(acceptance: &Acceptance) -> Result<Accepted> {
    if acceptance.digest != shown() {
        return Err(Error::new(Reason::ConsentChanged, "look again"));
    }
    let missing = match &acceptance.of {
        DriftOf::Action(_) => vec!["github://acme/notes@1.0.0".parse().unwrap()],
        DriftOf::Connector(_) | DriftOf::Lock => Vec::new(),
    };
    Ok(Accepted { already: false, missing })
}

pub(super) fn needs() -> Needs {
    let package = || "github://acme/notes@1.0.0".parse().unwrap();
    Needs {
        actions: 2,
        unreadable: 1,
        required: vec![package(), "github://acme/tasks@2.0.0".parse().unwrap()],
        present: vec!["github://acme/tasks@2.0.0".parse().unwrap()],
        missing: vec![MissingConnector {
            package: package(),
            hash: shown(),
            needed_by: vec!["notes-list".parse().unwrap()],
            accepted: true,
        }],
        unbound: vec![UnboundCapability {
            connector: "github://acme/tasks".parse().unwrap(),
            kind: CredentialKind::ApiKey,
            scope: Some("your tasks".to_owned()),
        }],
    }
}

pub(super) fn sync(only: Option<&[Sha256Hash]>) -> Synced {
    let package = || "github://acme/notes@1.0.0".parse().unwrap();
    if only.is_some_and(|only| !only.contains(&shown())) {
        return Synced { installed: Vec::new(), failures: Vec::new(), needs: needs() };
    }
    let installed = InstalledConnector {
        package: package(),
        hash: shown(),
        entry_dir: "/home/store/x".to_owned(),
        already_installed: false,
        newly_stale_bindings: Vec::new(),
    };
    let error = "it is not signed by whom you trust".to_owned();
    let needs = Needs { missing: Vec::new(), ..needs() };
    let failures = vec![InstallFailure { package: package(), error }];
    Synced { installed: vec![installed], failures, needs }
}
