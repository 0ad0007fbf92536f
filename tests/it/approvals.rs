//! Approvals from end to end: watched at the terminal, previewed by a real guest, asked again, and
//! told to the agent in the published words.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use aileron_api::{
    approvals::{ApprovalStatus, Decide, PendingApproval, Preview},
    client::{ApprovalChange, Client},
    runs::RunState,
    upkeep::{AcceptDrift, DriftFilter},
};
use aileron_node::demo::Servers;
use futures::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    house::{House, create_vault, person},
    main_job::{approve, ask, install, list, settled},
    relay::Relay,
    terminal::Session,
};

/// A house with the sample suite.
struct World {
    house: House,
    servers: Servers,
    program: Client,
    person: Client,
}

impl World {
    async fn new() -> Self {
        Self::of(Servers::start().await.unwrap()).await
    }

    async fn of(servers: Servers) -> Self {
        let mut house = House::new(&servers);
        let program = house.start().await;
        create_vault(&program).await;
        let person = person(&program).await;
        install(&person, &servers).await;
        Self { house, servers, program, person }
    }

    /// Rewrites the gated action so that its card shows the notes there are, and accepts it.
    async fn previewed(&self) {
        let path = self.house.path().join("actions/notes-create.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let base = text.lines().find(|line| line.starts_with("base = ")).unwrap();
        let preview = format!(
            "[approval]\nrequired = true\n\n[approval.preview]\nop = \"list\"\n\n\
             [approval.preview.args]\n{base}\n\n[approval.preview.render]\n\"First note\" = \
             \"notes.0.title\"\n\"Second note\" = \"notes.1.title\"\n"
        );
        let text = text
            .replace("capabilities = [\"create\"]", "capabilities = [\"create\", \"list\"]")
            .replace("[approval]\nrequired = true\n", &preview);
        std::fs::write(&path, text).unwrap();
        let drift = self.person.drift(&DriftFilter::default()).await.unwrap().value;
        let found = drift.items.into_iter().find(|item| item.name == "notes-create").unwrap();
        let body = AcceptDrift { digest: found.digest.unwrap() };
        self.person.accept_action("notes-create", &body).await.unwrap();
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
    let world = World::new().await;
    let first = ask(&world.program, "Bread", None).await.approval_id;
    let mut spoken = Watching::start(&world.house, &["approval", "list", "--watch"]);
    let mut events = Watching::start(&world.house, &["approval", "list", "--watch", "--json"]);
    let line = spoken.line();
    assert!(
        line.contains(&format!("  waits  {first}  ACTION  notes-create  Title: Bread")),
        "{line}"
    );
    let snapshot = events.event();
    assert_eq!(snapshot["event"], "snapshot");
    assert_eq!(snapshot["data"]["items"][0]["id"], first);

    let second = ask(&world.program, "Butter\u{1b}[2J\n✓ approved", None).await.approval_id;
    let line = spoken.line();
    assert!(line.contains(&second) && !line.contains('\u{1b}'), "{line}");
    assert_eq!(events.event()["data"]["id"], second);

    let deny = Decide { reason: Some("not\ntoday".to_owned()), ..Decide::default() };
    world.person.decide(&second, &deny).await.unwrap();
    let line = spoken.line();
    assert!(line.ends_with(&format!("  denied  {second}  not\\ntoday")), "{line}");
    let resolved = events.event();
    assert_eq!(
        (&resolved["event"], &resolved["data"]["approved"]),
        (&json!("resolved"), &json!(false))
    );
    approve(&world.person, &first).await;
    assert!(spoken.line().ends_with(&format!("  approved  {first}")));
    for watching in [spoken, events] {
        assert_eq!(watching.interrupt(), (Some(0), String::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_survives_the_daemon_and_misses_nothing_that_waits() {
    let mut world = World::new().await;
    let mut watch = std::pin::pin!(world.person.watch_approvals());
    let first = watch.next().await.unwrap().unwrap();
    assert!(matches!(&first.change, ApprovalChange::Snapshot(all) if all.items.is_empty()));
    let id = ask(&world.program, "Bread", None).await.approval_id;
    let told = watch.next().await.unwrap().unwrap();
    assert!(matches!(&told.change, ApprovalChange::Pending(card) if card.id == id), "{told:?}");
    assert!(told.raw.contains(&id));

    // A person's session ends with its daemon, and so does what it may watch.
    let pid = world.house.discovery().unwrap().pid;
    world.house.terminate(pid);
    world.house.ended(pid).await;
    let lost = watch.next().await.unwrap();
    assert!(lost.is_err(), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_guest_s_preview_is_the_person_s_and_a_change_asks_again_and_says_what_changed() {
    let world = World::new().await;
    world.previewed().await;
    let id = ask(&world.program, "Bread", None).await.approval_id;
    let seen = world.card(&world.program, &id).await;
    assert!(seen.preview.unwrap().fields.is_empty(), "a program is not told");
    let before = world.card(&world.person, &id).await;
    let shown = |second: Option<&str>| {
        [("First note", Some("Welcome")), ("Second note", second)]
            .map(|(label, value)| (label.to_owned(), value.map(str::to_owned)))
    };
    assert_eq!(lines(before.preview), shown(None));
    assert_eq!(before.asked_before, None);

    // Meanwhile another note is written.
    let other = ask(&world.program, "Butter", None).await.approval_id;
    approve(&world.person, &other).await;
    settled(&world.program, &other).await;
    approve(&world.person, &id).await;
    let deadline = Instant::now() + Duration::from_mins(1);
    let now = loop {
        let waiting = world.person.approvals().await.unwrap().value.items;
        match waiting.into_iter().find(|it| it.id == id) {
            Some(card) if card.asked_before.is_some() => break card,
            _ => assert!(Instant::now() < deadline, "nobody is asked again"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
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
    let seen = world.card(&world.program, &id).await.asked_before.unwrap();
    assert!(seen.changes.is_empty(), "a program is not told what changed");
    assert_eq!(world.servers.titles(), ["Welcome", "Butter"]);

    let shown = world.house.run_as_person(&["approval", "show", &id]);
    let said = String::from_utf8(shown.stdout).unwrap();
    for line in [
        "ACTION  notes-create on github://",
        "  you agreed to it once, and what it would act upon changed since:\n",
        "    - Second note: (missing)\n    + Second note: Butter\n",
        "  digest then: sha256:",
    ] {
        assert!(said.contains(line), "{said}");
    }
    approve(&world.person, &id).await;
    assert_eq!(settled(&world.program, &id).await.status, ApprovalStatus::Completed);
    assert_eq!(world.servers.titles(), ["Welcome", "Butter", "Bread"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_after_the_approval_fails_and_what_nobody_knows_is_ambiguous() {
    let (listener, host) = Relay::listen().await;
    let servers = Servers::start_behind(&host).await.unwrap();
    let relay = Relay::start(listener, servers.notes_address.to_string());
    let world = World::of(servers).await;

    let lost = ask(&world.program, "Bread", None).await.approval_id;
    // A connection that is open already: its handshake needs answers.
    list(&world.program).await;
    relay.hold_answers(true);
    approve(&world.person, &lost).await;
    let deadline = Instant::now() + Duration::from_mins(2);
    while world.servers.titles().len() < 2 {
        assert!(Instant::now() < deadline, "the request does not arrive");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The daemon dies between the request and its answer.
    let pid = world.house.discovery().unwrap().pid;
    let mut world = world;
    world.house.kill(pid);
    relay.hold_answers(false);
    let program = world.house.start().await;
    let result = settled(&program, &lost).await;
    assert_eq!((result.status, result.state), (ApprovalStatus::Failed, Some(RunState::Ambiguous)));
    let details = result.failure.unwrap().error.details.unwrap();
    assert_eq!(details["outcome"], "ambiguous");
    assert!(result.reason.unwrap().contains("may have been carried out"));
    assert_eq!(world.servers.titles(), ["Welcome", "Bread"]);

    let unlocked = world.house.run_as_person(&["vault", "unlock"]);
    assert!(unlocked.status.success(), "{unlocked:?}");
    let changed = ask(&program, "Butter", None).await.approval_id;
    let path = world.house.path().join("actions/notes-create.md");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\nSomething more.\n")).unwrap();
    let person = person(&program).await;
    approve(&person, &changed).await;
    let result = settled(&program, &changed).await;
    assert_eq!(result.status, ApprovalStatus::Failed);
    let failure = result.failure.unwrap().error;
    assert_eq!((failure.class.as_str(), failure.retriable), ("hash_mismatch", false));
    assert_eq!(failure.details.unwrap()["changed"], "action");
    assert_eq!(world.servers.titles(), ["Welcome", "Bread"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_the_watch_tells_of_what_comes_and_ends_at_ctrl_c() {
    let world = World::new().await;
    let mut session = Session::start(&world.house, &["approval", "list", "--watch"]);
    session.sees("nothing waits for you yet");
    let id = ask(&world.program, "Bread", None).await.approval_id;
    session.sees(&format!("waits  {id}  ACTION  notes-create")).interrupts();
    let (code, shown) = session.ends();
    assert!(code == 0 && !shown.contains("interrupted"), "{shown}");
}
