//! A start of the log on a folder that a crash, or somebody, changed: the log is refused, or it
//! holds exactly the lines it signed. Each edit names a file and is five bytes long.
#![no_main]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use aileron_audit::{Options, Service, fuzz};
use aileron_contract::{
    Context, Reason, Timestamp,
    audit::{Actor, ActorKind, Event, EventKind},
};
use aileron_fuzz::edited;
use aileron_receipt::{Checkpoint, VerifierKey, line::Lines, verify};

libfuzzer_sys::fuzz_target!(|edits: &[u8]| {
    let Base { files, key, folder } = base();
    clear(folder);
    let mut changed = [false; 3];
    for (number, (name, bytes)) in files.iter().enumerate() {
        let own: Vec<u8> = edits
            .chunks_exact(5)
            .take(12)
            .filter(|edit| usize::from(edit[0]) % 3 == number)
            .flat_map(|edit| edit[1..].to_vec())
            .collect();
        let bytes = if number < 3 { edited(bytes, &own) } else { bytes.clone() };
        if let Some(mark) = changed.get_mut(number) {
            *mark = bytes != files[number].1;
        }
        fs::write(folder.join(name), bytes).expect("a folder of ours");
    }
    match fuzz::recover(folder) {
        Err(error) => {
            let reason = error.reason();
            assert!(matches!(reason, Reason::AuditDamaged | Reason::AuditUnavailable), "{error:?}");
            assert!(changed.contains(&true), "an untouched log was refused: {error:?}");
        }
        Ok(size) => {
            let [_, checkpoint, journal] = changed;
            let whole = u64::try_from(LINES).expect("small");
            assert!(size <= whole);
            assert!(size == whole || (checkpoint && journal), "signed lines were forgotten");
            let note = fs::read(folder.join("checkpoint")).expect("it was just written");
            let newest = Checkpoint::open(&note, key).expect("signed by the log");
            let lines = lines(folder);
            let report = verify::log(lines, &newest, None);
            assert!(report.is_sound() && newest.size() == size, "{report:?}");
        }
    }
});

const LINES: usize = 5;

/// A log at rest: lines, checkpoint and journal, then its keys.
struct Base {
    files: Vec<(String, Vec<u8>)>,
    key: VerifierKey,
    folder: PathBuf,
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let home = std::env::temp_dir().join(format!("aileron-fuzz-{}", std::process::id()));
        fs::create_dir_all(&home).expect("a folder of ours");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(write(&home));
        let log = home.join("audit");
        let lines = fs::read_dir(&log)
            .expect("the log")
            .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
            .find(|name| name.ends_with(".jsonl"))
            .expect("lines");
        let names = [lines.as_str(), "checkpoint", "journal", "log.key", "log.vkey"];
        let files = names.map(|name| {
            let mut bytes = fs::read(log.join(name)).expect("a file of the log");
            // The rest of the journal is zeroes: shorter is as good and quicker.
            if name == "journal" {
                bytes.truncate(16 * 1024);
            }
            (name.to_owned(), bytes)
        });
        let key = fs::read_to_string(log.join("log.vkey")).expect("the key").parse();
        let folder = home.join("again");
        fs::create_dir_all(&folder).expect("a folder of ours");
        Base { files: files.into(), key: key.expect("a key"), folder }
    })
}

async fn write(home: &Path) {
    let (home, origin) = (home.to_owned(), "example.org/log".to_owned());
    let service = Service::open(Options { home, origin, database: None, clock: Timestamp::now })
        .await
        .expect("a new log");
    for at in 0..LINES {
        let actor = Actor { kind: ActorKind::Service, id: "fuzz".to_owned(), display_name: None };
        let event = Event::new(EventKind::VaultUnlocked, actor).with("at", at);
        service.audit().append(&Context::service("fuzz"), event).await.expect("recorded");
    }
    service.shutdown().await;
}

fn lines(folder: &Path) -> Vec<Vec<u8>> {
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the log")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            aileron_receipt::line::is_log_file(&name)
        })
        .collect();
    names.sort();
    let mut found = Vec::new();
    for name in names {
        let bytes = fs::read(name).expect("lines");
        let mut lines = Lines::new(bytes.as_slice());
        while let Some(line) = lines.next_line().expect("memory can be read") {
            found.push(line.leaf.to_vec());
        }
    }
    found
}

fn clear(folder: &Path) {
    fs::remove_dir_all(folder).expect("a folder of ours");
    fs::create_dir_all(folder).expect("a folder of ours");
}
