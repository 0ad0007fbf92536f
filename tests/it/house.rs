//! One state folder, the program that works on it, and the sample servers around it. Everything
//! that was started is ended by its process id, whatever becomes of the test.

use std::{
    ffi::{OsStr, OsString},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use aileron_api::{
    Sensitive,
    access::OpenPersonSession,
    client::{Client, Endpoint},
    discovery::Discovery,
    vault::{CreateVault, UnlockVault},
};
use aileron_node::demo::Servers;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// How long a test waits for what must come: the slowest machine's time, not the time it takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The program under test, built with the tests.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("aileron");
    assert!(program.is_file(), "{} is missing: run tests/run", program.display());
    program
}

/// A fresh home, told about the sample servers.
pub(crate) struct House {
    home: TempDir,
    children: Vec<Child>,
}

impl House {
    pub(crate) fn new(servers: &Servers) -> Self {
        Self::with_config(servers, &json!({}))
    }

    /// `further` is merged over the configuration's top level.
    pub(crate) fn with_config(servers: &Servers, further: &serde_json::Value) -> Self {
        let home = fresh_home();
        let authority = home.path().join("authority.pem");
        std::fs::write(&authority, &servers.authority_pem).unwrap();
        let source = &servers.source_url;
        let mut config = json!({
            "sources": { "github": {
                "base_url": source,
                "api_url": format!("{source}/api/v3"),
                "raw_url": format!("{source}/raw"),
            }},
            "egress": { "roots": [authority], "private_hosts": [servers.source_host] },
            // Nothing of a test asks the public Hub.
            "hub": { "url": format!("{source}/hub/list") },
        });
        for (key, value) in further.as_object().unwrap() {
            config[key] = value.clone();
        }
        std::fs::write(home.path().join("config.yaml"), config.to_string()).unwrap();
        Self { home, children: Vec::new() }
    }

    /// A home that knows no servers.
    pub(crate) fn bare(config: &serde_json::Value) -> Self {
        let home = fresh_home();
        std::fs::write(home.path().join("config.yaml"), config.to_string()).unwrap();
        Self { home, children: Vec::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    /// A command of the program, with nothing of the tester's own environment but the path.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AILERON_HOME", self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command as a program: no passphrase anywhere.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command as the person, whose passphrase is in the environment.
    pub(crate) fn run_as_person(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.env("AILERON_VAULT_PASSPHRASE", PASSPHRASE).output().unwrap()
    }

    /// Starts a process of the program, ended with the house.
    pub(crate) fn spawn(&mut self, arguments: &[&str]) -> u32 {
        self.spawn_in(arguments, Vec::new())
    }

    /// The same, with further variables.
    pub(crate) fn spawn_in(
        &mut self,
        arguments: &[&str],
        environment: Vec<(&'static str, OsString)>,
    ) -> u32 {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.path().join("daemon.log"))
            .unwrap();
        let child = self.command(arguments).envs(environment).stderr(log).spawn().unwrap();
        let pid = child.id();
        self.children.push(child);
        pid
    }

    /// Starts the daemon with all roles and waits until it answers.
    pub(crate) async fn start(&mut self) -> Client {
        self.spawn(&["daemon", "run"]);
        self.client().await
    }

    /// A client with the daemon's own token, once the daemon answers.
    pub(crate) async fn client(&mut self) -> Client {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(client) = self.answering().await {
                return client;
            }
            for child in &mut self.children {
                if let Some(status) = child.try_wait().unwrap() {
                    panic!("a process ended ({status}):\n{}", self.log());
                }
            }
            assert!(Instant::now() < deadline, "no daemon answers:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn answering(&self) -> Option<Client> {
        let discovery = self.discovery()?;
        let client = Client::new(Endpoint {
            base_url: format!("{}/v1", discovery.url),
            token: discovery.token,
            extra_root: None,
        })
        .unwrap();
        client.health().await.ok().map(|_| client)
    }

    pub(crate) fn discovery(&self) -> Option<Discovery> {
        let text = std::fs::read(self.path().join("daemon.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("daemon.log")).unwrap_or_default()
    }

    /// Asks a process to stop.
    pub(crate) fn terminate(&self, pid: u32) {
        assert!(self.children.iter().any(|child| child.id() == pid));
        signal(pid);
    }

    pub(crate) fn running(&mut self, pid: u32) -> bool {
        let child = self.children.iter_mut().find(|child| child.id() == pid).unwrap();
        child.try_wait().unwrap().is_none()
    }

    /// Waits for the end of a process that was told to stop, or should stop by itself.
    pub(crate) async fn ended(&mut self, pid: u32) {
        let deadline = Instant::now() + PATIENCE;
        while self.running(pid) {
            assert!(Instant::now() < deadline, "{pid} does not stop:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.children.retain(|child| child.id() != pid);
    }

    /// Ends one process at once, as a crash would.
    pub(crate) fn kill(&mut self, pid: u32) {
        let index = self.children.iter().position(|child| child.id() == pid).unwrap();
        let mut child = self.children.remove(index);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // A daemon that a command started in the background is not our child.
        if let Some(discovery) = self.discovery() {
            signal(discovery.pid);
        }
        for child in &mut self.children {
            signal(child.id());
        }
        for child in &mut self.children {
            let deadline = Instant::now() + Duration::from_secs(15);
            while child.try_wait().is_ok_and(|status| status.is_none()) {
                if Instant::now() > deadline {
                    drop(child.kill());
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

fn fresh_home() -> TempDir {
    tempfile::Builder::new().prefix("aileron-test-").tempdir().unwrap()
}

fn signal(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::TERM).ok();
    }
}

pub(crate) fn passphrase() -> Sensitive {
    Sensitive::new(PASSPHRASE.to_owned())
}

/// Creates the vault.
pub(crate) async fn create_vault(program: &Client) {
    program.create_vault(&CreateVault { passphrase: passphrase() }).await.unwrap();
}

/// Unlocks the vault, once whoever holds it answers.
pub(crate) async fn unlock_vault(program: &Client) {
    let unlock = UnlockVault { passphrase: passphrase() };
    until("the vault comes back", async || match program.unlock_vault(&unlock).await {
        Ok(_) => Some(()),
        Err(error) => {
            assert_eq!(error.code(), Some("service_unavailable"), "{error}");
            None
        }
    })
    .await;
}

/// Opens a person session.
pub(crate) async fn person(program: &Client) -> Client {
    let body = OpenPersonSession { passphrase: passphrase() };
    let opened = program.open_person_session(&body).await.unwrap();
    program.with_token(opened.value.token.expose()).unwrap()
}

/// Looks again and again, until there is what is looked for.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
