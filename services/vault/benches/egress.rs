//! What egress costs: requests through the vault's own service, beside the same requests by bare
//! hyper connections, to one server on loopback over TLS, in one run.
//!
//! The bare side is the least that can be done: each caller holds an open connection of its own
//! (HTTP/1.1), or all share one (HTTP/2), and nothing is looked up, recorded or masked. The
//! service looks the binding up, records its use in a log that keeps nothing, joins the key, takes
//! a kept connection and looks for the key in the answer. Both have the same TLS configuration,
//! send the same headers, and read the whole answer.
//!
//! Callers and upstream work on one processor. So each piece of work of either side counts in
//! full, and nothing depends on which thread the system puts where: left alone it has one side's
//! threads share a processor and the other's wake each other across two, and a processor that
//! slept takes longer to wake than a request takes (`--unpinned` shows it). A machine that is busy
//! with something else takes whole slices of time away, which medians of short requests do not see.
//!
//! The sides take turns that are short beside whatever else the machine does, and long enough that
//! each finds its own code and data at hand: call by call they push each other's out, which makes
//! both slower and so more alike. Of each round the medians of both sides are compared; what is
//! told is the median of all rounds. Arguments choose among the comparisons:
//! `cargo bench -p aileron-vault --bench egress -- h2`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench that cannot go on ends there, and its numbers are for reading"
)]

#[path = "egress/callers.rs"]
mod callers;
#[path = "egress/ground.rs"]
mod ground;

use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::task::JoinSet;

use callers::{Bare, Caller, Through};
use ground::Ground;

const ROUNDS: usize = 21;

/// Requests of one side in one round.
const REQUESTS: usize = 640;

/// Requests of one caller in one turn.
const TURN: usize = 20;

/// What a request through egress may take, as a multiple of a bare one.
const GOAL: f64 = 1.15;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|one| one == "--unpinned") {
        pin();
    }
    // The upstream works in a thread of its own, as an upstream does.
    let upstreams = runtime(1);
    let callers = runtime(2);
    let wanted: Vec<_> = arguments.iter().filter(|one| !one.starts_with('-')).collect();
    for protocol in ["http/1.1", "h2"] {
        for size in [1024, 64 * 1024] {
            let ground = upstreams.block_on(Ground::new(protocol, size));
            for together in [1, 32] {
                let what = format!("{protocol:<8} {:>2} KiB, {together:>2} callers", size / 1024);
                if wanted.iter().all(|wanted| what.contains(*wanted)) {
                    report(&what, callers.block_on(compare(&ground, protocol, size, together)));
                }
            }
        }
    }
}

/// Every thread from now on works on one processor, the last one this process may use.
fn pin() {
    let may = sched_getaffinity(None).unwrap();
    let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| may.is_set(*cpu)).unwrap();
    let mut one = CpuSet::new();
    one.set(last);
    sched_setaffinity(None, &one).unwrap();
}

fn report(what: &str, rounds: Vec<[Duration; 2]>) {
    let ratio = |[bare, egress]: &[Duration; 2]| egress.as_secs_f64() / bare.as_secs_f64();
    let ratios = sorted(rounds.iter().map(ratio), f64::total_cmp);
    let p50 = [0, 1].map(|side| median(&sorted(rounds.iter().map(|round| round[side]), Ord::cmp)));
    let (ratio, low, high) =
        (median(&ratios), ratios[ROUNDS / 10], ratios[ROUNDS - 1 - ROUNDS / 10]);
    let goal = if ratio <= GOAL { "PASS" } else { "OVER" };
    println!(
        "{what}: bare p50 {:>9.1?}, egress p50 {:>9.1?}: {ratio:.3} x ({low:.2} to {high:.2}), \
         {goal}, the goal is {GOAL} x",
        p50[0], p50[1],
    );
}

fn sorted<T>(
    values: impl Iterator<Item = T>,
    order: impl FnMut(&T, &T) -> std::cmp::Ordering,
) -> Vec<T> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(order);
    values
}

fn median<T: Copy>(sorted: &[T]) -> T {
    sorted[sorted.len() / 2]
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

/// The medians of bare hyper, and of egress, in each round.
async fn compare(
    ground: &Ground,
    protocol: &str,
    size: usize,
    together: usize,
) -> Vec<[Duration; 2]> {
    let house = ground.house().await;
    let bare = Bare::open(ground, protocol, together).await;
    let service = Through::new(house.egress(), &ground.host, size);
    let mut rounds = Vec::new();
    // In the first one connections are opened, caches filled.
    for _ in 0..=ROUNDS {
        let mut sides = [Vec::new(), Vec::new()];
        while sides[0].len() < REQUESTS {
            sides[0].extend(turn(together, |caller| bare.caller(caller)).await);
            sides[1].extend(turn(together, |_| service.clone()).await);
        }
        rounds.push(sides.map(|times| median(&sorted(times.into_iter(), Ord::cmp))));
    }
    house.shutdown().await;
    rounds.split_off(1)
}

/// Some requests by each of several callers.
async fn turn<C: Caller>(together: usize, caller: impl Fn(usize) -> C) -> Vec<Duration> {
    let mut tasks = JoinSet::new();
    for number in 0..together {
        let mut caller = caller(number);
        tasks.spawn(async move {
            let mut times = Vec::with_capacity(TURN);
            for _ in 0..TURN {
                times.push(timed(&mut caller).await);
            }
            times
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

async fn timed(caller: &mut impl Caller) -> Duration {
    let handed = caller.handed();
    let begun = Instant::now();
    assert!(caller.request(handed).await > 0);
    begun.elapsed()
}
