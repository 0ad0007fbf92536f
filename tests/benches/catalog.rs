//! A thousand actions: installed, listed, and found again by a daemon that has just started. The
//! figures go through the program as people run it, so they hold what its database, its log and
//! its disk cost.
//!
//! Not a timed test: `tests/run --bench` prints, and a person reads. Goals stand beside what
//! they are about; they decide nothing.

#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench reports figures, and stops at the unexpected"
)]

#[path = "../it/house.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod house;
#[path = "../it/generated/suite.rs"]
mod suite;

use std::time::{Duration, Instant};

use aileron_api::{
    Sensitive,
    batch::{self, InstallActionsRequest},
    client::Client,
    packages::{InstallActionRequest, LookUpKey, ReadSuite, SuiteMember, TrustKey},
    vault::UnlockVault,
};
use aileron_node::demo::Servers;

use crate::house::{House, PASSPHRASE, create_vault, person};

/// In the suite.
const ACTIONS: usize = 1_000;
/// Installed by calls of their own, to compare.
const ALONE: usize = 40;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let servers = Servers::start().await.unwrap();
        let source = suite::publish(&servers, ACTIONS + ALONE);
        let mut house = House::new(&servers);
        let program = house.start().await;
        create_vault(&program).await;
        let person = person(&program).await;
        install(&person, &source).await;
        listing(&house, &program).await;
        started_again(&mut house).await;
    });
}

async fn install(person: &Client, source: &str) {
    let authority = format!("github://{}/{}", suite::OWNER, suite::REPOSITORY);
    let published = person.look_up_key(&LookUpKey { authority: authority.clone() }).await.unwrap();
    let trust = TrustKey { authority, key: published.value.key.key };
    person.trust_key(&trust).await.unwrap();
    let read = ReadSuite { source: Some(source.to_owned()), text: None };
    let requests: Vec<InstallActionRequest> =
        person.read_suite(&read).await.unwrap().value.actions.into_iter().map(request).collect();
    let (many, few) = requests.split_at(ACTIONS);
    let started = Instant::now();
    for actions in many.chunks(batch::MOST) {
        let body = InstallActionsRequest { actions: actions.to_vec() };
        let items = person.preview_actions(&body).await.unwrap().value.items;
        assert!(items.iter().all(|item| item.preview.is_some()));
    }
    let previewed = started.elapsed();
    rate("previewing, many by one call:", ACTIONS, previewed);
    let started = Instant::now();
    for actions in many.chunks(batch::MOST) {
        let body = InstallActionsRequest { actions: actions.to_vec() };
        let items = person.install_actions(&body).await.unwrap().value.items;
        let failed = items.iter().find_map(|item| item.error.as_ref());
        assert!(failed.is_none(), "{failed:?}");
    }
    let together = started.elapsed();
    let per_second = rate("installing, many by one call:", ACTIONS, together);
    let started = Instant::now();
    for action in few {
        person.preview_action(action).await.unwrap();
        person.install_action(action).await.unwrap();
    }
    let alone = rate("previewing and installing, one by one:", ALONE, started.elapsed());
    let both = ACTIONS as f64 / (previewed + together).as_secs_f64();
    println!("{:<42}{:>10.1} x", "many by one call, over one by one:", both / alone);
    goal("at least 100 installed per second", per_second >= 100.0);
}

fn request(member: SuiteMember) -> InstallActionRequest {
    let SuiteMember { fqn, version } = member;
    InstallActionRequest { fqn, version, auto_install_connectors: true, ..Default::default() }
}

async fn listing(house: &House, program: &Client) {
    let mut times = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        assert_eq!(program.actions().await.unwrap().value.items.len(), ACTIONS + ALONE);
        times.push(started.elapsed());
    }
    let list = median(times);
    println!("{:<42}{list:>10.1?} (median of 20)", "GET /v1/actions, warm:");
    goal("a list within 200 ms", list < Duration::from_millis(200));
    let mut times = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        program.action("issue-list").await.unwrap();
        times.push(started.elapsed());
    }
    println!("{:<42}{:>10.1?} (median of 20)", "GET /v1/actions/{name}, warm:", median(times));
    let times = (0..10).map(|_| {
        let started = Instant::now();
        assert!(house.run(&["action", "list"]).status.success());
        started.elapsed()
    });
    println!("{:<42}{:>10.1?} (median of 10)", "aileron action list:", median(times.collect()));
}

/// Nothing is remembered but what is on the disk.
async fn started_again(house: &mut House) {
    let pid = house.discovery().unwrap().pid;
    house.terminate(pid);
    house.ended(pid).await;
    let started = Instant::now();
    let program = house.start().await;
    println!("{:<42}{:>10.1?}", "daemon from start to first answer:", started.elapsed());
    let (locked, _) = list(&program).await;
    println!("{:<42}{locked:>10.1?}", "GET /v1/actions, cold, vault locked:");
    let passphrase = Sensitive::new(PASSPHRASE.to_owned());
    let started = Instant::now();
    program.unlock_vault(&UnlockVault { passphrase }).await.unwrap();
    println!("{:<42}{:>10.1?}", "unlocking:", started.elapsed());
    let (first, pinned) = list(&program).await;
    assert_eq!(pinned, ACTIONS + ALONE, "every action is the one that was installed");
    println!("{:<42}{first:>10.1?}", "GET /v1/actions, first after unlocking:");
    goal("cold loading within a second", locked + first < Duration::from_secs(1));
}

async fn list(program: &Client) -> (Duration, usize) {
    let started = Instant::now();
    let items = program.actions().await.unwrap().value.items;
    let took = started.elapsed();
    assert_eq!(items.len(), ACTIONS + ALONE);
    (took, items.iter().filter(|action| action.pinned == Some(true)).count())
}

fn rate(what: &str, count: usize, took: Duration) -> f64 {
    let per_second = count as f64 / took.as_secs_f64();
    println!("{what:<42}{per_second:>10.0} per second ({count} in {took:.1?})");
    per_second
}

fn goal(what: &str, met: bool) {
    println!("  goal, {what}: {}", if met { "met" } else { "not met on this machine" });
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
