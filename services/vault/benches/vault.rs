//! What a vault costs: unlocking beside the reference implementation of Argon2 with the same
//! parameters, and a vault of 10,000 entries. One run, so that ratios mean something; single
//! figures belong to the machine.
//!
//! The reference is Debian's `argon2`, which is libargon2 and a command line around it. What it
//! says of itself is the time of its processors; what a person waits for is the clock's, so the
//! whole command is timed, less the same command with a hash that costs nothing. It uses one
//! thread per lane, where the vault uses one: it is measured free, and held to one processor.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench that cannot go on ends there, and its numbers are for reading"
)]

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use aileron_contract::{
    Audit, Context, Error, Reason, Result, Secret, Stream, Timestamp,
    audit::{Checkpoint, Event, Filter, Handle, Record},
    names::AuditId,
    vault::EntryFilter,
};
use aileron_store::{Database, Location};
use aileron_vault::{Kdf, Options, Service, egress};
use async_trait::async_trait;

const PASSPHRASE: &str = "correct horse battery staple";

/// Unlocks and hashes, in turns.
const TURNS: usize = 15;
const ENTRIES: usize = 10_000;
const PUTS: usize = 20;

/// The published test vector: its key opens both, and version 1 binds neither to a path.
const VERIFICATION: &str = "EBAQEBAQEBAQEBAQBI01gO50G97gNhiHb3vfnLV6NN8SqMZ7Yxm5ha/8NQA=";
const VALUE: &str = "ICAgICAgICAgICAgWwkEg+YTswMX2piSswRwA7o8QksP8vNJoxADZA==";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        unlocking().await;
        many_entries().await;
    });
}

async fn unlocking() {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let vault = open(home.path()).await.vault();
    vault.create(&person(), secret(PASSPHRASE)).await.unwrap();
    let (mut ours, mut alone, mut free) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        vault.lock(&person()).await.unwrap();
        let begun = Instant::now();
        vault.unlock(&person(), secret(PASSPHRASE)).await.unwrap();
        ours.push(begun.elapsed());
        alone.extend(reference(&["taskset", "-c", "0", "argon2"]));
        free.extend(reference(&["argon2"]));
    }
    let ours = median(&mut ours);
    let Kdf { memory_kib, passes, lanes } = Kdf::default();
    println!("unlock, Argon2id {memory_kib} KiB, {passes} passes, {lanes} lanes: {ours:?}");
    for (how, mut theirs) in [("one processor", alone), ("a thread per lane", free)] {
        if theirs.is_empty() {
            println!("libargon2, {how}: not there (apt-get install argon2)");
            continue;
        }
        let theirs = median(&mut theirs);
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        println!("libargon2, {how}: {theirs:?}; unlock takes {ratio:.2} of it");
    }
}

/// How long libargon2 takes for one hash.
fn reference(program: &[&str]) -> Option<Duration> {
    let Kdf { memory_kib, passes, lanes } = Kdf::default();
    let whole = command(program, [memory_kib, passes, lanes])?;
    let start = command(program, [8, 1, 1])?;
    Some(whole.saturating_sub(start))
}

fn command(program: &[&str], [memory_kib, passes, lanes]: [u32; 3]) -> Option<Duration> {
    let (program, arguments) = program.split_first()?;
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .args(["sixteen-bytes-of", "-id", "-l", "32", "-v", "13", "-r"])
        .args(["-t", &passes.to_string(), "-p", &lanes.to_string()])
        .args(["-k", &memory_kib.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(PASSPHRASE.as_bytes()).ok()?;
    child.wait().ok()?.success().then(|| begun.elapsed())
}

async fn many_entries() {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(home.path().join("secrets.json"), published(ENTRIES)).unwrap();
    let service = open(home.path()).await;
    let vault = service.vault();
    let name = |at: usize| format!("fresh-{at}").parse().unwrap();
    timed("unlock, version 1", vault.unlock(&person(), secret(PASSPHRASE))).await.unwrap();
    timed("first put, which migrates", vault.put_secret(&person(), name(0), secret("v")))
        .await
        .unwrap();
    vault.lock(&person()).await.unwrap();
    timed("unlock, version 2", vault.unlock(&person(), secret(PASSPHRASE))).await.unwrap();
    let (mut lists, mut puts) = (Vec::new(), Vec::new());
    for at in 1..=PUTS {
        let begun = Instant::now();
        let listed = vault.entries(&person(), EntryFilter::default()).await.unwrap();
        lists.push(begun.elapsed());
        assert_eq!(listed.len(), ENTRIES + at);
        let begun = Instant::now();
        vault.put_secret(&person(), name(at), secret("v")).await.unwrap();
        puts.push(begun.elapsed());
    }
    let length = home.path().join("secrets.json").metadata().unwrap().len();
    println!("{ENTRIES} entries ({} KiB): list {:?}", length / 1024, median(&mut lists));
    println!("{ENTRIES} entries: put {:?}", median(&mut puts));
    service.shutdown().await;
}

async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    println!("{ENTRIES} entries: {what} {:?}", begun.elapsed());
    done
}

/// A file as an earlier runtime would have left it.
fn published(entries: usize) -> String {
    let mut secrets = String::new();
    for at in 0..entries {
        let comma = if at > 0 { "," } else { "" };
        write!(
            secrets,
            r#"{comma}"api_key/service-{at}/work": {{"value": "{VALUE}", "metadata": {{
                "Type": "api_key", "Environment": "", "Labels": {{
                "service": "service-{at}", "identity": "work", "status": "active",
                "connector_fqn": "github://acme/service-{at}", "created_at": "1700000000"}}}}}}"#
        )
        .unwrap();
    }
    format!(
        r#"{{"version": 1, "salt": "AAECAwQFBgcICQoLDA0ODw==", "verification": "{VERIFICATION}",
            "secrets": {{{secrets}}}}}"#
    )
}

async fn open(home: &Path) -> Service {
    let location = Location::File(home.join("state.db"));
    Service::open(Options {
        home: home.to_owned(),
        database: Database::open(location, &[]).await.unwrap(),
        audit: Arc::new(Log) as Handle,
        daemon_token: None,
        kdf: Kdf::default(),
        egress: egress::Options::default(),
        idle_lock: None,
        clock: Timestamp::now,
    })
    .await
    .unwrap()
}

fn person() -> Context {
    Context::service("bench")
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A log that costs nothing: the log has a bench of its own.
struct Log;

#[async_trait]
impl Audit for Log {
    async fn append(&self, _: &Context, event: Event) -> Result<Record> {
        Ok(Record {
            index: 0,
            id: "audit-1".parse()?,
            kind: event.kind.text().to_owned(),
            timestamp: Timestamp::UNIX_EPOCH,
            actor: event.actor,
            payload: event.payload,
            trace_id: None,
        })
    }

    async fn query(&self, _: &Context, _: Filter) -> Result<Vec<Record>> {
        panic!("the vault does not read the log here")
    }

    async fn get(&self, _: &Context, _: AuditId) -> Result<Record> {
        Err(Error::new(Reason::NotFound, "nothing is kept"))
    }

    async fn watch(&self, _: &Context, _: u64) -> Result<Stream<Record>> {
        panic!("the vault does not read the log here")
    }

    async fn checkpoint(&self, _: &Context) -> Result<Checkpoint> {
        panic!("the vault does not read the log here")
    }

    async fn receipt(&self, _: &Context, _: AuditId) -> Result<String> {
        panic!("the vault does not read the log here")
    }
}
