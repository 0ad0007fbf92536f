use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicI64, Ordering},
};

use aileron_audit::{Options, Service};
use aileron_contract::{Reason, Timestamp, audit::EventKind};
use aileron_receipt::{Checkpoint, Receipt};

use crate::support::{
    Fixture, ORIGIN, append, context, event, key, log_files, options, sound, verify,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_appended_is_in_the_file_in_order_and_covered_by_the_checkpoint() {
    let log = Fixture::new().await;
    let records = log.append(700).await;
    assert!(records.iter().zip(0..).all(|(record, index)| record.index == index));
    let checkpoint = log.audit().checkpoint(&context()).await.unwrap();
    assert_eq!(checkpoint.size, 700);
    let key = checkpoint.verifier_key.parse().unwrap();
    let opened = Checkpoint::open(checkpoint.note.as_bytes(), &key).unwrap();
    assert_eq!((opened.origin(), opened.size()), (ORIGIN, 700));
    let report = verify(&log.folder(), &key, Some(&opened));
    assert!(report.is_sound(), "{report:?}");
    let text = fs::read_to_string(&log_files(&log.folder())[0]).unwrap();
    for (line, record) in text.lines().zip(&records) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["event"]["EventID"], record.id.as_str());
        assert_eq!(line["event"]["Timestamp"], record.timestamp.to_string());
    }
    assert_eq!(text.lines().count(), 700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_given_twice_records_once_also_when_both_come_at_once() {
    let log = Fixture::new().await;
    let audit = log.audit();
    let mut given = event(1);
    given.id = Some("audit-given".parse().unwrap());
    let context = context();
    let same = (0..64).map(|_| audit.append(&context, given.clone()));
    let records: Vec<_> =
        futures::future::join_all(same).await.into_iter().map(Result::unwrap).collect();
    assert!(records.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(audit.checkpoint(&context).await.unwrap().size, 1);

    let log = log.reopen().await.unwrap();
    let again = log.audit().append(&context, given.clone()).await.unwrap();
    assert_eq!(again, records[0]);
    let other = given.with("changed", true);
    let refused = log.audit().append(&context, other).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::IdempotencyConflict);
    assert_eq!(log.audit().checkpoint(&context).await.unwrap().size, 1);
}

#[tokio::test]
async fn an_append_goes_on_when_its_caller_has_gone() {
    let log = Fixture::new().await;
    let mut callers = tokio::task::JoinSet::new();
    for at in 0..32 {
        let audit = log.audit();
        callers.spawn(async move { audit.append(&context(), event(at)).await });
    }
    // Each has asked once, for on one thread they take turns.
    tokio::task::yield_now().await;
    drop(callers);
    let log = log.reopen().await.unwrap();
    assert_eq!(log.audit().checkpoint(&context()).await.unwrap().size, 32);
    sound(&log.folder());
}

static SHIFTED: AtomicI64 = AtomicI64::new(0);

fn shifted() -> Timestamp {
    Timestamp::from_second(1_800_000_000 + SHIFTED.load(Ordering::Relaxed)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_begins_a_file_and_a_clock_set_back_does_not_reorder() {
    let home = tempfile::tempdir().unwrap();
    let open = || async {
        let options = Options { clock: shifted, ..options(home.path()) };
        Service::open(options).await.unwrap()
    };
    let service = open().await;
    let folder = home.path().join("audit");
    let mut ids = Vec::new();
    for (days, files) in [(0, 1), (1, 2), (-3, 2), (0, 2), (2, 3), (-400, 3)] {
        SHIFTED.store(days * 86_400, Ordering::Relaxed);
        ids.extend(append(&service.audit(), 3).await.into_iter().map(|record| record.id));
        assert_eq!(log_files(&folder).len(), files, "day {days}");
    }
    service.shutdown().await;
    sound(&folder);
    let service = open().await;
    ids.extend(append(&service.audit(), 1).await.into_iter().map(|record| record.id));
    for (id, index) in ids.iter().zip(0..) {
        assert_eq!(service.audit().get(&context(), id.clone()).await.unwrap().index, index);
    }
    service.shutdown().await;
    sound(&folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_verifies_offline_with_the_public_key_alone() {
    let log = Fixture::new().await;
    let records = log.append(600).await;
    let key = log.key();
    for index in [0, 1, 255, 256, 511, 512, 599] {
        let text = log.audit().receipt(&context(), records[index].id.clone()).await.unwrap();
        let proven = Receipt::parse(&text).unwrap().verify(&key).unwrap();
        assert_eq!(proven.index, records[index].index);
        let line = String::from_utf8(proven.leaf).unwrap();
        assert!(line.contains(records[index].id.as_str()));
    }
    let unknown = log.audit().receipt(&context(), "audit-x".parse().unwrap()).await.unwrap_err();
    assert_eq!(unknown.reason(), Reason::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_payload_is_referenced_and_its_receipt_verifies() {
    let log = Fixture::new().await;
    let large = event(0).with("aileron.output", "x".repeat(3_000_000));
    let record = log.audit().append(&context(), large).await.unwrap();
    assert_eq!(record.payload["aileron.output"]["size"], 3_000_002);
    let text = log.audit().receipt(&context(), record.id.clone()).await.unwrap();
    Receipt::parse(&text).unwrap().verify(&log.key()).unwrap();
    assert_eq!(log.audit().get(&context(), record.id.clone()).await.unwrap(), record);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_owner_reads_the_log() {
    let log = Fixture::new().await;
    log.append(300).await;
    let folder = log.folder();
    let home = log.stop().await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut folders = vec![folder];
    while let Some(next) = folders.pop() {
        assert_eq!(mode(&next), 0o700, "{next:?}");
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{path:?}");
            }
        }
    }
    drop(home);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_has_one_owner_and_answers_after_shutdown_that_it_is_down() {
    let log = Fixture::new().await;
    let second = Service::open(options(log.home.path())).await.unwrap_err();
    assert_eq!(second.reason(), Reason::StateBusy);
    let audit = log.audit();
    let home = log.stop().await;
    let refused = audit.append(&context(), event(0)).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::ShuttingDown);
    let again = Fixture::of(home).await.unwrap();
    assert_eq!(again.append(1).await[0].kind, EventKind::ExecutionSucceeded.text());
    assert_eq!(key(&again.folder()), again.key());
}
