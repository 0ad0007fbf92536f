//! The same house in one process, and with a process for each role, over Unix sockets.

mod agents;
#[path = "../../services/wire/tests/it/authority.rs"]
mod authority;
mod between_hosts;
mod doors;
mod secrets;

use std::{ffi::OsString, os::unix::fs::PermissionsExt as _, path::Path};

use aileron_api::{actions::RunAction, client::Client, sessions::SessionFilter};
use aileron_node::demo::Servers;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    house::{House, person, unlock_vault, until},
    main_job::{approve, ask, goes_all_the_way, list, moves_in, settled},
    memory::holds as memory_holds,
    postgres::Server,
};

/// In the order in which they are started; each finds the others whenever they come.
pub(crate) const ROLES: [&str; 5] = ["audit", "vault", "executor", "launcher", "gateway"];

/// What guards the doors between the roles.
const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// A process for each role.
pub(crate) struct Split {
    pub(crate) house: House,
    processes: Vec<(&'static str, u32)>,
    /// Sockets, tokens and certificates; removed with the processes.
    run: TempDir,
}

impl Split {
    pub(crate) fn start(servers: &Servers) -> Self {
        Self::start_in(servers, &[])
    }

    /// Each with further variables.
    pub(crate) fn start_in(servers: &Servers, environment: &[(&'static str, OsString)]) -> Self {
        let run = folder("aileron-run-");
        let mut services = json!({ "token_file": token(run.path()) });
        for role in &ROLES[..4] {
            services[role] = json!(run.path().join(format!("{role}.sock")));
        }
        let mut house = House::with_config(servers, &json!({ "services": services }));
        let config = house.path().join("config.yaml");
        let start = |role| (role, serve(&mut house, role, &config, environment));
        let processes = ROLES.map(start).to_vec();
        Self { house, processes, run }
    }

    pub(crate) fn process(&self, role: &str) -> u32 {
        self.processes.iter().find(|(name, _)| *name == role).unwrap().1
    }

    pub(crate) fn kill(&mut self, role: &str) {
        self.house.kill(self.process(role));
    }

    /// Starts a role that was killed.
    pub(crate) fn restart(&mut self, role: &str) {
        let config = self.house.path().join("config.yaml");
        let pid = serve(&mut self.house, role, &config, &[]);
        self.processes.iter_mut().find(|(name, _)| *name == role).unwrap().1 = pid;
    }

    /// Asks all of them to stop, first who is asked first.
    pub(crate) async fn stop(&mut self) {
        for role in ["gateway", "launcher", "executor", "vault", "audit"] {
            let pid = self.process(role);
            self.house.terminate(pid);
            self.house.ended(pid).await;
        }
    }

    /// A client, once all of them have found each other.
    pub(crate) async fn program(&mut self) -> Client {
        let program = self.house.client().await;
        let sessions = SessionFilter::default();
        until("the roles find each other", async || {
            found(program.status().await)?;
            found(program.agent_sessions(&sessions).await)
        })
        .await;
        program
    }
}

/// The answer, unless the service that gives it is not there.
pub(crate) fn found<T>(answer: aileron_api::client::Result<T>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert_eq!(error.code(), Some("service_unavailable"), "{error}");
            None
        }
    }
}

fn serve(
    house: &mut House,
    role: &str,
    config: &Path,
    environment: &[(&'static str, OsString)],
) -> u32 {
    let arguments = ["serve", "--roles", role, "--config", config.to_str().unwrap()];
    house.spawn_in(&arguments, environment.to_vec())
}

fn token(folder: &Path) -> std::path::PathBuf {
    let token = folder.join("service.token");
    private(&token, TOKEN);
    token
}

/// A folder that nobody else may enter.
fn folder(prefix: &str) -> TempDir {
    let folder = tempfile::Builder::new().prefix(prefix).tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
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
async fn with_a_process_for_each_role() {
    let servers = Servers::start().await.unwrap();
    let mut split = Split::start(&servers);
    let program = split.program().await;
    goes_all_the_way(&program, &servers).await;

    let key = servers.notes_key.as_bytes();
    assert!(!memory_holds(split.process("executor"), key), "the executor has seen the credential");
    assert!(!memory_holds(split.process("audit"), key), "the log has seen the credential");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_killed_and_restarted_is_found_again() {
    let servers = Servers::start().await.unwrap();
    let mut split = Split::start(&servers);
    let program = split.program().await;
    let first = moves_in(&program, &servers).await;

    split.kill("executor");
    let lost = program.actions().await.unwrap_err();
    assert_eq!(lost.code(), Some("service_unavailable"), "{lost}");
    split.restart("executor");
    until("the executor comes back", async || found(program.actions().await)).await;
    assert!(list(&program).await.result.unwrap().contains("Welcome"));

    // The vault starts locked, and person sessions were in its memory only.
    split.kill("vault");
    split.restart("vault");
    unlock_vault(&program).await;
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
    let mut split = Split::start(&servers);
    let program = split.program().await;
    moves_in(&program, &servers).await;

    split.kill("audit");
    let call = RunAction::default();
    let run = program.run_action("notes-list", &call, None).await;
    assert!(run.is_err(), "without a log nothing may happen");
    split.restart("audit");
    until("effects happen again", async || {
        program.run_action("notes-list", &call, None).await.ok()
    })
    .await;
}
