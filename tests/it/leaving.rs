//! Commands that a signal ends in the middle: nothing that they opened or started stays.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use aileron_api::{audit::AuditFilter, client::Client};
use aileron_node::demo::Servers;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    house::{PASSPHRASE, program, until},
    household::Household,
    terminal::Session,
};

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, signal).unwrap();
}

/// How many person sessions were opened and not closed, as the log has it.
async fn open(program: &Client) -> i64 {
    let count = async |kind: &str| {
        let event_type = Some(kind.to_owned());
        let filter = AuditFilter { event_type, limit: Some(1_000), ..AuditFilter::default() };
        let events = program.audit_events(&filter).await.unwrap().value.events;
        i64::try_from(events.len()).unwrap()
    };
    count("person_session.opened").await - count("person_session.closed").await
}

/// The files for browsers that lie in a state folder.
fn handovers(home: &Path) -> Vec<String> {
    let names = std::fs::read_dir(home).unwrap().map(|it| it.unwrap().file_name());
    names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with("open-"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_person_session_of_a_command_and_its_file_and_a_kill_leaves_little() {
    let home = Household::bare(Servers::start().await.unwrap()).await;
    let before = open(&home.program).await;
    // A browser that never comes.
    let tools = tempfile::tempdir().unwrap();
    let opener = tools.path().join("xdg-open");
    std::fs::write(&opener, "#!/bin/sh\nexit 0\n").unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path =
        format!("{}:{}", tools.path().display(), std::env::var_os("PATH").unwrap().display());
    let opens = async || {
        let mut command = home.house.command(["open"]);
        command.env("PATH", &path).env("AILERON_VAULT_PASSPHRASE", PASSPHRASE);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("the file for the browser", async || {
            let found = handovers(home.house.path());
            let written = |name: &String| {
                std::fs::metadata(home.house.path().join(name)).is_ok_and(|it| it.len() > 0)
            };
            (found.len() == 1 && found.iter().all(written)).then_some(())
        })
        .await;
        child
    };
    for (asked, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut child = opens().await;
        assert_eq!(open(&home.program).await, before + 1);
        // It says at once what it waits for, and what to do instead.
        let mut told = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut told).unwrap();
        assert!(told.contains("your browser") && told.contains("Ctrl-C"), "{told}");
        signal(&child, asked);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(open(&home.program).await, before, "{asked:?}");
        let mut address = String::new();
        child.stdout.as_mut().unwrap().read_to_string(&mut address).unwrap();
        assert!(address.starts_with("http://"), "{address}");
        assert!(handovers(home.house.path()).is_empty(), "{asked:?}");
    }

    // Killed, it can do nothing: the next command takes its file away.
    let mut killed = opens().await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let left = handovers(home.house.path());
    assert_eq!(left.len(), 1);
    let output = home.house.run(&["daemon", "start"]);
    assert!(output.status.success(), "{output:?}");
    assert!(handovers(home.house.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_a_question_ends_the_person_session_that_was_opened_for_it() {
    let home = Household::new().await;
    let minted = crate::household::mints(&home.person, "nightly", &["actions:run"]).await;
    let opened = open(&home.program).await;
    let mut session = Session::start(
        &home.house,
        &[
            "approval",
            "grant",
            "notes-create",
            "--token",
            &minted.id,
            "--any",
            "title",
            "--any",
            "text",
            "--max-uses",
            "1",
            "--expires",
            "5m",
        ],
    );
    session.sees("Vault passphrase: ").types(PASSPHRASE);
    session.sees("Let such calls run without asking you? [y/N]: ");
    assert_eq!(open(&home.program).await, opened + 1);
    session.interrupts();
    let (code, shown) = session.ends();
    assert!(code == 130 && shown.contains("interrupted"), "{code} {shown}");
    assert_eq!(open(&home.program).await, opened);
    assert!(home.program.grants().await.unwrap().value.items.is_empty());
}

/// A demo, and what it said so far.
struct Demo {
    child: Child,
    talk: BufReader<std::process::ChildStderr>,
    said: String,
}

impl Demo {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let talk = BufReader::new(child.stderr.take().unwrap());
        Self { child, talk, said: String::new() }
    }

    /// Reads on until a line with these words; returns it.
    fn says(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.talk.read_line(&mut line).unwrap();
            self.said.push_str(&line);
            assert!(length > 0, "{words:?} is missing in:\n{}", self.said);
            if line.contains(words) {
                return line;
            }
        }
    }

    fn daemon(&mut self) -> u32 {
        let line = self.says("a daemon of its own runs");
        let pid = line.rsplit_once("(pid ").unwrap().1.trim().trim_end_matches(')');
        pid.parse().unwrap()
    }

    /// Its exit code, and all that it said.
    fn ends(mut self) -> (Option<i32>, String) {
        self.talk.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap().code(), self.said)
    }
}

/// Is the process there, and more than a name that nobody asked for?
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn a_kept_demo_takes_its_daemon_along_when_it_is_terminated() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(folder.path(), &["demo", "--keep"]);
    let daemon = demo.daemon();
    demo.says("explore: AILERON_HOME=");
    assert!(lives(daemon));
    signal(&demo.child, Signal::TERM);
    let (code, said) = demo.ends();
    assert!(code == Some(143) && !lives(daemon), "{code:?} {said}");
    assert!(said.contains(&format!("the daemon stopped (pid {daemon})")), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the home is kept");
}

#[test]
fn a_demo_that_is_ended_in_the_middle_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(folder.path(), &["demo"]);
    let daemon = demo.daemon();
    signal(&demo.child, Signal::HUP);
    let (code, said) = demo.ends();
    assert!(code == Some(129) && !lives(daemon), "{code:?} {said}");
    assert!(said.contains("the daemon stopped"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{said}");
}
