//! Starts the daemon in the background. Clients that race take turns under a lock.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use aileron_api::discovery::Discovery;
use tokio::time::{Instant, sleep};

use super::{Settings, discover};
use crate::{
    failure::{Failure, Result},
    printer::Printer,
};

/// How long a daemon may take to answer: opening a large log takes the most.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn start(settings: &Settings, printer: Printer) -> Result<Discovery> {
    let home = settings.home.as_path();
    create_home(home)?;
    let lock = private(home.join("spawn.lock"), false)?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .map_err(|error| Failure::plain(format!("cannot wait for the start lock: {error}")))?
        .map_err(|error| Failure::file("lock", home.join("spawn.lock"), error))?;
    // Somebody else may have started it while we waited.
    if let Some(found) = discover::running(home).await? {
        return Ok(found);
    }
    let mut child = launch(settings.process.program()?, home)?;
    let found = wait(home, &mut child).await;
    drop(lock);
    let found = found?;
    printer.say(format!("started the daemon ({}, pid {})", found.url, found.pid));
    Ok(found)
}

fn create_home(home: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home)
        .map_err(|error| Failure::file("create", home, error))
}

fn launch(program: &Path, home: &Path) -> Result<Child> {
    let log = private(home.join("daemon.log"), true)?;
    Command::new(program)
        .args(["daemon", "run"])
        .env("AILERON_HOME", home)
        // The daemon needs neither, and what it does not have it cannot leak.
        .env_remove("AILERON_TOKEN")
        .env_remove("AILERON_VAULT_PASSPHRASE")
        .env_remove("AILERON_API_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::file("start", program, error))
}

async fn wait(home: &Path, child: &mut Child) -> Result<Discovery> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(Failure::plain(format!(
                "the daemon ended at once ({status}). The end of {}:\n{}",
                home.join("daemon.log").display(),
                log_tail(home)
            )));
        }
        if let Some(found) = discover::read(home)?
            && found.pid == child.id()
            && discover::answers(&found).await
        {
            return Ok(found);
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(Failure::plain(format!(
        "the daemon did not answer within {} seconds; {} says why",
        PATIENCE.as_secs(),
        home.join("daemon.log").display()
    )))
}

fn private(path: std::path::PathBuf, append: bool) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(append)
        .write(!append)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| Failure::file("open", path, error))
}

fn log_tail(home: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(home.join("daemon.log"))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(2_000)))?;
        let mut text = Vec::new();
        file.take(2_000).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    read().unwrap_or_else(|error| format!("(cannot read it: {error})"))
}
