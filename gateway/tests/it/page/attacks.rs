//! What a program or a page that means harm gets.

use aileron_contract::vault::State;

use super::{Browser, DECIDE, decision, send};
use crate::house::Door;

/// Every page that shows words from outside.
const PAGES: [&str; 12] = [
    "/",
    "/approvals",
    "/approvals?focus=act-1",
    "/runs/act-20300101T000000-00000000deadbeef",
    "/actions",
    "/actions/notes-list",
    "/drift",
    "/bindings",
    "/bindings/setup?name=api_key/notes/default",
    "/sessions/01A",
    "/audit",
    "/audit/audit-1",
];

const EVIL: &str =
    "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'javascript:alert(3)\u{202e}";

#[tokio::test]
async fn words_from_outside_are_text_on_every_page_and_hide_nothing() {
    let door = Door::open().await;
    *door.world.state.lock().unwrap() = Some(State::Unlocked);
    EVIL.clone_into(&mut door.world.planted.lock().unwrap());
    door.world.log.lock().unwrap().push(crate::house::record(1));
    let browser = Browser::open(&door).await;
    for path in PAGES {
        let reply = browser.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let body = &reply.body;
        assert!(body.contains("&lt;script&gt;alert(1)"), "{path} shows nothing that was planted");
        for raw in ["<script>alert", "<img", "\u{202e}", "href=\"javascript:"] {
            assert!(!body.contains(raw), "{path} holds {raw:?}: {body}");
        }
        assert!(body.contains("<mark class=\"odd\">\\u{202e}</mark>"), "{path}");
        // One script, the page's own.
        assert_eq!(body.matches("<script").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_cookie_without_its_place_is_nobodys() {
    let door = Door::open().await;
    let (browser, other) = (Browser::open(&door).await, Browser::open(&door).await);
    let cookie = format!("Cookie: {}\r\n", browser.cookie);
    let origin = format!("Origin: http://{}\r\n{cookie}", browser.host);
    let form = format!("csrf={}&{}", browser.csrf, decision());
    let guessed = format!("/at/{}", "0".repeat(64));
    for place in ["", &other.place, &guessed] {
        let reply = send(&door, &format!("GET {place}/vault"), &browser.host, &cookie, "").await;
        assert_eq!(reply.status, 303, "{place}");
        assert!(reply.header("location").starts_with("/sign-in?"), "{place}");
        let line = format!("POST {place}{DECIDE}");
        assert_eq!(send(&door, &line, &browser.host, &origin, &form).await.status, 303);
    }
    assert!(door.world.called("decide").is_empty());
    assert_eq!(browser.get("/vault").await.status, 200);
}

#[tokio::test]
async fn nobody_is_told_a_place_but_the_browser_that_signed_in() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    let key = browser.place.strip_prefix("/at/").unwrap();
    let port = door.address.port();
    for (host, path) in [
        (format!("127.0.0.1:{port}"), "/approvals"),
        (browser.host.clone(), "/approvals"),
        (browser.host.clone(), "/sign-in"),
        (browser.host.clone(), "/"),
        (browser.host.clone(), "/page/script.js"),
    ] {
        let cookie = format!("Cookie: {}\r\n", browser.cookie);
        let reply = send(&door, &format!("GET {path}"), &host, &cookie, "").await;
        let said = format!("{:?}{}", reply.headers, reply.body);
        assert!(!said.contains(key), "{host}{path}: {said}");
    }
}

#[tokio::test]
async fn no_page_of_another_site_frames_ours() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    for path in ["/approvals", "/vault"] {
        let framed = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\
                      Sec-Fetch-Dest: iframe\r\n";
        let reply = browser.get_as(path, framed).await;
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(reply.header("x-frame-options"), "DENY");
    }
}
