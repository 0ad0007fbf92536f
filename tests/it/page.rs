//! The web page in a real browser, in front of the real program: every page, both decisions, with
//! the script and without it, in light and in dark.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use aileron_node::demo::Servers;

use crate::{
    house::{House, PASSPHRASE, create_vault, person},
    main_job::{ask, install, settled},
};

#[tokio::test]
async fn a_person_signs_in_approves_and_denies_in_chromium() {
    let folder = std::env::var_os("AILERON_BROWSER").map(PathBuf::from);
    let Some(folder) = folder else {
        panic!("AILERON_BROWSER must name a folder with playwright-core and axe-core: tests/run");
    };
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let program = house.start().await;
    create_vault(&program).await;
    install(&person(&program).await, &servers).await;
    let approve = ask(&program, "<b>bold</b> <img src=x onerror=alert(1)>", None).await;
    let deny = ask(&program, "second", None).await;
    let origin = house.discovery().unwrap().url;
    assert_eq!(
        approve.review_url.as_deref(),
        Some(format!("{origin}/approvals?focus={}", approve.approval_id).as_str())
    );

    let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let shots = std::env::current_exe().unwrap();
    let shots = shots.parent().unwrap().parent().unwrap().join("page-shots");
    let script = rooms.join("tests/browser/page.mjs");
    let (asked, refused) = (approve.approval_id.clone(), deny.approval_id.clone());
    let driven = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .arg(script)
            .arg(folder)
            .arg(origin)
            .arg(shots)
            .args([asked, refused])
            .env("PAGE_PASSPHRASE", PASSPHRASE)
            .output()
            .unwrap()
    });
    let output = driven.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{told}");
    let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(last["problems"], serde_json::json!([]), "{last:#}");
    let done = settled(&program, &approve.approval_id).await;
    assert!(done.result.is_some(), "{done:?}");
    let denied = settled(&program, &deny.approval_id).await;
    assert_eq!(denied.reason.as_deref(), Some("not today"), "{denied:?}");
}
