use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
};

use aileron_audit::Service;
use aileron_contract::{
    Reason,
    audit::{EventKind, Filter},
};
use aileron_receipt::Receipt;
use tempfile::TempDir;

use crate::support::{
    Fixture, context, event, kept, log_files, options, set_aside_files, sound, verify,
};

const EVENT: &str = r#"{"trace_id":"t","event":{"EventID":"audit-old-1","EventType":"connector.proxy.proxied","Actor":{"id":"a","type":"agent","display_name":""},"Payload":{"aileron.connector.fqn":"github://old/one"},"Timestamp":"2025-01-02T03:04:05.5Z"}}"#;
const MESSAGE: &str = r#"{"timestamp":"2025-01-02T03:04:06Z","session_id":"s","event":"reply_sent","service":"slack","channel":"c"}"#;

/// Files as an older version left them: both line shapes, damage, a line over the bundle limit,
/// and a last line cut off.
fn published() -> (TempDir, Vec<(std::path::PathBuf, Vec<u8>)>) {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("audit");
    fs::create_dir(&folder).unwrap();
    let long = format!("{{\"long\":\"{}\"}}", "x".repeat(100_000));
    let files = [
        ("audit-2025-01-02.jsonl", format!("{EVENT}\n{MESSAGE}\n\n{{broken\n{long}\n")),
        ("audit-2025-01-03.jsonl", "{\"event\":{\"EventID\":\"audit-torn".to_owned()),
    ];
    let written = files.map(|(name, text)| {
        let path = folder.join(name);
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        (path, text.into_bytes())
    });
    (home, written.into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_files_become_leaves_and_stay_as_they_are() {
    let (home, files) = published();
    let log = Fixture::of(home).await.unwrap();
    let records = log.audit().query(&context(), Filter::default()).await.unwrap();
    let kinds: Vec<_> = records.iter().map(|record| (record.index, record.kind.as_str())).collect();
    assert_eq!(kinds, [(6, "log.imported"), (1, "reply_sent"), (0, "connector.proxy.proxied")]);
    assert_eq!(records[0].payload["aileron.log.lines"], 6);
    assert_eq!(records[0].payload["aileron.log.unreadable"], 3);
    assert_eq!(records[0].payload["aileron.log.oversized"], 1);
    let text = log.audit().receipt(&context(), records[2].id.clone()).await.unwrap();
    let proven = Receipt::parse(&text).unwrap().verify(&log.key()).unwrap();
    assert_eq!(proven.leaf, EVENT.as_bytes());
    for (path, before) in files {
        let after = fs::read(&path).unwrap();
        assert!(after.starts_with(&before), "{path:?}");
        assert!(after.len() - before.len() <= 1, "only a missing line feed is added");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let log = log.reopen().await.unwrap();
    log.append(3).await;
    let folder = log.folder();
    let home = log.stop().await;
    sound(&folder);
    drop(home);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_making_that_was_cut_off_is_done_again() {
    let (home, _) = published();
    let log = Fixture::of(home).await.unwrap();
    let folder = log.folder();
    let home = log.stop().await;
    fs::rename(folder.join("log.key"), folder.join("log.key.new")).unwrap();
    let log = Fixture::of(home).await.unwrap();
    assert!(folder.join("log.key").exists());
    let filter = Filter { kind: Some("log.imported".to_owned()), ..Filter::default() };
    assert_eq!(log.audit().query(&context(), filter).await.unwrap().len(), 2);
    let home = log.stop().await;
    sound(&folder);
    drop(home);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_nobody_signed_is_set_aside_and_never_adopted() {
    let log = Fixture::new().await;
    log.append(5).await;
    let folder = log.folder();
    let home = log.stop().await;
    let before = kept(&folder);
    let file = log_files(&folder).pop().unwrap();
    let tail = format!("{EVENT}\n{{\"event\":{{\"torn");
    OpenOptions::new().append(true).open(&file).unwrap().write_all(tail.as_bytes()).unwrap();
    let later = folder.join("audit-2999-01-01.jsonl");
    fs::write(&later, format!("{MESSAGE}\n")).unwrap();

    let log = Fixture::of(home).await.unwrap();
    let aside = set_aside_files(&folder);
    assert_eq!(aside.len(), 2);
    let contents: Vec<_> = aside.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(contents.contains(&tail) && contents.contains(&format!("{MESSAGE}\n")));
    let kind = Some(EventKind::LogTailSetAside.text().to_owned());
    let told = Filter { kind, ..Filter::default() };
    assert_eq!(log.audit().query(&context(), told.clone()).await.unwrap().len(), 2);
    let adopted = log.audit().get(&context(), "audit-old-1".parse().unwrap()).await.unwrap_err();
    assert_eq!(adopted.reason(), Reason::NotFound);

    let log = log.reopen().await.unwrap();
    assert_eq!(log.audit().query(&context(), told).await.unwrap().len(), 2, "told once");
    let home = log.stop().await;
    let report = verify(&folder, &crate::support::key(&folder), Some(&before));
    assert!(report.is_sound(), "{report:?}");
    drop(home);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_a_power_failure_took_come_back_from_the_journal() {
    let log = Fixture::new().await;
    for _ in 0..20 {
        log.append(15).await;
    }
    let folder = log.folder();
    // What a power failure leaves: the journal is on the disk, the rest may not be.
    let crashed = TempDir::new().unwrap();
    let target = crashed.path().join("audit");
    fs::create_dir(&target).unwrap();
    for name in ["journal", "log.key", "log.vkey"] {
        fs::copy(folder.join(name), target.join(name)).unwrap();
    }
    let home = log.stop().await;
    let file = log_files(&folder).pop().unwrap();
    let lines = fs::read(&file).unwrap();
    let name = file.file_name().unwrap();
    let mut zeroed = lines[..lines.len() / 2].to_vec();
    zeroed.resize(lines.len(), 0);
    for left in [&lines[..], &lines[..lines.len() - 1], &lines[..lines.len() / 3], &[], &zeroed] {
        let again = TempDir::new().unwrap();
        let into = again.path().join("audit");
        fs::create_dir(&into).unwrap();
        for entry in fs::read_dir(&target).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, into.join(path.file_name().unwrap())).unwrap();
        }
        fs::write(into.join(name), left).unwrap();
        let log = Fixture::of(again).await.unwrap();
        let found = log.audit().checkpoint(&context()).await.unwrap().size;
        let told = u64::try_from(set_aside_files(&into).len()).unwrap();
        assert_eq!(found, 300 + told, "{} bytes were left", left.len());
        assert!(fs::read(into.join(name)).unwrap().starts_with(&lines));
        let again = log.stop().await;
        sound(&into);
        drop(again);
    }
    drop(home);
}

async fn refusal(home: &std::path::Path) -> Reason {
    match Service::open(options(home)).await {
        Ok(_) => panic!("a damaged log was opened"),
        Err(refused) => refused.reason(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_not_what_it_signed_is_not_opened() {
    let log = Fixture::new().await;
    log.append(300).await;
    let folder = log.folder();
    let home = log.stop().await;
    fs::remove_file(folder.join("journal")).unwrap();
    let file = log_files(&folder).pop().unwrap();
    let lines = fs::read(&file).unwrap();
    let mut flipped = lines.clone();
    flipped[100] ^= 1;
    for damaged in [flipped, lines[..lines.len() - 1].to_vec(), Vec::new()] {
        fs::write(&file, damaged).unwrap();
        assert_eq!(refusal(home.path()).await, Reason::AuditDamaged);
    }
    fs::write(&file, &lines).unwrap();
    for name in ["log.key", "checkpoint"] {
        fs::rename(folder.join(name), folder.join("away")).unwrap();
        assert_eq!(refusal(home.path()).await, Reason::AuditDamaged, "without {name}");
        fs::rename(folder.join("away"), folder.join(name)).unwrap();
    }
    let log = Fixture::of(home).await.unwrap();
    assert_eq!(log.append(1).await[0].index, 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_damaged_or_strange_index_is_built_again() {
    let log = Fixture::new().await;
    log.append(2_500).await;
    let other = Fixture::new().await;
    other.append(2_500).await;
    let (folder, strange) = (log.folder(), other.folder().join("index.db"));
    let (mut home, other) = (log.stop().await, other.stop().await);
    let index = folder.join("index.db");
    let aside = |suffix: &str| folder.join(format!("index.db{suffix}"));
    for how in 0..4 {
        for suffix in ["-wal", "-shm"] {
            fs::remove_file(aside(suffix)).ok();
        }
        match how {
            0 => fs::remove_file(&index).unwrap(),
            1 => fs::write(&index, vec![7; 5_000]).unwrap(),
            2 => drop(fs::copy(&strange, &index).unwrap()),
            _ => {}
        }
        let log = Fixture::of(home).await.unwrap();
        let appended = log.append(1).await.remove(0);
        let filter = Filter { limit: Some(1_000), ..Filter::default() };
        let found = log.audit().query(&context(), filter).await.unwrap();
        assert_eq!(found.len(), 1_000);
        assert_eq!(found[0], appended, "case {how}");
        assert!(found.windows(2).all(|pair| pair[0].index == pair[1].index + 1));
        home = log.stop().await;
    }
    drop((home, other));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_and_missing_tiles_are_written_again() {
    let log = Fixture::new().await;
    log.append(700).await;
    let folder = log.folder();
    let home = log.stop().await;
    fs::write(folder.join("tile/0/000"), vec![0; 8_192]).unwrap();
    fs::remove_file(folder.join("tile/entries/001")).unwrap();
    fs::remove_dir_all(folder.join("tile/1")).unwrap();
    assert_eq!(verify(&folder, &crate::support::key(&folder), None).problems.len(), 3);
    let log = Fixture::of(home).await.unwrap();
    log.audit().append(&context(), event(0)).await.unwrap();
    let home = log.stop().await;
    sound(&folder);
    drop(home);
}
