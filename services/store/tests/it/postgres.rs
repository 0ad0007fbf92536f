//! A `PostgreSQL` server for one test: the one `AILERON_TEST_DATABASE_URL` names, or one started
//! here, over a Unix socket, as a user that is not root.

use std::{
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sqlx::{Connection as _, Executor as _};

/// `nobody`: `PostgreSQL` refuses to run as root.
const NOBODY: u32 = 65_534;

pub(crate) struct Server {
    /// The folder of a server started here.
    folder: Option<tempfile::TempDir>,
    admin: String,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "tests/run names its server this way")]
    pub(crate) fn start() -> Self {
        if let Ok(admin) = std::env::var("AILERON_TEST_DATABASE_URL") {
            return Self { folder: None, admin };
        }
        let folder = tempfile::Builder::new().prefix("aileron-pg-").tempdir_in("/tmp").unwrap();
        if root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        run(
            Command::new(tool("initdb")).args([
                "-D",
                text(&data),
                "-U",
                "test",
                "-A",
                "trust",
                "-N",
            ]),
            folder.path(),
        );
        let options = format!("-c listen_addresses= -c fsync=off -k {}", text(folder.path()));
        run(
            Command::new(tool("pg_ctl"))
                .args(["-D", text(&data), "-o", &options, "-w", "-t", "60"])
                .args(["-l", text(&folder.path().join("log")), "start"]),
            folder.path(),
        );
        let admin = format!("postgres://test@localhost/postgres?host={}", text(folder.path()));
        Self { folder: Some(folder), admin }
    }

    /// The URL of a fresh, empty database.
    pub(crate) async fn database(&self) -> String {
        sqlx::any::install_default_drivers();
        let name = format!("t{}", &tempfile::tempdir().unwrap().path().display().to_string())
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        let mut admin = sqlx::AnyConnection::connect(&self.admin).await.unwrap();
        let statement = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        admin.execute(statement).await.unwrap();
        let (base, query) = self.admin.split_once('?').unwrap_or((&self.admin, ""));
        let (server, _) = base.rsplit_once('/').unwrap();
        format!("{server}/{name}?{query}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let data = folder.path().join("data");
            run(
                Command::new(tool("pg_ctl")).args([
                    "-D",
                    text(&data),
                    "-m",
                    "immediate",
                    "-w",
                    "stop",
                ]),
                folder.path(),
            );
        }
    }
}

fn run(command: &mut Command, folder: &Path) {
    use std::os::unix::process::CommandExt as _;
    if root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}");
}

/// A tool of the server: on the path, or where Debian keeps each version's.
#[expect(clippy::disallowed_methods, reason = "the path of the tester's own shell")]
fn tool(name: &str) -> PathBuf {
    let path = std::env::var("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    std::env::split_paths(&path)
        .chain(versions.map(|version| version.path().join("bin")))
        .map(|folder| folder.join(name))
        .find(|tool| tool.is_file())
        .ok_or_else(|| format!("{name} is missing: install postgresql"))
        .unwrap()
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
