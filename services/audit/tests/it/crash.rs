//! Processes that die or run out of disk while they append. The process is this test binary,
//! started again with a variable set.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use aileron_audit::Service;
use aileron_contract::{Reason, audit::Filter};
use aileron_receipt::Receipt;
use rustix::process::{Resource, Rlimit, setrlimit};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::support::{Fixture, append, context, event, options, sound};

const HOME: &str = "AILERON_AUDIT_TEST_HOME";

fn child(name: &str, home: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn told_home() -> Option<std::path::PathBuf> {
    std::env::var_os(HOME).map(Into::into)
}

/// The body of the child of the next test; without its variable it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_appends_until_it_is_killed() {
    let Some(home) = told_home() else { return };
    let service = Service::open(options(&home)).await.unwrap();
    loop {
        for record in append(&service.audit(), 7).await {
            println!("\nacknowledged {}", record.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    let home = TempDir::new().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..8 {
        let mut child = child("crash::child_appends_until_it_is_killed", home.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = acknowledged.len() + 20 + 61 * round;
        while acknowledged.len() < enough {
            let line = lines.next().unwrap().unwrap();
            if let Some(id) = line.strip_prefix("acknowledged ") {
                acknowledged.push(id.to_owned());
            }
        }
        // SIGKILL, at whatever it was doing.
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            let id = line.strip_prefix("acknowledged ").filter(|id| id.len() == 42);
            acknowledged.extend(id.map(str::to_owned));
        }
    }
    let log = Fixture::of(home).await.unwrap();
    let key = log.key();
    for (at, id) in acknowledged.iter().enumerate() {
        let id: aileron_contract::names::AuditId = id.parse().unwrap();
        let record = log.audit().get(&context(), id.clone()).await.unwrap();
        if at % 37 == 0 {
            let text = log.audit().receipt(&context(), id).await.unwrap();
            assert_eq!(Receipt::parse(&text).unwrap().verify(&key).unwrap().index, record.index);
        }
    }
    let folder = log.folder();
    let home = log.stop().await;
    sound(&folder);
    drop(home);
}

fn limit_files_to(bytes: Option<u64>) {
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

/// The body of the child of the next test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_runs_out_of_disk() {
    let Some(home) = told_home() else { return };
    // A handler in place of the default, which ends the process.
    let _exceeded = signal(SignalKind::from_raw(25)).unwrap();
    let service = Service::open(options(&home)).await.unwrap();
    let audit = service.audit();
    append(&audit, 100).await;
    for round in 0..3 {
        let file = crate::support::log_files(&home.join("audit")).pop().unwrap();
        // Room for two of three appends, and a part of a line behind them.
        limit_files_to(Some(fs::metadata(file).unwrap().len() + 700));
        let mut refused = 0;
        for at in 0..6 {
            match audit.append(&context(), event(at)).await {
                Ok(_) => assert_eq!(refused, 0, "no append succeeds while the disk is full"),
                Err(error) => {
                    assert_eq!(error.reason(), Reason::AuditUnavailable);
                    refused += 1;
                }
            }
        }
        assert!(refused > 2, "round {round}");
        limit_files_to(None);
        // Nothing but time and room is needed.
        let mut again = audit.append(&context(), event(9)).await;
        for _ in 0..300 {
            if again.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            again = audit.append(&context(), event(9)).await;
        }
        let last = again.unwrap().index;
        assert_eq!(audit.checkpoint(&context()).await.unwrap().size, last + 1);
        let found = audit.query(&context(), Filter::default()).await.unwrap();
        assert_eq!(found[0].index, last);
    }
    service.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_appends_and_the_log_recovers_by_itself() {
    let home = TempDir::new().unwrap();
    let status = child("crash::child_runs_out_of_disk", home.path()).wait_with_output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    let log = Fixture::of(home).await.unwrap();
    let folder = log.folder();
    let home = log.stop().await;
    assert!(crate::support::set_aside_files(&folder).is_empty());
    sound(&folder);
    drop(home);
}
