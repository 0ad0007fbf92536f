//! Starts the daemon in the background. Clients that race take turns under a lock.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
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

/// Bytes of `daemon.log` that a failure quotes at most.
const LOG_SHOWN: u64 = 2_000;

/// Starts a daemon that goes on by itself.
pub(super) async fn start(settings: &Settings, printer: Printer) -> Result<Discovery> {
    started(settings, printer, Ends::WhenStopped).await.map(|(found, _)| found)
}

/// Starts a daemon that ends when what is returned is dropped: with this process at the latest,
/// however that ends.
pub(super) async fn hold(settings: &Settings, printer: Printer) -> Result<(Discovery, Hold)> {
    started(settings, printer, Ends::WithUs).await
}

/// What a daemon is held by.
#[must_use = "the daemon ends when this is dropped"]
pub(crate) struct Hold {
    _pipe: Option<ChildStdin>,
}

/// When a daemon ends that nobody stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    WhenStopped,
    WithUs,
}

async fn started(settings: &Settings, printer: Printer, ends: Ends) -> Result<(Discovery, Hold)> {
    let home = settings.home.as_path();
    create_home(home)?;
    let lock = private(home.join("spawn.lock"), false)?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .map_err(|error| Failure::plain(format!("cannot wait for the start lock: {error}")))?
        .map_err(|error| Failure::file("lock", home.join("spawn.lock"), error))?;
    // Somebody else may have started it while we waited.
    if let Some(found) = discover::running(home).await? {
        return Ok((found, Hold { _pipe: None }));
    }
    let mut started = launch(settings.process.program()?, home, ends)?;
    let found = wait(home, &mut started).await;
    drop(lock);
    let found = found?;
    printer.say(format!("started the daemon ({}, pid {})", found.url, found.pid));
    Ok((found, Hold { _pipe: started.child.stdin.take() }))
}

fn create_home(home: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home)
        .map_err(|error| Failure::file("create", home, error))
}

/// A daemon that was started.
struct Started {
    child: Child,
    /// Where its part of `daemon.log` begins.
    log_from: u64,
}

fn launch(program: &Path, home: &Path, ends: Ends) -> Result<Started> {
    let path = home.join("daemon.log");
    let log = private(path.clone(), true)?;
    let log_from = log.metadata().map_err(|error| Failure::file("read", &path, error))?.len();
    let (input, more): (_, &[&str]) = match ends {
        Ends::WhenStopped => (Stdio::null(), &[]),
        Ends::WithUs => (Stdio::piped(), &["--until-input-ends"]),
    };
    let child = Command::new(program)
        .args(["daemon", "run"])
        .args(more)
        .env("AILERON_HOME", home)
        // The daemon needs neither, and what it does not have it cannot leak.
        .env_remove("AILERON_TOKEN")
        .env_remove("AILERON_VAULT_PASSPHRASE")
        .env_remove("AILERON_API_URL")
        .stdin(input)
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::file("start", program, error))?;
    Ok(Started { child, log_from })
}

async fn wait(home: &Path, Started { child, log_from }: &mut Started) -> Result<Discovery> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(Failure::plain(format!(
                "the daemon ended at once ({status}). What it wrote to {}:\n{}",
                home.join("daemon.log").display(),
                log_since(home, *log_from)
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

/// What stands in `daemon.log` since this daemon was started; of much, the end.
fn log_since(home: &Path, from: u64) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(home.join("daemon.log"))?;
        let length = file.metadata()?.len();
        // Shorter than it was, it is another file, and all of it is newer.
        let from = if from > length { 0 } else { from };
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(LOG_SHOWN))))?;
        let mut text = Vec::new();
        file.take(LOG_SHOWN).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    read().unwrap_or_else(|error| format!("(cannot read it: {error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told when a program that cannot be a daemon is started in this home.
    async fn failure(home: &Path) -> String {
        // Of `daemon` and `run` it knows nothing, and says so.
        let mut started = launch(Path::new("/bin/ls"), home, Ends::WhenStopped).unwrap();
        wait(home, &mut started).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_failed_start_tells_what_this_start_wrote_and_nothing_of_earlier_ones() {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("daemon.log");
        std::fs::write(&log, "ERROR of yesterday\n").unwrap();
        for _ in 0..2 {
            let told = failure(home.path()).await;
            assert!(told.contains("daemon.log") && !told.contains("yesterday"), "{told}");
            assert_eq!(told.matches("'run'").count(), 1, "{told}");
        }
        let kept = std::fs::read_to_string(&log).unwrap();
        assert!(kept.starts_with("ERROR of yesterday") && kept.matches("'run'").count() == 2);
    }

    #[test]
    fn of_much_the_end_is_told_and_a_log_that_was_emptied_is_told_from_its_beginning() {
        let home = tempfile::tempdir().unwrap();
        let text = format!("{}the end", "x".repeat(5_000));
        std::fs::write(home.path().join("daemon.log"), &text).unwrap();
        assert_eq!(log_since(home.path(), 4_999), "xthe end");
        assert_eq!(log_since(home.path(), 10), text[text.len() - 2_000..]);
        assert_eq!(log_since(home.path(), 90_000), text[text.len() - 2_000..]);
    }
}
