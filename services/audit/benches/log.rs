//! The log under load. Ratios beside absolutes: the disk's own fsync is measured in the same run.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends there, and its numbers are for reading"
)]

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use aileron_audit::{Options, Service};
use aileron_contract::{
    Context, Timestamp,
    audit::{Actor, ActorKind, Event, EventKind, Filter, Handle},
    failure::Class,
};
use aileron_receipt::{Checkpoint, verify};
use criterion::{Criterion, criterion_group, criterion_main};

criterion_group!(benches, log);
criterion_main!(benches);

fn log(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let service = runtime.block_on(Service::open(options(home.path()))).unwrap();
    let audit = service.audit();

    let fsync = fsync_time(home.path());
    println!("fsync of an appended line: {fsync:?}");
    for callers in [1, 32, 1_024] {
        let rate = runtime.block_on(append_rate(&audit, callers));
        let bound = callers as f64 / fsync.as_secs_f64();
        println!("append, {callers} callers: {rate:.0}/s, {:.2} of callers/fsync", rate / bound);
        match callers {
            32 => target("32 callers append at least 0.8 x 32/fsync", rate >= 0.8 * bound),
            1_024 => target("1,024 callers append at least 20,000/s", rate >= 20_000.0),
            _ => {}
        }
    }

    let context = Context::service("bench");
    let filters = [
        ("newest 100", Filter::default()),
        ("by class", Filter { class: Some(Class::NetworkError), ..Filter::default() }),
        (
            "by connector",
            Filter {
                connector: Some("github://acme/notes-1".parse().unwrap()),
                ..Filter::default()
            },
        ),
        (
            "nothing before 1971",
            Filter { until: Some("1971-01-01T00:00:00Z".parse().unwrap()), ..Filter::default() },
        ),
    ];
    let size = runtime.block_on(audit.checkpoint(&context)).unwrap().size;
    // The index catches up outside of the measurement.
    runtime.block_on(audit.query(&context, Filter::default())).unwrap();
    for (name, filter) in &filters {
        let begun = Instant::now();
        runtime.block_on(audit.query(&context, filter.clone())).unwrap();
        let name = format!("a list ({name}) of {size} records takes at most 20 ms");
        target(&name, begun.elapsed() <= Duration::from_millis(20));
    }
    let mut group = criterion.benchmark_group(format!("query of {size} records"));
    for (name, filter) in filters {
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(audit.query(&context, filter.clone())).unwrap());
        });
    }
    group.finish();

    runtime.block_on(service.shutdown());
    verify_rate(&home.path().join("audit"));
    let begun = Instant::now();
    let service = runtime.block_on(Service::open(options(home.path()))).unwrap();
    println!("opening the log of {size} records: {:?}", begun.elapsed());
    runtime.block_on(service.shutdown());
}

/// Says of a goal whether this machine reached it; it decides nothing.
fn target(goal: &str, met: bool) {
    println!("target, {goal}: {} on this disk", if met { "met" } else { "not met" });
}

fn options(home: &Path) -> Options {
    Options {
        home: home.to_owned(),
        origin: "aileron.bench/log".to_owned(),
        database: None,
        clock: Timestamp::now,
    }
}

fn event(at: usize) -> Event {
    let actor = Actor { kind: ActorKind::Service, id: "executor".to_owned(), display_name: None };
    let event = Event::new(EventKind::ExecutionFailed, actor)
        .with("aileron.connector.fqn", format!("github://acme/notes-{}", at % 50))
        .with("aileron.action.name", "notes-create");
    if at.is_multiple_of(100) {
        event.with("aileron.failure.class", "network_error")
    } else {
        event
    }
}

/// The median of appending a line to a file and flushing it.
fn fsync_time(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("fsync")).unwrap();
    let mut times: Vec<_> = (0..500)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[b'x'; 400]).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.into_iter().nth(250).unwrap()
}

async fn append_rate(audit: &Handle, callers: usize) -> f64 {
    let each = (60_000 / callers).min(2_000);
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let audit = Arc::clone(audit);
        tasks.spawn(async move {
            let context = Context::service("bench");
            for at in 0..each {
                audit.append(&context, event(caller * each + at)).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    (callers * each) as f64 / begun.elapsed().as_secs_f64()
}

fn verify_rate(folder: &Path) {
    let key = std::fs::read_to_string(folder.join("log.vkey")).unwrap().parse().unwrap();
    let kept = Checkpoint::open(&std::fs::read(folder.join("checkpoint")).unwrap(), &key).unwrap();
    let begun = Instant::now();
    let report = verify::directory(folder, &key, Some(&kept)).unwrap();
    assert!(report.is_sound());
    let rate = report.lines as f64 / begun.elapsed().as_secs_f64();
    println!("verify with tiles, from files: {rate:.0} records/s");
    target("verify at least 200,000 records/s", rate >= 200_000.0);
    let text: Vec<u8> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    let lines = || text.split(|c| *c == b'\n').filter(|line| !line.is_empty());
    let begun = Instant::now();
    let report = verify::log(lines(), &kept, Some(&kept));
    assert!(report.is_sound());
    let rate = report.lines as f64 / begun.elapsed().as_secs_f64();
    println!("verify of lines: {rate:.0} records/s");
}
