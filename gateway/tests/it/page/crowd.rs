//! A session asks for too much, and the person says no to all of it, or ends the session.

use super::{Browser, send};
use crate::house::{Door, executor::CROWD};

#[tokio::test]
async fn all_of_a_crowd_is_denied_with_one_form_and_one_call_is_no_crowd() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    assert!(!browser.get("/approvals").await.body.contains("approvals/deny\""));
    CROWD.clone_into(&mut door.world.planted.lock().unwrap());
    let page = browser.get("/approvals").await.body;
    assert_eq!(page.matches("action=\"approvals/deny\"").count(), 1, "{page}");
    assert!(page.contains("Deny all 2 of this session"), "{page}");

    let denied = browser.post("/approvals/deny", "session=s1&reason=enough").await;
    assert_eq!(denied.status, 303, "{}", denied.body);
    let called = door.world.called("deny_all");
    assert!(called.len() == 1 && called[0].principal.is_person());
    let odd = browser.post("/approvals/deny", "session=../x").await;
    assert_eq!(odd.status, 400, "{}", odd.body);
    assert_eq!(door.world.called("deny_all").len(), 1);
}

#[tokio::test]
async fn the_page_of_a_session_that_runs_ends_it() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    let ending = "/sessions/01A/end";
    assert!(browser.get("/sessions/01A").await.body.contains("action=\"sessions/01A/end\""));
    assert!(!browser.get("/sessions/01B").await.body.contains("/end\""), "that one is over");

    let own = format!("Origin: http://{}\r\n", browser.host);
    assert!(browser.post_as(ending, &own, "").await.status >= 400, "without the form's token");
    assert!(door.world.called("end_session").is_empty());
    let ended = browser.post(ending, "").await;
    assert_eq!(ended.status, 303, "{}", ended.body);
    let called = door.world.called("end_session");
    assert!(called.len() == 1 && called[0].principal.is_person());
}

#[tokio::test]
async fn another_site_denies_nothing() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    let own = format!("Origin: http://{}\r\n", browser.host);
    let reply = browser.post_as("/approvals/deny", &own, "session=s1").await;
    assert!(reply.status >= 400, "without the token of the form: {}", reply.status);
    let evil = "Origin: http://evil.example\r\n";
    let form = format!("csrf={}&session=s1", browser.csrf);
    assert!(browser.post_as("/approvals/deny", evil, &form).await.status >= 400);
    let line = format!("POST {}/approvals/deny", browser.place);
    assert_ne!(send(&door, &line, &browser.host, &own, &form).await.status, 200);
    assert!(door.world.called("deny_all").is_empty());
}
