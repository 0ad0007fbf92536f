//! Notifications of the desktop: a real session bus, and a desktop on it that we did not write.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use aileron_api::{client::Client, status::NotificationState};
use aileron_node::demo::Servers;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    house::{House, PATIENCE, person, until},
    household::begins,
    main_job::{ask, moves_in},
};

/// A session bus with a desktop that takes notifications; both end with it.
struct Desktop {
    folder: TempDir,
    children: Vec<Child>,
    lines: Receiver<String>,
}

impl Desktop {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .arg(format!("--address=unix:path={}", folder.path().join("bus").display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let python = std::env::var_os("AILERON_TLOG_PYTHON").unwrap();
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("desktop/notifications.py");
        let mut desktop = Command::new(python)
            .arg(script)
            .env("DBUS_SESSION_BUS_ADDRESS", address.trim())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(desktop.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        assert_eq!(lines.recv_timeout(PATIENCE).unwrap(), "ready");
        Self { folder, children: vec![desktop, bus], lines }
    }

    fn bus(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// The next notification.
    fn shown(&self) -> Value {
        serde_json::from_str(&self.lines.recv_timeout(PATIENCE).unwrap()).unwrap()
    }

    fn stays_silent(&self) {
        let told = self.lines.recv_timeout(Duration::from_secs(2));
        assert_eq!(told, Err(RecvTimeoutError::Timeout));
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A daemon that a person started at a desktop with this bus, with the sample suite installed.
async fn started(servers: &Servers, config: &Value, bus: Option<&str>) -> (House, Client) {
    let mut house = House::with_config(servers, config);
    let mut command = house.command(["daemon", "start"]);
    if let Some(bus) = bus {
        command.env("DBUS_SESSION_BUS_ADDRESS", bus);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}\n{}", house.log());
    let program = house.client().await;
    moves_in(&program, servers).await;
    (house, program)
}

fn state(house: &House) -> (String, String) {
    let status = house.run(&["status", "notifications"]);
    let whole = house.run(&["status", "--json"]);
    let whole: Value = serde_json::from_slice(&whole.stdout).unwrap();
    (
        String::from_utf8(status.stdout).unwrap(),
        whole["notifications"]["state"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desktop_is_told_who_asks_for_what_and_nothing_of_the_call_itself() {
    let servers = Servers::start().await.unwrap();
    let desktop = Desktop::start();
    let (house, program) = started(&servers, &json!({}), Some(&desktop.bus())).await;
    let (_, token) = begins(&program, "claude").await;
    let agent = program.with_token(&token).unwrap();

    let pending = ask(&agent, "CANARY-title", None).await;
    let shown = desktop.shown();
    assert_eq!(shown["app"], "Aileron");
    assert_eq!(shown["summary"], "notes-create waits for your approval");
    let text = shown["body"].as_str().unwrap();
    assert!(text.starts_with("Asked by claude.\n"), "{text}");
    assert!(text.contains(&format!("aileron open approval {}", pending.approval_id)), "{text}");
    assert!(text.contains(pending.review_url.as_deref().unwrap()), "{text}");
    assert!(!shown.to_string().contains("CANARY") && !shown.to_string().contains("from a test"));
    assert_eq!(shown["actions"], json!([]), "what is clicked decides nothing");

    // A flood is told in one.
    for title in ["a", "b", "c"] {
        ask(&agent, title, None).await;
    }
    assert_eq!(desktop.shown()["summary"], "3 more calls wait for your approval");
    desktop.stays_silent();
    let (told, word) = state(&house);
    assert_eq!((told.as_str(), word.as_str()), ("notifications: on\n", "on"));
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_and_a_person_who_wants_none_are_respected() {
    let servers = Servers::start().await.unwrap();
    let desktop = Desktop::start();
    // All of the day but a minute that is half a day away.
    let minute = aileron_contract::Timestamp::now().as_second() / 60 + 12 * 60;
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    let quiet = json!({"start": clock(minute + 1), "end": clock(minute), "timezone": "UTC"});
    for (config, word) in [
        (json!({"notifications": {"quiet_hours": quiet}}), NotificationState::Quiet),
        (json!({"notifications": {"enabled": false}}), NotificationState::Off),
    ] {
        let (house, program) = started(&servers, &config, Some(&desktop.bus())).await;
        ask(&program, "x", None).await;
        desktop.stays_silent();
        assert_eq!(state(&house).1, word.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_desktop_or_with_one_elsewhere_the_daemon_works_and_says_so() {
    let servers = Servers::start().await.unwrap();
    let elsewhere = ["unix:path=/nonexistent/bus", "tcp:host=127.0.0.1,port=9"].map(Some);
    for bus in elsewhere.into_iter().chain([None]) {
        let (house, program) = started(&servers, &json!({}), bus).await;
        let pending = ask(&program, "x", None).await;
        let gone = async || (state(&house).1 == "unavailable").then_some(());
        until("the desktop is found to be gone", gone).await;
        let (told, _) = state(&house);
        assert!(told.starts_with("notifications: unavailable ("), "{told}");
        let person = person(&program).await;
        crate::main_job::approve(&person, &pending.approval_id).await;
        crate::main_job::settled(&program, &pending.approval_id).await;
    }
}
