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

mod figures;
#[path = "../it/house.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod house;
#[path = "../it/main_job.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod main_job;

use std::time::{Duration, Instant};

use aileron_api::{actions::RunAction, client::Client};
use aileron_node::demo::Servers;

use crate::{
    figures::{flushes, fsync_time, median, resident, target},
    house::House,
};

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
        main_job::moves_in(&program, &servers).await;
        main_job::list(&program).await;
        runs(&program, &servers, pid).await;
    });
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

/// Runs against the same request sent directly, by one caller and by many; then once more under
/// `strace`, which slows them, to count what they flush.
async fn runs(program: &Client, servers: &Servers, daemon: u32) {
    let direct = direct(servers).await;
    let before = fsync_time();
    let (one, alone) = measure(program, 1, 100).await;
    let (many, elapsed) = measure(program, CALLERS, RUNS_PER_CALLER).await;
    // The disk has other users: its time is the mean of before and after.
    let fsync = (before + fsync_time()) / 2;
    let per_second = (CALLERS * RUNS_PER_CALLER) as f64 / elapsed.as_secs_f64();
    let serial = 100.0 / alone.as_secs_f64();
    println!("the request sent directly, p50:       {direct:>10.1?}");
    println!("fsync of this disk, around the runs:  {fsync:>10.1?}");
    println!(
        "one caller, run p50:                  {one:>10.1?} (added {:.1?})",
        one.saturating_sub(direct)
    );
    println!("{CALLERS} callers, run p50:                 {many:>10.1?}");
    println!("runs per second, one caller:          {serial:>10.0}");
    println!(
        "runs per second, {CALLERS} callers:         {per_second:>10.0} ({:.1} x one caller)",
        per_second / serial
    );
    let Some(flushes_alone) = flushes_per_run(program, daemon, 1, 50).await else {
        println!("fsyncs per run:                       not counted, strace is missing or refused");
        return;
    };
    let together = flushes_per_run(program, daemon, CALLERS, RUNS_PER_CALLER).await;
    let together = together.unwrap_or_default();
    println!(
        "fsyncs per run:                       {flushes_alone:>10.2} alone, {together:.2} with {CALLERS} callers"
    );
    let bound = 1.0 / (flushes_alone * fsync.as_secs_f64());
    println!(
        "grouping: runs/s over the serial rate {:>10.2} ({bound:.0}/s: one caller's fsyncs, nothing else)",
        per_second / bound
    );
    target("grouping, at least 4 x the serial rate:", per_second / bound >= 4.0);
}

/// A fast disk leaves grouping little to save, a slow one much.
async fn flushes_per_run(
    program: &Client,
    daemon: u32,
    callers: usize,
    each: usize,
) -> Option<f64> {
    let counted = flushes(daemon, async {
        measure(program, callers, each).await;
    });
    Some(counted.await? as f64 / (callers * each) as f64)
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

/// The guest's request over one kept connection, by a plain client.
async fn direct(servers: &Servers) -> Duration {
    let root = reqwest::Certificate::from_pem(servers.authority_pem.as_bytes()).unwrap();
    // Its provider of cryptography, as in the product.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().tls_certs_only([root]).no_proxy().build().unwrap();
    let url = format!("https://{}/notes", servers.notes_host);
    let mut times = Vec::new();
    for _ in 0..100 {
        let started = Instant::now();
        let answer = client.get(&url).bearer_auth(&servers.notes_key).send().await.unwrap();
        let notes = answer.error_for_status().unwrap().text().await.unwrap();
        assert!(notes.contains("Welcome"));
        times.push(started.elapsed());
    }
    median(times)
}
