//! What was granted in advance, below what waits.

use super::{Browser, send};
use crate::house::{Door, grants::GRANT};

#[tokio::test]
async fn grants_are_shown_with_what_may_be_anything_and_are_taken_back_with_a_form() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    let page = browser.get("/approvals").await;
    assert_eq!(page.status, 200);
    for part in [
        "Granted in advance",
        "used 0 of 3",
        "&lt;b&gt;one&lt;/b&gt;",
        "<strong>anything",
        "Void: binding changed",
    ] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    assert!(!page.body.contains("<b>one</b>"), "what is pinned is text");
    // One button: what is over cannot be taken back.
    assert_eq!(page.body.matches("action=\"approvals/grants/revoke\"").count(), 1);

    let revoked = browser.post("/approvals/grants/revoke", &format!("id={GRANT}")).await;
    assert_eq!(revoked.status, 303, "{}", revoked.body);
    assert_eq!(door.world.called("revoke_grant").len(), 1);
    let unknown = browser.post("/approvals/grants/revoke", "id=grant-x").await;
    assert_eq!(unknown.status, 404);
    assert!(door.world.called("revoke_grant").iter().all(|by| by.principal.is_person()));
}

#[tokio::test]
async fn another_site_takes_no_grant_back() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    let form = format!("csrf={}&id={GRANT}", browser.csrf);
    let (to, without) = ("/approvals/grants/revoke", format!("id={GRANT}"));
    let evil = "Origin: http://evil.example\r\n";
    let own = format!("Origin: http://{}\r\n", browser.host);
    for (headers, form) in [(evil, form.as_str()), (own.as_str(), without.as_str())] {
        let reply = browser.post_as(to, headers, form).await;
        assert!(reply.status >= 400, "{}", reply.status);
    }
    let line = format!("POST {}{to}", browser.place);
    let unsigned = send(&door, &line, &browser.host, &own, &form).await;
    assert_ne!(unsigned.status, 200);
    assert!(door.world.called("revoke_grant").is_empty());
}
