//! What another program of the same user reads about our processes.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use aileron_node::demo::{OWNER, REPOSITORY, Servers};
use tempfile::TempDir;

use crate::house::{House, PASSPHRASE, PATIENCE, program};

/// All that `/proc` shows of a process without its consent.
fn shown(pid: u32) -> Vec<u8> {
    let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    ["cmdline", "environ", "comm", "status"].map(read).concat()
}

fn shows(pid: u32, secret: &str) -> bool {
    let shown = shown(pid);
    assert!(!shown.is_empty(), "{pid} is gone");
    memchr::memmem::find(&shown, secret.as_bytes()).is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_started_by_a_command_that_knows_a_secret_does_not_show_it() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    let planted = "alt_a-token-that-a-program-was-given";
    let output = house
        .command(["vault", "init"])
        .env("AILERON_VAULT_PASSPHRASE", PASSPHRASE)
        .env("AILERON_PLANTED", "seen")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let daemon = house.discovery().unwrap();
    assert!(shows(daemon.pid, "AILERON_HOME"), "the look at the process finds nothing at all");
    for secret in [PASSPHRASE, "AILERON_VAULT_PASSPHRASE", daemon.token.as_deref().unwrap()] {
        assert!(!shows(daemon.pid, secret), "the daemon shows {secret}");
    }
    // Started anew by a command that holds a token.
    assert!(house.run(&["stop"]).status.success());
    let output = house.command(["status"]).env("AILERON_TOKEN", planted).output().unwrap();
    assert!(!output.status.success(), "the token is nobody's");
    let daemon = house.discovery().unwrap();
    assert!(!shows(daemon.pid, planted) && !shows(daemon.pid, "AILERON_TOKEN"));
    let children = format!("/proc/{0}/task/{0}/children", daemon.pid);
    assert_eq!(std::fs::read_to_string(children).unwrap_or_default(), "", "it starts nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_takes_no_secret_where_others_could_read_it() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    assert!(house.run_as_person(&["vault", "init"]).status.success());
    let authority = format!("github://{OWNER}/{REPOSITORY}");
    let suite = format!("{authority}/suite.toml@latest");
    let add = ["action", "add-suite", &suite, "--yes", "--no-bind"];
    assert!(house.run_as_person(&add).status.success());
    // There is no flag for a value; a command that waits for one shows nothing of it.
    let key = servers.notes_key.as_str();
    for flag in ["--value", "--key", "--passphrase"] {
        let output = house.run_as_person(&["binding", "setup", &authority, flag, key, "--yes"]);
        assert_eq!(output.status.code(), Some(2), "{flag}: {output:?}");
    }
    let mut command = house.command(["binding", "setup", &authority, "--yes"]);
    command.env("AILERON_VAULT_PASSPHRASE", PASSPHRASE).stdin(Stdio::piped());
    let mut waiting = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let arguments = std::fs::read(format!("/proc/{}/cmdline", waiting.id())).unwrap();
    let mut keyboard = waiting.stdin.take().unwrap();
    std::io::Write::write_all(&mut keyboard, key.as_bytes()).unwrap();
    drop(keyboard);
    assert!(waiting.wait().unwrap().success());
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    assert!(!arguments.contains(PASSPHRASE) && !arguments.contains(key), "{arguments}");
    let daemon = house.discovery().unwrap().pid;
    assert!(!shows(daemon, key) && !shows(daemon, PASSPHRASE));
    for secret in [PASSPHRASE, key] {
        assert!(!house.log().contains(secret), "the daemon's log tells it");
    }
}

/// Somebody who is not the superuser, with a program and a home that they may use.
struct Somebody {
    folder: TempDir,
    daemon: Option<Child>,
}

const SOMEBODY: &str = "65534";

impl Somebody {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("aileron-user-").tempdir().unwrap();
        std::fs::copy(program(), folder.path().join("aileron")).unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        if is_root() {
            let id = rustix::fs::Uid::from_raw(SOMEBODY.parse().unwrap());
            rustix::fs::chown(&home, Some(id), None).unwrap();
        }
        Self { folder, daemon: None }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// As that user: the tester's own, unless that is the superuser, for whom nothing is closed.
    fn command(&self, name: &Path) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let ids = ["--reuid", SOMEBODY, "--regid", SOMEBODY, "--clear-groups"];
            command.args(ids).arg("--bounding-set=-all").arg(name);
            command
        } else {
            Command::new(name)
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("AILERON_HOME", self.home());
        command.stdin(Stdio::null());
        command
    }

    fn start(&mut self) -> u32 {
        let mut command = self.command(&self.folder.path().join("aileron"));
        let child = command.args(["daemon", "run"]).stderr(Stdio::null()).spawn().unwrap();
        self.daemon = Some(child);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(text) = std::fs::read(self.home().join("daemon.json")) {
                let found: aileron_api::discovery::Discovery =
                    serde_json::from_slice(&text).unwrap();
                return found.pid;
            }
            assert!(Instant::now() < deadline, "the daemon does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Can a program of that user read this file?
    fn reads(&self, path: &str) -> bool {
        let mut command = self.command(Path::new("head"));
        command.args(["-c", "1", path]).stdout(Stdio::piped()).stderr(Stdio::null());
        let output = command.output().unwrap();
        output.status.success() && !output.stdout.is_empty()
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_program_of_the_same_user_cannot_look_into_the_daemons_process() {
    let mut user = Somebody::new();
    let daemon = user.start();
    // The look works on a process that does not close itself.
    let open = user.command(Path::new("sleep")).arg("60").spawn().unwrap();
    let mut open = open;
    let deadline = Instant::now() + PATIENCE;
    while !user.reads(&format!("/proc/{}/environ", open.id())) {
        assert!(Instant::now() < deadline, "not even an ordinary process can be read");
        std::thread::sleep(Duration::from_millis(20));
    }
    for name in ["environ", "maps", "mem", "auxv", "io", "stack", "syscall"] {
        assert!(!user.reads(&format!("/proc/{daemon}/{name}")), "{name} of the daemon is open");
    }
    let folder = |pid: u32, name: &str| {
        let mut command = user.command(Path::new("ls"));
        command.arg(format!("/proc/{pid}/{name}/")).stderr(Stdio::null()).stdout(Stdio::null());
        command.status().unwrap().success()
    };
    assert!(folder(open.id(), "fd"));
    assert!(!folder(daemon, "fd") && !folder(daemon, "map_files") && !folder(daemon, "cwd"));
    open.kill().unwrap();
    open.wait().unwrap();
}
