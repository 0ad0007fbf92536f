//! A program of the same user, with all of the person's files, tries to decide in their place.

mod abuse;
mod bodies;
mod callers;
mod guests;
mod lines;
mod listener;
mod neighbours;
mod processes;

use aileron_api::{
    access::MintToken,
    actions::PatchAction,
    approvals::Decide,
    client::{Client, Endpoint},
    packages::TrustKey,
};
use aileron_node::demo::Servers;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    house::House,
    household::Household,
    main_job::{approve, ask, settled},
};

#[tokio::test(flavor = "multi_thread")]
async fn with_the_token_of_daemon_json_nothing_can_be_decided() {
    let Household { house, servers, program, .. } = Household::new().await;
    let pending = ask(&program, "Mine", None).await;

    let stolen = Client::new(Endpoint {
        base_url: format!("{}/v1", house.discovery().unwrap().url),
        token: house.discovery().unwrap().token,
        extra_root: None,
    })
    .unwrap();
    let yes = Decide { approved: true, ..Decide::default() };
    let trust =
        TrustKey { authority: "github://evil".to_owned(), key: STANDARD.encode([7_u8; 32]) };
    let mint = MintToken {
        label: "mine".to_owned(),
        scopes: vec!["actions:run".to_owned()],
        expires_at: "2030-01-01T00:00:00Z".to_owned(),
    };
    let refusals = [
        stolen.decide(&pending.approval_id, &yes).await.err(),
        stolen.trust_key(&trust).await.err(),
        stolen.mint_token(&mint).await.err(),
        stolen.revoke_binding("api_key/notes/work").await.err(),
        stolen.patch_action("notes-list", &PatchAction { enabled: Some(false) }).await.err(),
        stolen.lock_vault().await.err(),
        stolen.tokens().await.err(),
    ];
    for refusal in refusals {
        let refusal = refusal.expect("a program must not decide");
        assert_eq!(refusal.api().unwrap().status, 403, "{refusal}");
    }
    let command = house.run(&["approval", "approve", &pending.approval_id, "--yes"]);
    assert!(!command.status.success(), "{command:?}");
    let waiting = program.approvals().await.unwrap().value.items;
    assert_eq!(waiting.len(), 1, "the approval still waits");
    assert_eq!(servers.titles(), ["Welcome"]);
    let refused = house.run(&["audit", "list"]);
    assert!(String::from_utf8(refused.stdout).unwrap().contains("approval.refused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_action_file_does_not_run_under_the_old_consent() {
    let Household { house, servers, program, person: owner } = Household::new().await;
    let pending = ask(&program, "Before the edit", None).await;

    let path = house.path().join("actions/notes-create.md");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("required = true"), "{text}");
    std::fs::write(&path, text.replace("required = true", "required = false")).unwrap();

    let args = [("title", "Sneaked"), ("text", "x")]
        .map(|(key, value)| (key.to_owned(), value.into()))
        .into_iter()
        .collect();
    let run = aileron_api::actions::RunAction { args, ..Default::default() };
    let refused = program.run_action("notes-create", &run, None).await;
    assert!(refused.is_err(), "an edited action must not run: {refused:?}");
    approve(&owner, &pending.approval_id).await;
    let result = settled(&program, &pending.approval_id).await;
    assert!(result.result.is_none(), "the approval covered another file: {result:?}");
    assert_eq!(servers.titles(), ["Welcome"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_keyring_is_noticed_and_none_of_its_keys_is_used() {
    let Household { house, servers: _servers, program, .. } = Household::new().await;
    assert_eq!(program.keyring().await.unwrap().value.verified, Some(true));

    let path = house.path().join("keyring.json");
    let mut keyring: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    keyring["owners"] = serde_json::json!({ "github://evil": [STANDARD.encode([7_u8; 32])] });
    std::fs::write(&path, keyring.to_string()).unwrap();
    assert_eq!(program.keyring().await.unwrap().value.verified, Some(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_of_the_same_user_cannot_read_the_daemons_memory_or_dump_it() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let pid = house.spawn(&["daemon", "run"]);
    house.client().await;
    // A process that is not dumpable has its files in /proc owned by root, and no core.
    let owner = {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid()
    };
    assert_eq!(owner, 0);
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let soft_and_hard: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(soft_and_hard, ["0", "0"]);
}
