//! Approvals from end to end: watched at the terminal, previewed by a real guest, asked again, and
//! told to the agent in the published words.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use aileron_api::{
    approvals::{ApprovalStatus, Decide, PendingApproval, Preview},
    client::{ApprovalChange, Client},
    runs::RunState,
};
use aileron_node::demo::Servers;
use futures::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    house::{House, person, unlock_vault, until},
    household::Household,
    main_job::{approve, ask, list, settled},
    relay::Relay,
    terminal::Session,
};

impl Household {
    /// Rewrites the gated action so that its card shows the notes there are, and accepts it.
    async fn previewed(&self) {
        let text = self.action_text("notes-create");
        let base = text.lines().find(|line| line.starts_with("base = ")).unwrap();
        let preview = format!(
            "[approval]\nrequired = true\n\n[approval.preview]\nop = \"list\"\n\n\
             [approval.preview.args]\n{base}\n\n[approval.preview.render]\n\"First note\" = \
             \"notes.0.title\"\n\"Second note\" = \"notes.1.title\"\n"
        );
        let text = text
            .replace("capabilities = [\"create\"]", "capabilities = [\"create\", \"list\"]")
            .replace("[approval]\nrequired = true\n", &preview);
        self.writes_action("notes-create", &text).await;
    }

    async fn card(&self, client: &Client, id: &str) -> PendingApproval {
        let waiting = client.approvals().await.unwrap().value.items;
        waiting.into_iter().find(|it| it.id == id).unwrap()
    }
}

fn lines(preview: Option<Preview>) -> Vec<(String, Option<String>)> {
    let preview = preview.unwrap();
    assert_eq!(preview.unavailable, None);
    preview.fields.into_iter().map(|field| (field.label, field.value)).collect()
}

/// A command under way whose lines are read one by one.
struct Watching {
    child: Child,
    output: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watching {
    fn start(house: &House, arguments: &[&str]) -> Self {
        let mut command = house.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, output }
    }

    fn line(&mut self) -> String {
        self.output.next().unwrap().unwrap()
    }

    fn event(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Presses ctrl-c; the exit code and what was said meanwhile.
    fn interrupt(self) -> (Option<i32>, String) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        let ended = self.child.wait_with_output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_goes_on_telling_what_comes_and_goes_until_ctrl_c() {
    let home = Household::new().await;
    let first = ask(&home.program, "Bread", None).await.approval_id;
    let mut spoken = Watching::start(&home.house, &["approval", "list", "--watch"]);
    let mut events = Watching::start(&home.house, &["approval", "list", "--watch", "--json"]);
    let line = spoken.line();
    assert!(
        line.contains(&format!("  waits  {first}  ACTION  notes-create  Title: Bread")),
        "{line}"
    );
    let snapshot = events.event();
    assert_eq!(snapshot["event"], "snapshot");
    assert_eq!(snapshot["data"]["items"][0]["id"], first);

    let second = ask(&home.program, "Butter\u{1b}[2J\n✓ approved", None).await.approval_id;
    let line = spoken.line();
    assert!(line.contains(&second) && !line.contains('\u{1b}'), "{line}");
    assert_eq!(events.event()["data"]["id"], second);

    let deny = Decide { reason: Some("not\ntoday".to_owned()), ..Decide::default() };
    home.person.decide(&second, &deny).await.unwrap();
    let line = spoken.line();
    assert!(line.ends_with(&format!("  denied  {second}  not\\ntoday")), "{line}");
    let resolved = events.event();
    assert_eq!(
        (&resolved["event"], &resolved["data"]["approved"]),
        (&json!("resolved"), &json!(false))
    );
    approve(&home.person, &first).await;
    assert!(spoken.line().ends_with(&format!("  approved  {first}")));
    for watching in [spoken, events] {
        assert_eq!(watching.interrupt(), (Some(0), String::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_survives_the_daemon_and_misses_nothing_that_waits() {
    let mut home = Household::new().await;
    let mut watch = std::pin::pin!(home.person.watch_approvals());
    let first = watch.next().await.unwrap().unwrap();
    assert!(matches!(&first.change, ApprovalChange::Snapshot(all) if all.items.is_empty()));
    let id = ask(&home.program, "Bread", None).await.approval_id;
    let told = watch.next().await.unwrap().unwrap();
    assert!(matches!(&told.change, ApprovalChange::Pending(card) if card.id == id), "{told:?}");
    assert!(told.raw.contains(&id));

    // A person's session ends with its daemon, and so does what it may watch.
    let pid = home.daemon();
    home.house.terminate(pid);
    home.house.ended(pid).await;
    let lost = watch.next().await.unwrap();
    assert!(lost.is_err(), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_guest_s_preview_is_the_person_s_and_a_change_asks_again_and_says_what_changed() {
    let home = Household::new().await;
    home.previewed().await;
    let id = ask(&home.program, "Bread", None).await.approval_id;
    let seen = home.card(&home.program, &id).await;
    assert!(seen.preview.unwrap().fields.is_empty(), "a program is not told");
    let before = home.card(&home.person, &id).await;
    let shown = |second: Option<&str>| {
        [("First note", Some("Welcome")), ("Second note", second)]
            .map(|(label, value)| (label.to_owned(), value.map(str::to_owned)))
    };
    assert_eq!(lines(before.preview), shown(None));
    assert_eq!(before.asked_before, None);

    // Meanwhile another note is written.
    let other = ask(&home.program, "Butter", None).await.approval_id;
    approve(&home.person, &other).await;
    settled(&home.program, &other).await;
    approve(&home.person, &id).await;
    let now = until("somebody is asked again", async || {
        let waiting = home.person.approvals().await.unwrap().value.items;
        waiting.into_iter().find(|it| it.id == id && it.asked_before.is_some())
    })
    .await;
    assert_eq!(lines(now.preview.clone()), shown(Some("Butter")));
    let again = now.asked_before.clone().unwrap();
    assert_eq!((again.times, Some(&again.digest)), (1, before.digest.as_ref()));
    let told: Vec<_> =
        again.changes.iter().map(|it| (it.change.as_str(), it.text.as_str())).collect();
    let expected = [
        ("kept", "First note: Welcome"),
        ("removed", "Second note: (missing)"),
        ("added", "Second note: Butter"),
    ];
    assert_eq!(told, expected);
    let seen = home.card(&home.program, &id).await.asked_before.unwrap();
    assert!(seen.changes.is_empty(), "a program is not told what changed");
    assert_eq!(home.servers.titles(), ["Welcome", "Butter"]);

    let shown = home.house.run_as_person(&["approval", "show", &id]);
    let said = String::from_utf8(shown.stdout).unwrap();
    for line in [
        "ACTION  notes-create on github://",
        "  you agreed to it once, and what it would act upon changed since:\n",
        "    - Second note: (missing)\n    + Second note: Butter\n",
        "  digest then: sha256:",
    ] {
        assert!(said.contains(line), "{said}");
    }
    approve(&home.person, &id).await;
    assert_eq!(settled(&home.program, &id).await.status, ApprovalStatus::Completed);
    assert_eq!(home.servers.titles(), ["Welcome", "Butter", "Bread"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_after_the_approval_fails_and_what_nobody_knows_is_ambiguous() {
    let (listener, host) = Relay::listen().await;
    let servers = Servers::start_behind(&host).await.unwrap();
    let relay = Relay::start(listener, servers.notes_address.to_string());
    let home = Household::among(servers).await;

    let lost = ask(&home.program, "Bread", None).await.approval_id;
    // A connection that is open already: its handshake needs answers.
    list(&home.program).await;
    relay.hold_answers(true);
    approve(&home.person, &lost).await;
    until("the request arrives", async || (home.servers.titles().len() > 1).then_some(())).await;
    // The daemon dies between the request and its answer.
    let mut home = home;
    let pid = home.daemon();
    home.house.kill(pid);
    relay.hold_answers(false);
    let program = home.house.start().await;
    let result = settled(&program, &lost).await;
    assert_eq!((result.status, result.state), (ApprovalStatus::Failed, Some(RunState::Ambiguous)));
    let details = result.failure.unwrap().error.details.unwrap();
    assert_eq!(details["outcome"], "ambiguous");
    assert!(result.reason.unwrap().contains("may have been carried out"));
    assert_eq!(home.servers.titles(), ["Welcome", "Bread"]);

    unlock_vault(&program).await;
    let changed = ask(&program, "Butter", None).await.approval_id;
    let text = home.action_text("notes-create");
    std::fs::write(home.action_file("notes-create"), text + "\nSomething more.\n").unwrap();
    let person = person(&program).await;
    approve(&person, &changed).await;
    let result = settled(&program, &changed).await;
    assert_eq!(result.status, ApprovalStatus::Failed);
    let failure = result.failure.unwrap().error;
    assert_eq!((failure.class.as_str(), failure.retriable), ("hash_mismatch", false));
    assert_eq!(failure.details.unwrap()["changed"], "action");
    assert_eq!(home.servers.titles(), ["Welcome", "Bread"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_the_watch_tells_of_what_comes_and_ends_at_ctrl_c() {
    let home = Household::new().await;
    let mut session = Session::start(&home.house, &["approval", "list", "--watch"]);
    session.sees("nothing waits for you yet");
    let id = ask(&home.program, "Bread", None).await.approval_id;
    session.sees(&format!("waits  {id}  ACTION  notes-create")).interrupts();
    let (code, shown) = session.ends();
    assert!(code == 0 && !shown.contains("interrupted"), "{shown}");
}
