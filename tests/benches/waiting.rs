//! A thousand approvals that wait: asked for, listed, streamed and decided; and two hundred who
//! watch them: `tests/run --bench` prints, and a person reads.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench reports figures, and stops at the unexpected"
)]

#[expect(dead_code, reason = "other benches use the rest")]
mod figures;
#[path = "../it/house.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod house;
#[path = "../it/main_job.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod main_job;

use std::time::{Duration, Instant};

use aileron_api::{
    Object, Sensitive,
    access::OpenPersonSession,
    actions::RunAction,
    approvals::{Decide, PendingApproval},
    client::{Client, RunOutcome},
    sessions::BeginSession,
};
use aileron_node::demo::Servers;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    figures::{at, fsync_time, median, resident, target},
    house::{House, PASSPHRASE, create_vault},
};

/// As many as one of them may let wait.
const EACH: usize = 100;
const SESSIONS: usize = 10;
const WATCHERS: usize = 200;
/// Questions that the watchers are told of, one after another.
const TOLD: usize = 50;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Its provider of cryptography, as in the product.
        rustls::crypto::ring::default_provider().install_default().ok();
        let servers = Servers::start().await.unwrap();
        let mut house = House::new(&servers);
        let program = house.start().await;
        create_vault(&program).await;
        let person = Caller::sign_in(&program).await;
        main_job::install(&person.client, &servers).await;
        let found = house.discovery().unwrap();
        let daemon = found.pid;
        // Programs may watch in numbers, persons only a few at once.
        let watcher = Caller { client: program.clone(), token: found.token.unwrap() };
        println!("fsync of this disk, 4 KiB appended:   {:>10.1?}", fsync_time());
        let agents = agents(&program).await;
        let empty = listed(&person.client).await.0;
        println!("approvals listed, none, p50 of 20:    {empty:>10.1?}");
        asked(&agents, daemon).await;
        let waiting = lists(&program, &person.client).await;
        snapshot(&person).await;
        decided(&person, waiting).await;
        watched(&agents[0], &watcher, daemon).await;
    });
}

/// A person who decides, or a program that watches.
#[derive(Clone)]
struct Caller {
    client: Client,
    token: String,
}

impl Caller {
    async fn sign_in(program: &Client) -> Self {
        let passphrase = Sensitive::new(PASSPHRASE.to_owned());
        let opened = program.open_person_session(&OpenPersonSession { passphrase }).await.unwrap();
        let token = opened.value.token.into_inner();
        Self { client: program.with_token(&token).unwrap(), token }
    }
}

/// Agents' sessions; each may let so many calls wait.
async fn agents(program: &Client) -> Vec<Client> {
    let mut agents = Vec::new();
    for _ in 0..SESSIONS {
        let body = BeginSession { agent: "claude".to_owned(), working_dir: None };
        let begun = program.begin_session(&body).await.unwrap().value;
        let token = begun.caveat_token.unwrap().into_inner();
        agents.push(program.with_token(&token).unwrap());
    }
    agents
}

async fn asks(agent: &Client, title: String) -> String {
    let args: Object = [("title", title.as_str()), ("text", "from a bench")]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect();
    let body = RunAction { args, ..RunAction::default() };
    match agent.run_action("notes-create", &body, None).await.unwrap().value {
        RunOutcome::Pending(pending) => pending.approval_id,
        RunOutcome::Done(done) => panic!("a write ran by itself: {done:?}"),
    }
}

/// All agents at once, each one call after another.
async fn asked(agents: &[Client], daemon: u32) {
    let before = resident(daemon);
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for agent in agents {
        let agent = agent.clone();
        tasks.spawn(async move {
            let mut times = Vec::with_capacity(EACH);
            for number in 0..EACH {
                let started = Instant::now();
                asks(&agent, format!("note {number}")).await;
                times.push(started.elapsed());
            }
            times
        });
    }
    let times = tasks.join_all().await.concat();
    let all = SESSIONS * EACH;
    println!("{all} calls begin to wait:            {:>10.1?}", started.elapsed());
    println!("one of them, p50 of {SESSIONS} at once:       {:>10.1?}", median(times));
    let grown = resident(daemon).saturating_sub(before);
    println!("memory for them (resident):           {grown:>10} KiB");
    let refused = agents[0].run_action("notes-create", &RunAction::default(), None).await;
    assert!(refused.is_err(), "one more than an agent may let wait");
}

async fn listed(client: &Client) -> (Duration, Vec<PendingApproval>) {
    let mut times = Vec::new();
    let mut items = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        items = client.approvals().await.unwrap().value.items;
        times.push(started.elapsed());
    }
    (median(times), items)
}

async fn lists(program: &Client, person: &Client) -> Vec<PendingApproval> {
    let (time, waiting) = listed(person).await;
    assert_eq!(waiting.len(), SESSIONS * EACH);
    println!("{} approvals listed, p50 of 20:     {time:>10.1?}", waiting.len());
    println!("the same for programs, p50 of 20:     {:>10.1?}", listed(program).await.0);
    waiting
}

/// The stream's first event, which holds them all.
async fn snapshot(person: &Caller) {
    let started = Instant::now();
    let mut stream = Stream::open(person).await;
    stream.reads("event: snapshot").await;
    println!("stream, until all of them are told:   {:>10.1?}", started.elapsed());
}

/// Every other one is approved, and runs.
async fn decided(person: &Caller, waiting: Vec<PendingApproval>) {
    let mut watcher = Stream::open(person).await;
    watcher.reads("event: snapshot").await;
    let all = waiting.len();
    let (mut approved, mut denied) = (Vec::new(), Vec::new());
    let started = Instant::now();
    for (number, approval) in waiting.into_iter().enumerate() {
        let yes = number % 2 == 0;
        let body = Decide { approved: yes, digest: approval.digest, ..Decide::default() };
        let begun = Instant::now();
        person.client.decide(&approval.id, &body).await.unwrap();
        if yes { &mut approved } else { &mut denied }.push(begun.elapsed());
    }
    println!("{all} decided one after another:      {:>10.1?}", started.elapsed());
    println!("one approved, p50:                    {:>10.1?}", median(approved));
    println!("one denied, p50:                      {:>10.1?}", median(denied));
}

/// Those who watch learn of each question; what that costs, and how long it takes.
async fn watched(agent: &Client, watcher: &Caller, daemon: u32) {
    let before = resident(daemon);
    let (open, mut ready) = watch::channel(0_usize);
    let mut watchers = JoinSet::new();
    for _ in 0..WATCHERS {
        let (watcher, open) = (watcher.clone(), open.clone());
        watchers.spawn(async move {
            let mut stream = Stream::open(&watcher).await;
            stream.reads("event: snapshot").await;
            open.send_modify(|ready| *ready += 1);
            let mut arrived = Vec::with_capacity(TOLD);
            for _ in 0..TOLD {
                stream.reads("event: pending").await;
                arrived.push(Instant::now());
            }
            arrived
        });
    }
    ready.wait_for(|ready| *ready == WATCHERS).await.unwrap();
    let grown = resident(daemon).saturating_sub(before);
    println!("{WATCHERS} watchers, memory (resident):      {grown:>10} KiB");
    let (mut begun, mut answers) = (Vec::new(), Vec::new());
    for number in 0..TOLD {
        let started = Instant::now();
        asks(agent, format!("watched {number}")).await;
        begun.push(started);
        answers.push(started.elapsed());
        // One question at a time: each is told to all before the next.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let arrived = watchers.join_all().await;
    let late = |stream: &Vec<Instant>| -> Vec<Duration> {
        let pairs = stream.iter().zip(&begun).zip(&answers);
        pairs.map(|((told, asked), answer)| (*told - *asked).saturating_sub(*answer)).collect()
    };
    let late = arrived.iter().flat_map(late).collect::<Vec<_>>();
    assert_eq!(late.len(), WATCHERS * TOLD);
    println!("the question's own answer, p50:       {:>10.1?}", median(answers));
    println!("told after that answer, p50:          {:>10.1?}", median(late.clone()));
    println!("told after that answer, p99:          {:>10.1?}", at(late.clone(), 99));
    target("all told within 100 ms, p99:", at(late, 99) < Duration::from_millis(100));
}

/// A watch over approvals, read as the text it is.
struct Stream {
    response: reqwest::Response,
    text: Vec<u8>,
}

impl Stream {
    async fn open(caller: &Caller) -> Self {
        let url = format!("{}/action-approvals/watch", caller.client.base_url());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let asked = http.get(url).bearer_auth(&caller.token);
        let response = asked.send().await.unwrap().error_for_status().unwrap();
        Self { response, text: Vec::new() }
    }

    /// Until the end of an event of this name; what stood before it is forgotten.
    async fn reads(&mut self, name: &str) {
        loop {
            if let Some(at) = memchr::memmem::find(&self.text, name.as_bytes())
                && let Some(end) = memchr::memmem::find(&self.text[at..], b"\n\n")
            {
                self.text.drain(..at + end + 2);
                return;
            }
            let chunk = self.response.chunk().await.unwrap();
            self.text.extend_from_slice(&chunk.unwrap_or_else(|| panic!("the stream ended")));
        }
    }
}
