//! The web page in a real browser, in front of the real program: every page and every decision,
//! with the script and without it, and what programs and pages that mean harm get of it.

mod changes;
mod persons;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use aileron_api::{
    Object,
    actions::RunAction,
    bindings::BindingFilter,
    client::{Client, RunOutcome},
};
use aileron_node::demo::Servers;
use serde_json::{Value, json};

use crate::{
    hostile::{Connector, Deed},
    house::PASSPHRASE,
    household::{Household, begins},
    main_job::{approve, ask, list, settled},
    oidc::Provider,
};

/// What an attacker would like to have run, or read the other way round.
const EVIL: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>\
                    <a href='javascript:alert(3)'>x</a> pay \u{202e}evil";

impl Household {
    /// Plays a scene in Chromium; what it says at its end.
    async fn plays(&self, name: &str, facts: Value) -> Value {
        let folder = std::env::var_os("AILERON_BROWSER").map(PathBuf::from);
        let Some(folder) = folder else {
            panic!(
                "AILERON_BROWSER must name a folder with playwright-core and axe-core: tests/run"
            );
        };
        let mut scene = json!({
            "folder": folder, "shots": shots(), "passphrase": PASSPHRASE,
            "origin": self.url(),
        });
        scene.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
        let rooms = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("node");
        command.arg(rooms.join("browser").join(format!("{name}.mjs")));
        command.env("PAGE_SCENE", scene.to_string()).stdin(Stdio::null());
        let played = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&played.stdout);
        let told = String::from_utf8_lossy(&played.stderr);
        assert!(played.status.success(), "{said}\n{told}\n{}", self.house.log());
        let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(last["problems"], json!([]), "{last:#}");
        last
    }
}

/// Where the pictures are kept.
fn shots() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("screenshots")
}

/// Asks for a note with a text of its own; what waits.
async fn ask_with(program: &Client, title: &str, text: &str) -> String {
    let args: Object = [("title", title), ("text", text)]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect();
    let call = RunAction { args, ..RunAction::default() };
    match program.run_action("notes-create", &call, None).await.unwrap().value {
        RunOutcome::Pending(pending) => pending.approval_id,
        RunOutcome::Done(done) => panic!("a write ran by itself: {done:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_light_fits_and_bars_nobody() {
    let home = Household::new().await;
    let (_, token) = begins(&home.program, "claude").await;
    let agent = home.program.with_token(&token).unwrap();
    list(&agent).await;
    let done = ask(&agent, "Bread and butter", None).await.approval_id;
    approve(&home.person, &done).await;
    settled(&home.program, &done).await;
    let text = "Dear all,\n\nthe bakery opens at seven.\n\nYours";
    let approval = ask_with(&agent, "Opening hours", text).await;
    ask(&home.program, "A second one", None).await;
    // Somebody changed an installed file.
    home.rewords("notes-list", "List the person's notes", "List what the person wrote");

    let facts = json!({ "approval": approval, "run": done, "binding": "api_key/notes/work" });
    let said = home.plays("tour", facts).await;
    assert!(said["weights"]["approvals"].is_u64(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_decision_is_made_with_and_without_scripts_and_by_keyboard() {
    let home = Household::new().await;
    let mut waiting = Vec::new();
    for title in ["first", "second", "third"] {
        waiting.push(ask(&home.program, title, None).await);
    }
    home.rewords("notes-list", "List the person's notes", "List what the person wrote");
    let [approve, keyboard, deny] = waiting.as_slice() else { panic!("{waiting:?}") };
    let review = format!("{}/approvals?focus={}", home.url(), approve.approval_id);
    assert_eq!(approve.review_url, Some(review));
    let facts = json!({
        "approve": approve.approval_id, "keyboard": keyboard.approval_id, "deny": deny.approval_id,
    });
    home.plays("decisions", facts).await;
    for approved in [approve, keyboard] {
        let done = settled(&home.program, &approved.approval_id).await;
        assert!(done.result.is_some(), "{done:?}");
    }
    let denied = settled(&home.program, &deny.approval_id).await;
    assert_eq!(denied.reason.as_deref(), Some("not today"), "{denied:?}");
    let mut titles = home.servers.titles();
    titles.sort();
    assert_eq!(titles, ["Welcome", "first", "second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_program_and_no_page_gets_the_cookie_a_frame_a_form_or_a_script_through() {
    let home = Household::new().await;
    let result = ask_with(&home.program, EVIL, EVIL).await;
    approve(&home.person, &result).await;
    settled(&home.program, &result).await;
    let planted = ask_with(&home.program, EVIL, EVIL).await;
    let waiting = ask(&home.program, "waits", None).await.approval_id;
    let pending = home.person.approvals().await.unwrap().value.items;
    let digest = pending.into_iter().find(|it| it.id == waiting).unwrap().digest;
    let facts = json!({
        "planted": planted, "result": result, "waiting": waiting, "digest": digest, "evil": EVIL,
    });
    home.plays("attacks", facts).await;
    let left = home.person.approvals().await.unwrap().value.items;
    assert_eq!(left.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [waiting.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_an_account_at_a_provider_are_bound_from_the_page() {
    let provider = Provider::start(3600);
    let home = Household::bare(Servers::start().await.unwrap()).await;
    let credential = provider.credential();
    let hosts = [provider.host.as_str()];
    let envelope = json!({
        "method": "GET", "url": format!("http://{}/api/output", provider.host),
        "credential": "oauth2",
    });
    let connector = |repo, credential, deeds| Connector {
        repo,
        hosts: &hosts,
        credential: Some(credential),
        wall_seconds: 30,
        gated: false,
        deeds,
    };
    connector("keyed", "kind = \"api_key\"", vec![]).install(&home.person, &home.servers).await;
    let signed = connector("mail", &credential, vec![Deed::Sends(envelope.to_string())]);
    signed.install(&home.person, &home.servers).await;

    let facts = json!({
        "provider": provider.host, "keyed": "github://mallory/keyed",
        "signed": "github://mallory/mail", "key": "k3y-of-the-page",
    });
    home.plays("bind", facts).await;
    let bound = home.person.bindings(&BindingFilter::default()).await.unwrap().value.items;
    let names: Vec<_> = bound.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["api_key/keyed/work", "oauth2/mail/default"]);
    // The account's token is used.
    let done = signed.run(&home.program, 0).await.unwrap();
    assert!(done.result.unwrap().contains("notes:read"));
    let log = home.house.log();
    assert!(!log.contains("k3y-of-the-page"), "{log}");
}
