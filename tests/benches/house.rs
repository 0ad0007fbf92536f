//! Figures of the whole, each beside what it is compared with, in one run.
//!
//! Not a timed test: `tests/run --bench` prints, and a person reads. The disk's own fsync time
//! stands beside what depends on it.

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
#[path = "../it/main_job.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod main_job;

use std::{
    fs::File,
    io::Write as _,
    process::Command,
    time::{Duration, Instant},
};

use aileron_api::{actions::RunAction, client::Client};
use aileron_node::demo::Servers;

use crate::house::{House, create_vault, person};

const CALLERS: usize = 32;
const RUNS_PER_CALLER: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let fsync = fsync_time();
        println!("fsync of this disk, 4 KiB appended:   {fsync:>10.1?} (median of 200)");
        let servers = Servers::start().await.unwrap();
        let mut house = House::new(&servers);
        let started = Instant::now();
        let program = house.start().await;
        println!("daemon from start to first answer:    {:>10.1?}", started.elapsed());
        let pid = house.discovery().unwrap().pid;
        println!("idle memory (resident):               {:>10} KiB", resident(pid));
        clients(&house);
        create_vault(&program).await;
        main_job::install(&person(&program).await, &servers).await;
        main_job::list(&program).await;
        runs(&program, &servers, fsync).await;
    });
}

/// The time one durable append takes.
fn fsync_time() -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("fsync")).unwrap();
    let block = [7_u8; 4096];
    let times = (0..200).map(|_| {
        file.write_all(&block).unwrap();
        let started = Instant::now();
        file.sync_data().unwrap();
        started.elapsed()
    });
    median(times.collect())
}

/// What a person waits for.
fn clients(house: &House) {
    for arguments in [&["version"][..], &["status"]] {
        let times = (0..20).map(|_| {
            let started = Instant::now();
            assert!(house.run(arguments).status.success());
            started.elapsed()
        });
        let name = format!("aileron {}:", arguments.join(" "));
        println!("{name:<38}{:>10.1?} (median of 20)", median(times.collect()));
    }
}

/// Runs against the same request sent directly, by one caller and by many.
async fn runs(program: &Client, servers: &Servers, fsync: Duration) {
    let direct = direct(servers).await;
    let (one, _) = measure(program, 1, 100).await;
    let (many, elapsed) = measure(program, CALLERS, RUNS_PER_CALLER).await;
    let per_second = (CALLERS * RUNS_PER_CALLER) as f64 / elapsed.as_secs_f64();
    let serial = 1.0 / (one.as_secs_f64());
    println!("the request sent directly, p50:       {direct:>10.1?}");
    println!(
        "one caller, run p50:                  {one:>10.1?} (added {:.1?})",
        one.saturating_sub(direct)
    );
    println!("{CALLERS} callers, run p50:                 {many:>10.1?}");
    println!(
        "{CALLERS} callers, runs per second:         {per_second:>10.0} (one caller: {serial:.0})"
    );
    println!("grouping: runs/s over 1/fsync:        {:>10.2}", per_second * fsync.as_secs_f64());
}

async fn measure(program: &Client, callers: usize, each: usize) -> (Duration, Duration) {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let program = program.clone();
        tasks.spawn(async move {
            let mut times = Vec::with_capacity(each);
            for _ in 0..each {
                let started = Instant::now();
                program.run_action("notes-list", &RunAction::default(), None).await.unwrap();
                times.push(started.elapsed());
            }
            times
        });
    }
    let times = tasks.join_all().await.concat();
    (median(times), started.elapsed())
}

/// The same request over one kept connection, by a plain client.
async fn direct(servers: &Servers) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &servers.authority_pem).unwrap();
    let endpoint = aileron_api::client::Endpoint {
        base_url: format!("https://{}/v1", servers.notes_host),
        token: Some(servers.notes_key.clone()),
        extra_root: Some(authority),
    };
    let client = Client::new(endpoint).unwrap();
    let mut times = Vec::new();
    for _ in 0..100 {
        let started = Instant::now();
        // A path the notes API does not have, behind the same key check: the cheapest answer.
        drop(client.health().await);
        times.push(started.elapsed());
    }
    median(times)
}

fn resident(pid: u32) -> u64 {
    let output = Command::new("ps").args(["-o", "rss=", "-p", &pid.to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
