use aileron_contract::{
    Context, Error, Packages, Reason, Result, Scope,
    credential::{CredentialNeed, Form, HeaderTemplate, Oauth2Client},
    names::{ActionName, Fqn, PackageRef, Sha256Hash},
    packages::{
        Acceptance, Accepted, ActionPreview, ActionRequest, Capabilities, Connector,
        ConnectorPreview, ConnectorRequest, Drift, InstalledAction, InstalledConnector, LocalFiles,
        LocalPackage, Needs, Newer, PackageKind, Progress, SignatureStatus, Step, Suite,
        SuiteSource, Synced, Update,
    },
};
use async_trait::async_trait;

use super::{World, upkeep};

fn capabilities() -> Capabilities {
    Capabilities {
        hosts: vec!["a.example:443".parse().unwrap(), "b.example:443".parse().unwrap()],
        credential: Some(CredentialNeed {
            scope: Some("read notes".to_owned()),
            form: Form::ApiKey(HeaderTemplate::new("X-Key", "{key}").unwrap()),
            oauth2: None,
        }),
    }
}

/// A connector whose credential a provider gives.
fn signed_in() -> CredentialNeed {
    let at = |path: &str| format!("https://id.example{path}").parse().unwrap();
    let scopes = ["notes:read", "notes:write"].map(str::to_owned).to_vec();
    let client = Oauth2Client::new(at("/authorize"), at("/token"), "client", scopes).unwrap();
    CredentialNeed { scope: None, form: Form::Oauth2, oauth2: Some(client) }
}

fn preview(request: ActionRequest) -> ActionPreview {
    ActionPreview {
        package: request.package,
        name: "notes-list".parse().unwrap(),
        hash: Sha256Hash::new([1; 32]),
        intent: "List notes".to_owned(),
        signature: SignatureStatus::Verified,
        approval_required: false,
        connectors: Vec::new(),
        already_installed: false,
        existing: None,
        loses_approval: false,
        lenient: Vec::new(),
    }
}

fn installed(request: ActionRequest) -> InstalledAction {
    InstalledAction {
        name: "notes-list".parse().unwrap(),
        package: request.package,
        hash: Sha256Hash::new([1; 32]),
        path: "/home/actions/notes-list.md".to_owned(),
        already_installed: request.force,
        installed_connectors: Vec::new(),
        unbound: Vec::new(),
        newly_stale_bindings: Vec::new(),
    }
}

#[async_trait]
impl Packages for World {
    async fn preview_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<ConnectorPreview> {
        self.enter("preview_connector", context, Scope::PackagesPreview)?;
        Ok(ConnectorPreview {
            package: request.package,
            hash: Sha256Hash::new([2; 32]),
            publisher: "acme".to_owned(),
            fingerprint: "sha256:short".to_owned(),
            capabilities: capabilities(),
            already_installed: false,
            change: None,
        })
    }

    async fn install_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<InstalledConnector> {
        self.enter("install_connector", context, Scope::PackagesInstall)?;
        Ok(InstalledConnector {
            package: request.package,
            hash: Sha256Hash::new([2; 32]),
            entry_dir: "/home/store/x".to_owned(),
            already_installed: request.expected_hash.is_some(),
            newly_stale_bindings: Vec::new(),
        })
    }

    async fn connectors(&self, context: &Context) -> Result<Vec<Connector>> {
        self.enter("connectors", context, Scope::ActionsList)?;
        Ok(Vec::new())
    }

    async fn connector(&self, context: &Context, fqn: Fqn) -> Result<Connector> {
        self.enter("connector", context, Scope::ActionsList)?;
        if fqn.repo() == "absent" {
            return Err(Error::new(Reason::ConnectorNotInstalled, "it is not installed"));
        }
        let mut may = capabilities();
        may.credential = may.credential.filter(|_| fqn.repo() != "open");
        if let Some(need) = &mut may.credential {
            need.scope = need.scope.take().map(|scope| self.text(&scope));
        }
        if fqn.repo() == "signed-in" {
            may.credential = Some(signed_in());
        }
        let package = PackageRef { fqn, version: "1.0.0".parse().unwrap() };
        Ok(Connector { package, hash: Sha256Hash::new([2; 32]), capabilities: may })
    }

    async fn preview_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<ActionPreview>>> {
        self.enter("preview_actions", context, Scope::PackagesPreview)?;
        let mut shown = Vec::new();
        for request in requests {
            shown.push(match request.package.fqn.repo() {
                "absent" => Err(Error::new(Reason::FetchFailed, "it is not there")),
                _ => Ok(preview(request)),
            });
        }
        Ok(shown)
    }

    async fn install_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<InstalledAction>>> {
        self.enter("install_actions", context, Scope::PackagesInstall)?;
        let mut answers = Vec::new();
        for request in requests {
            answers.push(match request.package.fqn.repo() {
                "absent" => Err(Error::new(Reason::FetchFailed, "it is not there")),
                _ => Ok(installed(request)),
            });
        }
        Ok(answers)
    }

    async fn newest(&self, context: &Context, fqn: Fqn, prereleases: bool) -> Result<PackageRef> {
        self.enter("newest", context, Scope::PackagesPreview)?;
        let version = if prereleases { "2.0.0-rc.1" } else { "1.9.0" };
        Ok(PackageRef { fqn, version: version.parse().unwrap() })
    }

    async fn updates(&self, context: &Context, prereleases: bool) -> Result<Vec<Update>> {
        self.enter("updates", context, Scope::PackagesPreview)?;
        let of = |fqn: &str, found| Update { connector: fqn.parse().unwrap(), found };
        let version = |text: &str| text.parse().unwrap();
        let mut newer = vec![version("1.9.0")];
        if prereleases {
            newer.insert(0, version("2.0.0-rc.1"));
        }
        let known = Newer::Known { newest: newer.first().cloned(), newer };
        Ok(vec![
            of("github://acme/notes@1.0.0", known),
            of("gitlab://acme/notes@1.0.0", Newer::Unknown("it cannot be asked".to_owned())),
        ])
    }

    async fn progress(&self, context: &Context) -> Result<Vec<Progress>> {
        self.enter("progress", context, Scope::PackagesInstall)?;
        let of = |step| Progress { package: "github://acme/notes@1.0.0".parse().unwrap(), step };
        Ok(vec![
            of(Step::Fetching { received: 10, total: Some(20) }),
            of(Step::Fetching { received: 10, total: None }),
            of(Step::Compiling),
        ])
    }

    async fn bring(&self, context: &Context, files: LocalFiles) -> Result<LocalPackage> {
        self.enter("bring", context, Scope::PackagesInstall)?;
        let (bytes, kind) = match &files {
            LocalFiles::Archive(archive) => (&archive[..], PackageKind::Connector),
            LocalFiles::Loose(files) => (&files[0].content[..], PackageKind::Action),
        };
        let hash = Sha256Hash::of(&[bytes]);
        Ok(LocalPackage { package: "local://user/notes@1.0.0".parse().unwrap(), kind, hash })
    }

    async fn suite(&self, context: &Context, _: SuiteSource) -> Result<Suite> {
        self.enter("suite", context, Scope::PackagesPreview)?;
        let actions = vec!["github://acme/notes/actions/list@1.0.0".parse().unwrap()];
        Ok(Suite { name: "notes".to_owned(), description: "Notes".to_owned(), actions })
    }

    async fn drift(&self, context: &Context, only: Option<ActionName>) -> Result<Vec<Drift>> {
        self.enter("drift", context, Scope::ActionsList)?;
        let planted = |drift: Drift| Drift {
            message: self.text(&drift.message),
            difference: self.text(&drift.difference),
            ..drift
        };
        Ok(upkeep::drift(only).into_iter().map(planted).collect())
    }

    async fn accept(&self, context: &Context, acceptance: Acceptance) -> Result<Accepted> {
        self.enter("accept", context, Scope::PackagesInstall)?;
        upkeep::accept(&acceptance)
    }

    async fn needs(&self, context: &Context) -> Result<Needs> {
        self.enter("needs", context, Scope::ActionsList)?;
        Ok(upkeep::needs())
    }

    async fn sync(&self, context: &Context, only: Option<Vec<Sha256Hash>>) -> Result<Synced> {
        self.enter("sync", context, Scope::PackagesInstall)?;
        Ok(upkeep::sync(only.as_deref()))
    }
}
