//! What the page tells of the log.

use aileron_contract::audit::Record;

use super::Browser;
use crate::house::{Door, record};

fn of(index: u64, kind: &str, payload: serde_json::Value) -> Record {
    let payload = payload.as_object().unwrap().clone();
    Record { kind: kind.to_owned(), payload, ..record(index) }
}

#[tokio::test]
async fn events_are_told_in_sentences_and_those_of_another_runtime_by_their_names() {
    let door = Door::open().await;
    let lost = serde_json::json!({
        "aileron.action.name": "notes-create", "aileron.disposition": "ambiguous",
        "aileron.failure.class": "network_error",
    });
    *door.world.log.lock().unwrap() = vec![
        of(0, "execution.failed", lost),
        of(1, "sandbox.proxy.disabled", serde_json::json!({"aileron.sandbox.mode": "docker"})),
    ];
    let browser = Browser::open(&door).await;
    let sentence = "A call may have been carried out: its answer was lost";
    for path in ["/", "/audit"] {
        let page = browser.get(path).await.body;
        assert!(page.contains(&format!("<a href=\"audit/audit-0\">{sentence}</a>")), "{page}");
        assert!(page.contains("<a href=\"audit/audit-1\">sandbox.proxy.disabled</a>"), "{page}");
        assert!(page.contains("notes-create"), "{page}");
    }
    let page = browser.get("/audit/audit-0").await.body;
    assert!(page.contains(&format!("<h1>{sentence}</h1>")), "{page}");
    assert!(page.contains("<code>execution.failed</code>"), "{page}");
    assert!(page.contains("<dt>kind of failure</dt><dd>network_error</dd>"), "{page}");
    let page = browser.get("/audit/audit-1").await.body;
    assert!(page.contains("<dt>aileron.sandbox.mode</dt><dd>docker</dd>"), "{page}");
}

#[tokio::test]
async fn a_sessions_events_are_found_behind_any_number_of_others() {
    let door = Door::open().await;
    let own = of(0, "grant.used", serde_json::json!({"aileron.session.id": "01A"}));
    let others = (1..3_000).map(|index| of(index, "vault.unlocked", serde_json::json!({})));
    *door.world.log.lock().unwrap() = std::iter::once(own).chain(others).collect();
    let page = Browser::open(&door).await.get("/sessions/01A").await.body;
    assert!(page.contains("audit/audit-0") && !page.contains("audit/audit-1\""), "{page}");
}
