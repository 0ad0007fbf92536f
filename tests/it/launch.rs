//! `aileron launch --local` with the real Claude Code and the real Codex, whose model is a script:
//! they list our tools, read, ask for a write, and learn what a person said in Chromium.

mod attempts;
pub(crate) mod chromium;
mod clock;
mod decided;
pub(crate) mod model;
mod processes;

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

use aileron_api::{
    approvals::{Decide, PendingApproval},
    audit::AuditFilter,
    sessions::{Session, SessionFilter},
};
use aileron_node::demo::Servers;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    house::{House, program, until},
    household::Household,
};
use clock::Clock;
use model::{Model, Say, Turn};

/// A household, and a folder for an agent to work in.
struct Scene {
    home: Household,
    work: TempDir,
    user: TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::with(&json!({}), None).await
    }

    /// `further` is merged over the configuration; the daemon goes by `clock`, if there is one.
    async fn with(further: &Value, clock: Option<&Clock>) -> Self {
        let servers = Servers::start().await.unwrap();
        let mut house = House::with_config(&servers, further);
        house.spawn_in(&["daemon", "run"], clock.map(Clock::environment).unwrap_or_default());
        let home = Household::started(house, servers).await;
        let folder = |name| tempfile::Builder::new().prefix(name).tempdir().unwrap();
        Self { home, work: folder("aileron-work-"), user: folder("aileron-person-") }
    }

    /// `aileron launch`, where the agents' own programs are on the path and talk to `model`.
    fn launch(&self, model: &Model, arguments: &[&str]) -> Command {
        self.configure_codex(model);
        let mut command = self.home.house.command(["launch"]);
        command
            .args(arguments)
            .current_dir(self.work.path())
            .env("HOME", self.user.path())
            .envs(for_agents(model))
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

    /// Where the agent was told that a person decides.
    async fn link(&self, model: &Model) -> String {
        until("the agent is told an address", async || {
            let heard = model.heard();
            let mut words = heard.iter().flat_map(|told| told.split(['"', ' ', '\n']));
            let page = |word: &&str| word.starts_with("http") && word.contains("/approvals?focus=");
            words.find(page).map(str::to_owned)
        })
        .await
    }

    async fn waiting(&self) -> PendingApproval {
        until("a call waits", async || {
            self.home.person.approvals().await.unwrap().value.items.into_iter().next()
        })
        .await
    }

    /// How often the log tells of such an event.
    async fn tells(&self, kind: &str) -> usize {
        let filter = AuditFilter { limit: Some(1_000), ..AuditFilter::default() };
        let events = self.home.program.audit_events(&filter).await.unwrap().value.events;
        events.iter().filter(|event| event.event_type == kind).count()
    }

    /// The only session there is.
    async fn session(&self) -> Session {
        let sessions =
            self.home.program.agent_sessions(&SessionFilter::default()).await.unwrap().value;
        let [session] = sessions.items.as_slice() else { panic!("{sessions:?}") };
        session.clone()
    }

    /// What the agent left behind: nothing but its record.
    async fn is_over(&self, exit_code: i32) {
        let session = self.session().await;
        assert_eq!((session.state.as_str(), session.exit_code), ("ended", Some(exit_code)));
        let folder = self.home.house.path().join("sessions").join(&session.id);
        assert!(!folder.exists(), "the token's file is still there");
        let record = self.work.path().join(".aileron/session.log");
        let record = std::fs::read_to_string(record).unwrap();
        assert!(record.contains("session started") && record.contains("exit_code"), "{record}");
        assert!(!record.contains("ala_"), "{record}");
    }
}

/// The variables of a machine on which both agents are installed, and talk to `model`.
pub(crate) fn for_agents(model: &Model) -> Vec<(&'static str, OsString)> {
    let folders = [program().parent().unwrap().to_owned(), agents().join("node_modules/.bin")];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::split_paths(&path).filter(|it| it.is_absolute());
    vec![
        ("PATH", std::env::join_paths(folders.into_iter().chain(path)).unwrap()),
        ("ANTHROPIC_BASE_URL", (&model.url).into()),
        ("ANTHROPIC_API_KEY", "sk-test".into()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".into()),
        ("DISABLE_AUTOUPDATER", "1".into()),
    ]
}

/// The folder with the agents' programs.
fn agents() -> PathBuf {
    let folder = std::env::var_os("AILERON_AGENTS").map(PathBuf::from);
    folder.unwrap_or_else(|| panic!("AILERON_AGENTS must name a folder with agents: use tests/run"))
}

/// An agent that runs until it ends by itself, or this is dropped.
pub(crate) struct Running(JoinSet<Output>);

impl Running {
    pub(crate) fn start(command: Command) -> Self {
        let mut task = JoinSet::new();
        task.spawn(ended(command));
        Self(task)
    }

    pub(crate) async fn ends(mut self) -> Output {
        self.0.join_next().await.unwrap().unwrap()
    }
}

async fn ended(command: Command) -> Output {
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(2), command.output()).await;
    output.unwrap_or_else(|_| panic!("the agent does not end")).unwrap()
}

pub(crate) fn text(output: &Output) -> String {
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
pub(crate) fn writes_a_note(turn: &Turn) -> Say {
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

/// The person's own configuration of an agent, and the folder it worked in.
fn configuration_is_untouched(scene: &Scene, model: &Model) {
    let file = scene.user.path().join(".codex/config.toml");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(&model.url) && !text.contains("aileron"), "{text}");
    let left: Vec<_> = std::fs::read_dir(scene.work.path()).unwrap().flatten().collect();
    assert!(left.iter().all(|it| it.file_name() == ".aileron"), "{left:?}");
}

const CLAUDE: &[&str] = &["--local", "claude", "-p", "write a note"];
const CODEX: &[&str] = &["codex", "--local", "exec", "--skip-git-repo-check", "write a note"];
