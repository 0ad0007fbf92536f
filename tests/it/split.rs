//! The same house in one process, and in four over Unix sockets.

mod doors;
mod secrets;

use std::{
    ffi::OsString,
    net::TcpListener,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    time::{Duration, Instant},
};

use aileron_api::{actions::RunAction, client::Client};
use aileron_node::demo::Servers;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    house::{House, create_vault, person},
    main_job::{approve, ask, goes_all_the_way, install, list, settled},
    memory::holds as memory_holds,
    postgres::Server,
};

/// The processes, by role.
pub(crate) struct Four {
    pub(crate) house: House,
    pub(crate) audit: u32,
    pub(crate) vault: u32,
    pub(crate) executor: u32,
    pub(crate) gateway: u32,
    /// Sockets, tokens and certificates; removed with the processes.
    run: TempDir,
}

impl Four {
    /// Over TCP, each process with a certificate of its role. The gateway shows the one it is given.
    fn start_over_tls(servers: &Servers, gateway: &Certificate) -> Self {
        let run = tempfile::Builder::new().prefix("aileron-tls-").tempdir().unwrap();
        let folder = run.path();
        let token = folder.join("service.token");
        private(&token, "0123456789abcdef0123456789abcdef0123456789abcdef");
        private(&folder.join("authority.pem"), &gateway.believed.pem);
        let mut house = House::with_config(servers, &json!({}));
        let base: serde_json::Value =
            serde_json::from_slice(&std::fs::read(house.path().join("config.yaml")).unwrap())
                .unwrap();
        let ports: Vec<_> = (0..3).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let address = |at: usize| ports[at].local_addr().unwrap().to_string();
        let door = |at: usize| json!({ "listen": address(at), "address": address(at) });
        let doors = [door(0), door(1), door(2)];
        drop(ports);
        let mut start = |name: &str| {
            let (certificate, key) = match name {
                "gateway" => gateway.issued(),
                _ => gateway.believed.certify(name),
            };
            let at = |kind: &str| folder.join(format!("{name}.{kind}.pem"));
            private(&at("certificate"), &certificate);
            private(&at("key"), &key);
            let mut config = base.clone();
            config["services"] = json!({
                "token_file": token,
                "tls": {
                    "authority": folder.join("authority.pem"),
                    "certificate": at("certificate"),
                    "key": at("key"),
                },
                "audit": doors[0], "vault": doors[1], "executor": doors[2],
            });
            let path = folder.join(format!("{name}.yaml"));
            private(&path, &config.to_string());
            house.spawn(&["serve", "--roles", name, "--config", path.to_str().unwrap()])
        };
        let (audit, vault, executor) = (start("audit"), start("vault"), start("executor"));
        let gateway = start("gateway");
        Self { house, audit, vault, executor, gateway, run }
    }

    pub(crate) fn start(servers: &Servers) -> Self {
        Self::start_in(servers, &[])
    }

    /// Each with further variables.
    pub(crate) fn start_in(servers: &Servers, environment: &[(&'static str, OsString)]) -> Self {
        let run = tempfile::Builder::new().prefix("aileron-run-").tempdir().unwrap();
        let sockets = run.path();
        let token = sockets.join("service.token");
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&token)
            .unwrap();
        std::fs::write(&token, "0123456789abcdef0123456789abcdef0123456789abcdef").unwrap();
        std::fs::set_permissions(sockets, std::fs::Permissions::from_mode(0o700)).unwrap();
        let services = json!({ "services": {
            "token_file": token,
            "executor": sockets.join("executor.sock"),
            "vault": sockets.join("vault.sock"),
            "audit": sockets.join("audit.sock"),
        }});
        let mut house = House::with_config(servers, &services);
        let config = house.path().join("config.yaml").to_str().unwrap().to_owned();
        let mut start = |name| {
            let arguments = ["serve", "--roles", name, "--config", &config];
            house.spawn_in(&arguments, environment.to_vec())
        };
        let audit = start("audit");
        let vault = start("vault");
        let executor = start("executor");
        let gateway = start("gateway");
        Self { house, audit, vault, executor, gateway, run }
    }

    /// A client, once all four have found each other.
    pub(crate) async fn program(&mut self) -> Client {
        let program = self.house.client().await;
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = program.status().await {
            assert_eq!(error.code(), Some("service_unavailable"), "{error}");
            assert!(Instant::now() < deadline, "{}", self.house.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        program
    }
}

/// Whom the services believe, and what the gateway shows them.
struct Certificate {
    believed: Authority,
    /// The authority of the gateway's certificate, when it is another.
    other: Option<Authority>,
    name: &'static str,
}

impl Certificate {
    fn issued(&self) -> (String, String) {
        self.other.as_ref().unwrap_or(&self.believed).certify(self.name)
    }
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn certify(&self, role: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![role.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_four_processes_over_mutual_tls() {
    let servers = Servers::start().await.unwrap();
    let gateway = Certificate { believed: Authority::new(), other: None, name: "gateway" };
    let mut four = Four::start_over_tls(&servers, &gateway);
    let program = four.program().await;
    goes_all_the_way(&program, &servers).await;
    assert!(!memory_holds(four.executor, servers.notes_key.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_of_another_role_or_authority_is_refused() {
    let servers = Servers::start().await.unwrap();
    for (other, name) in [(None, "audit"), (Some(Authority::new()), "gateway")] {
        let gateway = Certificate { believed: Authority::new(), other, name };
        let mut four = Four::start_over_tls(&servers, &gateway);
        let program = four.house.client().await;
        // Long enough for all of them to be up: the vault and the executor talk to the log.
        let end = Instant::now() + Duration::from_secs(20);
        while four.house.log().matches("serving").count() < 3 {
            assert!(Instant::now() < end, "{}", four.house.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let refused = program.status().await.unwrap_err();
        assert_eq!(refused.code(), Some("service_unavailable"), "{refused}");
    }
}

pub(crate) fn role(house: &mut House, name: &str) -> u32 {
    let config = house.path().join("config.yaml");
    house.spawn(&["serve", "--roles", name, "--config", config.to_str().unwrap()])
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_process() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let program = house.start().await;
    goes_all_the_way(&program, &servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql() {
    let server = Server::start();
    let database = json!({ "database_url": server.database().await });
    let servers = Servers::start().await.unwrap();
    let mut house = House::with_config(&servers, &database);
    let program = house.start().await;
    goes_all_the_way(&program, &servers).await;
    assert!(!house.path().join("state.db").exists(), "nothing is kept beside the server");

    // Another home on the same database would settle this one's runs.
    let other = House::with_config(&servers, &database);
    let refused = other.run(&["daemon", "run"]);
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && text.contains("another process holds the role"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_four_processes() {
    let servers = Servers::start().await.unwrap();
    let mut four = Four::start(&servers);
    let program = four.program().await;
    goes_all_the_way(&program, &servers).await;

    let key = servers.notes_key.as_bytes();
    assert!(!memory_holds(four.executor, key), "the executor has seen the credential");
    assert!(!memory_holds(four.audit, key), "the log has seen the credential");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_killed_and_restarted_is_found_again() {
    let servers = Servers::start().await.unwrap();
    let mut four = Four::start(&servers);
    let program = four.program().await;
    create_vault(&program).await;
    let first = person(&program).await;
    install(&first, &servers).await;

    four.house.kill(four.executor);
    let lost = program.actions().await.unwrap_err();
    assert_eq!(lost.code(), Some("service_unavailable"), "{lost}");
    four.executor = role(&mut four.house, "executor");
    recovers(&program).await;
    assert!(list(&program).await.result.unwrap().contains("Welcome"));

    // The vault starts locked, and person sessions were in its memory only.
    four.house.kill(four.vault);
    four.vault = role(&mut four.house, "vault");
    let passphrase = aileron_api::Sensitive::new(crate::house::PASSPHRASE.to_owned());
    let deadline = Instant::now() + Duration::from_secs(30);
    let unlock = aileron_api::vault::UnlockVault { passphrase };
    while let Err(error) = program.unlock_vault(&unlock).await {
        assert_eq!(error.code(), Some("service_unavailable"), "{error}");
        assert!(Instant::now() < deadline, "the vault does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(first.tokens().await.unwrap_err().api().unwrap().status, 401);
    let second = person(&program).await;
    let pending = ask(&program, "After", None).await;
    approve(&second, &pending.approval_id).await;
    settled(&program, &pending.approval_id).await;
    assert_eq!(servers.titles(), ["Welcome", "After"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_coming_back_lets_effects_happen_again() {
    let servers = Servers::start().await.unwrap();
    let mut four = Four::start(&servers);
    let program = four.program().await;
    create_vault(&program).await;
    install(&person(&program).await, &servers).await;

    four.house.kill(four.audit);
    let call = RunAction::default();
    let run = program.run_action("notes-list", &call, None).await;
    assert!(run.is_err(), "without a log nothing may happen");
    four.audit = role(&mut four.house, "audit");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if program.run_action("notes-list", &call, None).await.is_ok() {
            break;
        }
        assert!(Instant::now() < deadline, "{}", four.house.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn recovers(program: &Client) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = program.actions().await {
        assert_eq!(error.code(), Some("service_unavailable"), "{error}");
        assert!(Instant::now() < deadline, "the executor does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
