//! `aileron launch --local` with the real Claude Code and the real Codex, whose model is a script:
//! they list our tools, read, ask for a write, and learn what a person said.

mod attempts;
mod model;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use aileron_api::{
    approvals::{Decide, PendingApproval},
    client::Client,
    sessions::SessionFilter,
};
use aileron_node::demo::Servers;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    house::{House, create_vault, person, program},
    main_job::{approve, install},
};
use model::{Model, Say, Turn};

/// A house with actions, and a folder for an agent to work in.
struct Scene {
    house: House,
    servers: Servers,
    program: Client,
    person: Client,
    work: TempDir,
    user: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let servers = Servers::start().await.unwrap();
        let mut house = House::new(&servers);
        let program = house.start().await;
        create_vault(&program).await;
        let person = person(&program).await;
        install(&person, &servers).await;
        let folder = |name| tempfile::Builder::new().prefix(name).tempdir().unwrap();
        let (work, user) = (folder("aileron-work-"), folder("aileron-person-"));
        Self { house, servers, program, person, work, user }
    }

    /// `aileron launch`, where the agents' own programs are on the path and talk to `model`.
    fn launch(&self, model: &Model, arguments: &[&str]) -> Command {
        let mut command = self.house.command(["launch"]);
        let folders = [program().parent().unwrap().to_owned(), agents().join("node_modules/.bin")];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            folders.into_iter().chain(std::env::split_paths(&path).filter(|it| it.is_absolute())),
        );
        self.configure_codex(model);
        command
            .args(arguments)
            .current_dir(self.work.path())
            .env("PATH", path.unwrap())
            .env("HOME", self.user.path())
            .env("ANTHROPIC_BASE_URL", &model.url)
            .env("ANTHROPIC_API_KEY", "sk-test")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1")
            .env("SCRIPTED_KEY", "sk-test")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The person's own configuration, which must stay as it is.
    fn configure_codex(&self, model: &Model) {
        let folder = self.user.path().join(".codex");
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "model = \"scripted\"\nmodel_provider = \"scripted\"\n\n[model_providers.scripted]\n\
             name = \"scripted\"\nbase_url = \"{}/v1\"\nenv_key = \"SCRIPTED_KEY\"\n\
             wire_api = \"responses\"\n",
            model.url
        );
        std::fs::write(folder.join("config.toml"), text).unwrap();
    }

    async fn waiting(&self) -> PendingApproval {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let items = self.person.approvals().await.unwrap().value.items;
            if let Some(first) = items.into_iter().next() {
                return first;
            }
            assert!(Instant::now() < deadline, "nothing waits");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the agent left behind: nothing but its record.
    async fn is_over(&self, exit_code: i32) {
        let sessions = self.program.agent_sessions(&SessionFilter::default()).await.unwrap().value;
        let [session] = sessions.items.as_slice() else { panic!("{sessions:?}") };
        assert_eq!((session.state.as_str(), session.exit_code), ("ended", Some(exit_code)));
        let folder = self.house.path().join("sessions").join(&session.id);
        assert!(!folder.exists(), "the token's file is still there");
        let record = self.work.path().join(".aileron/session.log");
        let record = std::fs::read_to_string(record).unwrap();
        assert!(record.contains("session started") && record.contains("exit_code"), "{record}");
        assert!(!record.contains("ala_"), "{record}");
    }
}

/// The folder with the agents' programs.
fn agents() -> PathBuf {
    let folder = std::env::var_os("AILERON_AGENTS").map(PathBuf::from);
    folder.unwrap_or_else(|| panic!("AILERON_AGENTS must name a folder with agents: use tests/run"))
}

async fn ended(command: Command) -> Output {
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(2), command.output()).await;
    output.unwrap_or_else(|_| panic!("the agent does not end")).unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The id of the approval that a tool's answer names.
fn approval_id(told: &str) -> Option<String> {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    told.split(word).find(|it| it.starts_with("act-") && it.len() > 20).map(str::to_owned)
}

/// Reads, asks for a note, and looks until a person has decided.
fn writes_a_note(turn: &Turn) -> Say {
    let asked = turn.results.get(1).and_then(|told| approval_id(told));
    match (turn.results.len(), asked) {
        (0, _) => Say::Tool("notes_list", json!({})),
        (1, _) => Say::Tool("notes_create", json!({ "title": "Bread", "text": "rye" })),
        (2, Some(id)) => Say::Tool("check_action_status", json!({ "approval_id": id })),
        (_, Some(id)) if turn.last().contains("pending") || turn.last().contains("running") => {
            Say::Tool("check_action_status", json!({ "approval_id": id }))
        }
        _ => Say::Text(format!("I was told: {}", turn.results.join(" | "))),
    }
}

async fn writes_with_a_persons_consent(agent: &[&str]) {
    let scene = Scene::new().await;
    let model = Model::start(writes_a_note).await;
    let mut running = JoinSet::new();
    running.spawn(ended(scene.launch(&model, agent)));
    let waiting = scene.waiting().await;
    let sessions = scene.program.agent_sessions(&SessionFilter::default()).await.unwrap().value;
    assert_eq!(waiting.session_id.as_ref(), Some(&sessions.items[0].id));
    assert_eq!(sessions.items[0].state, "running");
    assert_eq!(scene.servers.titles(), ["Welcome"]);
    approve(&scene.person, &waiting.id).await;
    let output = running.join_next().await.unwrap().unwrap();
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("Welcome") && told.contains(r#""status":"completed""#), "{told}");
    assert_eq!(scene.servers.titles(), ["Welcome", "Bread"]);
    for tool in ["notes_list", "notes_create", "check_action_status"] {
        assert!(model.offered().contains(tool), "{tool} in {:?}", model.offered());
    }
    scene.is_over(0).await;
    // What the session did, from the log.
    let watched = scene.house.run(&["sessions", "watch", &sessions.items[0].id]);
    let watched = String::from_utf8_lossy(&watched.stdout).into_owned();
    let lines: Vec<_> = watched.lines().collect();
    assert!(lines.first().unwrap().contains("an agent session began"), "{watched}");
    assert!(lines.last().unwrap().contains("an agent session ended"), "{watched}");
    assert!(watched.contains("notes-create"), "{watched}");
    configuration_is_untouched(&scene, &model);
}

fn configuration_is_untouched(scene: &Scene, model: &Model) {
    let file = scene.user.path().join(".codex/config.toml");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(&model.url) && !text.contains("aileron"), "{text}");
    let left: Vec<_> = std::fs::read_dir(scene.work.path()).unwrap().flatten().collect();
    assert!(left.iter().all(|it| it.file_name() == ".aileron"), "{left:?}");
}

async fn learns_of_a_refusal(agent: &[&str]) {
    let scene = Scene::new().await;
    let model = Model::start(writes_a_note).await;
    let mut running = JoinSet::new();
    running.spawn(ended(scene.launch(&model, agent)));
    let waiting = scene.waiting().await;
    let deny = Decide { reason: Some("not on a Sunday".to_owned()), ..Decide::default() };
    scene.person.decide(&waiting.id, &deny).await.unwrap();
    let output = running.join_next().await.unwrap().unwrap();
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(r#""status":"denied""#) && told.contains("not on a Sunday"), "{told}");
    assert_eq!(scene.servers.titles(), ["Welcome"]);
    scene.is_over(0).await;
}

const CLAUDE: &[&str] = &["--local", "claude", "-p", "write a note"];
const CODEX: &[&str] = &["codex", "--local", "exec", "--skip-git-repo-check", "write a note"];

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_writes_with_a_persons_consent() {
    writes_with_a_persons_consent(CLAUDE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_learns_of_a_refusal() {
    learns_of_a_refusal(CLAUDE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_writes_with_a_persons_consent() {
    writes_with_a_persons_consent(CODEX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_learns_of_a_refusal() {
    learns_of_a_refusal(CODEX).await;
}

/// An agent of the test's own: a script by the name of one.
fn plant(scene: &Scene, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = scene.user.path().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("claude");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn with_path(mut command: Command, folder: &Path) -> Command {
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_exit_code_is_ours_and_signals_reach_it() {
    let scene = Scene::new().await;
    let model = Model::start(|_| Say::Text(String::new())).await;
    let folder = plant(&scene, "trap 'exit 7' TERM; touch ready; while :; do sleep 0.05; done");
    let command = with_path(scene.launch(&model, &["--local", "claude"]), &folder);
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !scene.work.path().join("ready").exists() {
        assert!(Instant::now() < deadline, "the agent does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(7));
    scene.is_over(7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_gets_no_variable_of_ours_that_holds_a_secret() {
    let scene = Scene::new().await;
    let model = Model::start(|_| Say::Text(String::new())).await;
    let folder = plant(&scene, "env; echo \"arguments: $*\"");
    let mut command = with_path(scene.launch(&model, &["--local", "claude", "-p", "x y"]), &folder);
    for (name, value) in [
        ("AILERON_VAULT_PASSPHRASE", crate::house::PASSPHRASE),
        ("AILERON_DATABASE_URL", "postgres://user:password@nowhere/x"),
        ("AILERON_SOMETHING_NEW", "secret"),
        ("GH_TOKEN", "the-persons-own"),
    ] {
        command.env(name, value);
    }
    let output = ended(command).await;
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("GH_TOKEN=the-persons-own") && told.contains("AILERON_HOME="), "{told}");
    let forbidden = [crate::house::PASSPHRASE, "AILERON_VAULT", "DATABASE_URL", "SOMETHING_NEW"];
    for forbidden in forbidden.into_iter().chain(["AILERON_TOKEN", "ala_", "ald_"]) {
        assert!(!told.contains(forbidden), "{forbidden}: {told}");
    }
    assert!(
        told.contains("arguments: --allowedTools=Bash(*) mcp__aileron --mcp-config="),
        "{told}"
    );
    scene.is_over(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_launch_is_found_by_the_next_one() {
    let scene = Scene::new().await;
    let model = Model::start(|_| Say::Text(String::new())).await;
    let folder = plant(&scene, "[ -e ready ] && exit 0; touch ready; exec sleep 20");
    let command = with_path(scene.launch(&model, &["--local", "claude"]), &folder);
    let mut child = tokio::process::Command::from(command).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !scene.work.path().join("ready").exists() {
        assert!(Instant::now() < deadline, "the agent does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().await.unwrap();
    let sessions = scene.program.agent_sessions(&SessionFilter::default()).await.unwrap().value;
    let first = &sessions.items[0].id;
    let file = scene.house.path().join("sessions").join(first).join("mcp.json");
    let tools: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let token = tools["mcpServers"]["aileron"]["env"]["AILERON_TOKEN"].as_str().unwrap();
    let agent = scene.program.with_token(token).unwrap();
    agent.actions().await.unwrap();

    let command = with_path(scene.launch(&model, &["--local", "claude"]), &folder);
    assert!(ended(command).await.status.success());
    assert!(!file.exists());
    assert_eq!(scene.program.agent_session(first).await.unwrap().value.state, "orphaned");
    assert_eq!(agent.actions().await.unwrap_err().code(), Some("token_invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_launched_that_cannot_be() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    for (arguments, says) in [
        (&["launch"][..], "agents: claude, codex"),
        (&["launch", "--local", "nope"], "unknown agent: \"nope\""),
        (&["launch", "claude"], "the container sandbox is not there yet"),
        (&["launch", "--sandbox", "claude"], "the container sandbox is not there yet"),
        (&["launch", "claude", "--sandbox=docker"], "the container sandbox is not there yet"),
    ] {
        let output = house.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output).contains(says), "{arguments:?}: {}", text(&output));
    }
    let mut command = house.command(["launch", "--local", "claude"]);
    let output = command.env("PATH", "/nonexistent").output().unwrap();
    assert!(text(&output).contains("claude is not installed"), "{}", text(&output));
    assert!(house.discovery().is_none(), "no daemon is started for nothing");
}
