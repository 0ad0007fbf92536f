//! The same house in one process, and in four over Unix sockets.

use std::{
    os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _},
    time::{Duration, Instant},
};

use aileron_api::{actions::RunAction, client::Client};
use aileron_node::demo::Servers;
use serde_json::json;

use crate::{
    house::{House, create_vault, person},
    main_job::{approve, ask, goes_all_the_way, install, list, settled},
};

/// The processes, by role.
struct Four {
    house: House,
    audit: u32,
    vault: u32,
    executor: u32,
}

impl Four {
    fn start(servers: &Servers) -> Self {
        let sockets = tempfile::Builder::new().prefix("aileron-run-").tempdir().unwrap().keep();
        let token = sockets.join("service.token");
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&token)
            .unwrap();
        std::fs::write(&token, "0123456789abcdef0123456789abcdef0123456789abcdef").unwrap();
        std::fs::set_permissions(&sockets, std::fs::Permissions::from_mode(0o700)).unwrap();
        let services = json!({ "services": {
            "token_file": token,
            "executor": sockets.join("executor.sock"),
            "vault": sockets.join("vault.sock"),
            "audit": sockets.join("audit.sock"),
        }});
        let mut house = House::with_config(servers, &services);
        let audit = role(&mut house, "audit");
        let vault = role(&mut house, "vault");
        let executor = role(&mut house, "executor");
        role(&mut house, "gateway");
        Self { house, audit, vault, executor }
    }

    /// A client, once all four have found each other.
    async fn program(&mut self) -> Client {
        let program = self.house.client().await;
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = program.status().await {
            assert_eq!(error.code(), Some("service_unavailable"), "{error}");
            assert!(Instant::now() < deadline, "{}", self.house.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        program
    }
}

fn role(house: &mut House, name: &str) -> u32 {
    let config = house.path().join("config.yaml");
    house.spawn(&["serve", "--roles", name, "--config", config.to_str().unwrap()])
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_process() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let program = house.start().await;
    goes_all_the_way(&program, &servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_four_processes() {
    let servers = Servers::start().await.unwrap();
    let mut four = Four::start(&servers);
    let program = four.program().await;
    goes_all_the_way(&program, &servers).await;

    let key = servers.notes_key.as_bytes();
    assert!(!memory_holds(four.executor, key), "the executor has seen the credential");
    assert!(!memory_holds(four.audit, key), "the log has seen the credential");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_killed_and_restarted_is_found_again() {
    let servers = Servers::start().await.unwrap();
    let mut four = Four::start(&servers);
    let program = four.program().await;
    create_vault(&program).await;
    let first = person(&program).await;
    install(&first, &servers).await;

    four.house.kill(four.executor);
    let lost = program.actions().await.unwrap_err();
    assert_eq!(lost.code(), Some("service_unavailable"), "{lost}");
    four.executor = role(&mut four.house, "executor");
    recovers(&program).await;
    assert!(list(&program).await.result.unwrap().contains("Welcome"));

    // The vault starts locked, and person sessions were in its memory only.
    four.house.kill(four.vault);
    four.vault = role(&mut four.house, "vault");
    let passphrase = aileron_api::Sensitive::new(crate::house::PASSPHRASE.to_owned());
    let deadline = Instant::now() + Duration::from_secs(30);
    let unlock = aileron_api::vault::UnlockVault { passphrase };
    while let Err(error) = program.unlock_vault(&unlock).await {
        assert_eq!(error.code(), Some("service_unavailable"), "{error}");
        assert!(Instant::now() < deadline, "the vault does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(first.tokens().await.unwrap_err().api().unwrap().status, 401);
    let second = person(&program).await;
    let pending = ask(&program, "After", None).await;
    approve(&second, &pending.approval_id).await;
    settled(&program, &pending.approval_id).await;
    assert_eq!(servers.titles(), ["Welcome", "After"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_coming_back_lets_effects_happen_again() {
    let servers = Servers::start().await.unwrap();
    let mut four = Four::start(&servers);
    let program = four.program().await;
    create_vault(&program).await;
    install(&person(&program).await, &servers).await;

    four.house.kill(four.audit);
    let call = RunAction::default();
    let run = program.run_action("notes-list", &call, None).await;
    assert!(run.is_err(), "without a log nothing may happen");
    four.audit = role(&mut four.house, "audit");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if program.run_action("notes-list", &call, None).await.is_ok() {
            break;
        }
        assert!(Instant::now() < deadline, "{}", four.house.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn recovers(program: &Client) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = program.actions().await {
        assert_eq!(error.code(), Some("service_unavailable"), "{error}");
        assert!(Instant::now() < deadline, "the executor does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Searches the readable memory of a process. The process is not dumpable, so this needs root
/// (or the process's own capability), which is what a memory scan by the tester is.
fn memory_holds(pid: u32, needle: &[u8]) -> bool {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut searched = 0_u64;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, access) = (fields.next().unwrap(), fields.next().unwrap());
        // Written pages only: the program's own code and data hold no secret of the run.
        if !access.starts_with("rw") || line.ends_with("[vvar]") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) =
            (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut at = start;
        let mut buffer = vec![0_u8; 1 << 20];
        while at + needle.len() as u64 <= end {
            let length = usize::try_from((end - at).min(1 << 20)).unwrap();
            let read = memory.read_at(&mut buffer[..length], at).unwrap_or_default();
            searched += read as u64;
            if memchr::memmem::find(&buffer[..read], needle).is_some() {
                return true;
            }
            // Pieces overlap, so that a needle across a border is found; pages that cannot be
            // read are skipped.
            at += if read < needle.len() { 1 << 20 } else { (read - needle.len() + 1) as u64 };
        }
    }
    assert!(searched > 1 << 20, "the memory of {pid} could not be read: the scan proves nothing");
    false
}

#[test]
fn the_memory_scan_finds_a_planted_canary() {
    let canary = format!("canary-{}-planted", std::process::id());
    let held = canary.clone().into_bytes();
    assert!(memory_holds(std::process::id(), &held));
    drop(canary);
}
