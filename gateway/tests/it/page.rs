//! The web page: who gets in, what an attacker gets, and what every answer carries.

use aileron_contract::vault::State;

mod attacks;
mod binding;
mod codes;
mod crowd;
mod granted;
mod log;

use crate::house::{AGENT, Door, PERSON, PROGRAM, Reply};

const COOKIE: &str = "aileron_page";

/// A browser of one person: the page's name, its cookie, and the token in its forms.
struct Browser<'d> {
    door: &'d Door,
    host: String,
    /// Where its pages are: `/at/<key>`.
    place: String,
    cookie: String,
    csrf: String,
}

/// Where the page leads a visitor of the plain address.
async fn name_of(door: &Door) -> String {
    let reply = door.raw("GET /approvals?focus=x", "", "").await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    let to = reply.header("location");
    let host = to.strip_prefix("http://").unwrap().strip_suffix("/approvals?focus=x").unwrap();
    host.to_owned()
}

async fn send(door: &Door, line: &str, host: &str, headers: &str, body: &str) -> Reply {
    let content = if body.is_empty() {
        String::new()
    } else {
        format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        )
    };
    let head = format!("Host: {host}\r\nConnection: close\r\n{headers}{content}\r\n");
    door.bytes(format!("{line} HTTP/1.1\r\n{head}{body}").as_bytes()).await
}

impl<'d> Browser<'d> {
    /// Signs in with the passphrase.
    async fn open(door: &'d Door) -> Self {
        let host = name_of(door).await;
        let origin = format!("Origin: http://{host}\r\n");
        let form = "passphrase=good&to=%2Fapprovals";
        let reply = send(door, "POST /sign-in", &host, &origin, form).await;
        assert_eq!(reply.status, 303, "{}", reply.body);
        let place = reply.header("location").strip_suffix("/approvals").unwrap().to_owned();
        assert_eq!((&place[..4], place.len()), ("/at/", 68));
        let set = reply.header("set-cookie");
        let path = format!("; Path={place}/;");
        for part in [path.as_str(), "; HttpOnly", "; SameSite=Strict", "; Max-Age="] {
            assert!(set.contains(part), "{set}");
        }
        assert!(!set.contains("Domain"), "{set}");
        let cookie = set.split(';').next().unwrap().to_owned();
        let mut browser = Self { door, host, place, cookie, csrf: String::new() };
        let page = browser.get("/").await;
        let token = page.body.split("name=\"csrf\" value=\"").nth(1).unwrap_or_default();
        token.split('"').next().unwrap().clone_into(&mut browser.csrf);
        browser
    }

    async fn get(&self, path: &str) -> Reply {
        self.get_as(path, "").await
    }

    async fn get_as(&self, path: &str, headers: &str) -> Reply {
        let headers = format!("Cookie: {}\r\n{headers}", self.cookie);
        send(self.door, &format!("GET {}{path}", self.place), &self.host, &headers, "").await
    }

    /// Posts a form of the page, as the browser would.
    async fn post(&self, path: &str, fields: &str) -> Reply {
        let headers = format!("Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n", self.host);
        let form = format!("csrf={}&{fields}", self.csrf);
        self.post_as(path, &headers, &form).await
    }

    async fn post_as(&self, path: &str, headers: &str, form: &str) -> Reply {
        let headers = format!("Cookie: {}\r\n{headers}", self.cookie);
        send(self.door, &format!("POST {}{path}", self.place), &self.host, &headers, form).await
    }
}

const DECIDE: &str = "/approvals/act-20300101T000000-00000000deadbeef/decide";

fn decision() -> String {
    format!("decision=approve&digest=sha256:{}", "03".repeat(32))
}

#[tokio::test]
async fn every_page_answers_with_the_same_strict_headers_and_no_inline_script() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    for path in [
        "/",
        "/approvals",
        "/actions",
        "/actions/notes-list",
        "/bindings",
        "/sessions",
        "/audit",
        "/vault",
        "/drift",
        "/bindings/setup?connector=github://acme/notes",
        "/bindings/setup?name=api_key/notes/default",
    ] {
        let reply = browser.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let policy = reply.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-frame-options"), "DENY");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "same-origin");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(!reply.body.contains("<script>") && !reply.body.contains(" onclick"), "{path}");
        assert!(!reply.body.contains("style=") && !reply.body.contains("<style"), "{path}");
        for landmark in ["<html lang=\"en\">", "<main", "<nav aria-label", "<h1>", "<title>"] {
            assert!(reply.body.contains(landmark), "{path} has no {landmark}");
        }
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_form_and_back() {
    let door = Door::open().await;
    let host = name_of(&door).await;
    let reply = send(&door, "GET /approvals?focus=act-1", &host, "", "").await;
    assert_eq!(reply.status, 303);
    assert_eq!(reply.header("location"), "/sign-in?to=%2Fapprovals%3Ffocus%3Dact-1");
    let form = send(&door, &format!("GET {}", reply.header("location")), &host, "", "").await;
    assert!(form.body.contains("value=\"/approvals?focus=act-1\""), "{}", form.body);
    // From another site's page the browser keeps the cookie back: it is asked again from ours.
    let browser = Browser::open(&door).await;
    let elsewhere = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
    let line = format!("GET {}/approvals?focus=x", browser.place);
    let reply = send(&door, &line, &host, elsewhere, "").await;
    let on = format!("content=\"0;url={}/approvals?focus=x\"", browser.place);
    assert!(reply.body.contains("http-equiv=\"refresh\"") && reply.body.contains(&on));
    // A place that is over is forgotten by its browser.
    let reply = send(&door, &line, &host, "", "").await;
    assert_eq!(reply.header("location"), "/sign-in?to=%2Fapprovals%3Ffocus%3Dx&over=yes");
    let form = send(&door, "GET /sign-in?to=%2Fvault&over=yes", &host, "", "").await;
    assert!(form.body.contains("<body data-over>"), "{}", form.body);
    let form = send(&door, "GET /sign-in?to=%2Fvault", &host, "", "").await;
    assert!(form.body.contains("<body data-to=\"/vault\">"), "{}", form.body);
    // The way back leads nowhere else.
    for to in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let form = format!("passphrase=good&to={to}");
        let origin = format!("Origin: http://{host}\r\n");
        let reply = send(&door, "POST /sign-in", &host, &origin, &form).await;
        let to_overview = reply.header("location").strip_prefix("/at/").unwrap();
        assert_eq!(to_overview.len(), 65, "{to}");
    }
}

#[tokio::test]
async fn a_wrong_passphrase_signs_nobody_in() {
    let door = Door::open().await;
    let host = name_of(&door).await;
    let origin = format!("Origin: http://{host}\r\n");
    for (typed, status) in [("bad", 401), ("late", 429), ("", 401)] {
        let form = format!("passphrase={typed}&to=%2F");
        let reply = send(&door, "POST /sign-in", &host, &origin, &form).await;
        assert_eq!(reply.status, status, "{typed}");
        assert!(reply.header("set-cookie").is_empty());
        assert!(reply.body.contains("role=\"alert\""), "{}", reply.body);
    }
}

#[tokio::test]
async fn no_token_opens_the_page_and_the_cookie_opens_nothing_else() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    for token in [AGENT, PROGRAM, PERSON] {
        let inside = |line: &str| line.replace(" /", &format!(" {}/", browser.place));
        let decide = format!("POST {DECIDE}");
        let outside = ["GET /approvals", "GET /vault", "GET /live", &decide];
        for line in outside.map(inside).iter().map(String::as_str).chain(outside) {
            let headers = format!(
                "Authorization: Bearer {token}\r\nCookie: {COOKIE}={token}\r\n\
                 Origin: http://{}\r\n",
                browser.host
            );
            let reply = send(&door, line, &browser.host, &headers, "csrf=x").await;
            assert_eq!(reply.status, 303, "{token} {line}");
            assert!(reply.header("location").starts_with("/sign-in?"), "{token} {line}");
        }
    }
    assert!(door.world.called("decide").is_empty());
    let value = browser.cookie.split_once('=').unwrap().1;
    let as_bearer = door.ask("GET /v1/status", value, None).await;
    assert_eq!((as_bearer.status, as_bearer.code().as_str()), (401, "token_invalid"));
    let cookie = format!("Cookie: {}\r\n", browser.cookie);
    let by_cookie = door.raw("GET /v1/status", &cookie, "").await;
    assert_eq!((by_cookie.status, by_cookie.code().as_str()), (401, "token_missing"));
}

#[tokio::test]
async fn a_decision_carries_the_digest_and_a_form_of_another_page_decides_nothing() {
    let door = Door::open().await;
    *door.world.state.lock().unwrap() = Some(State::Unlocked);
    let browser = Browser::open(&door).await;
    let (own, other) = (browser.csrf.clone(), Browser::open(&door).await.csrf);
    let ours = format!("Origin: http://{}\r\n", browser.host);
    // Without the token, with a guessed one, with another browser's.
    for token in ["", "csrf=&", "csrf=0000&", &format!("csrf={other}&")] {
        let reply = browser.post_as(DECIDE, &ours, &format!("{token}{}", decision())).await;
        assert_eq!(reply.status, 403, "{token}");
    }
    // With the token, from somewhere else.
    let port = door.address.port();
    let form = format!("csrf={own}&{}", decision());
    for from in [
        String::new(),
        "Origin: null\r\n".to_owned(),
        "Origin: https://evil.example\r\n".to_owned(),
        format!("Origin: http://127.0.0.1:{port}\r\n"),
        format!("Origin: http://{}\r\n", browser.host.replace(&port.to_string(), "9")),
        format!("{ours}Sec-Fetch-Site: cross-site\r\n"),
        format!("{ours}Sec-Fetch-Site: same-site\r\n"),
    ] {
        let reply = browser.post_as(DECIDE, &from, &form).await;
        assert_eq!(reply.status, 403, "{from}");
    }
    // As another kind of body, and with a field twice.
    let json = format!("{ours}Content-Type: application/json\r\n");
    assert_eq!(browser.post_as(DECIDE, &json, &form).await.status, 400);
    let twice = format!("{form}&decision=deny");
    assert_eq!(browser.post_as(DECIDE, &ours, &twice).await.status, 400);
    assert_eq!(browser.post(DECIDE, "decision=approve").await.status, 400);
    assert!(door.world.called("decide").is_empty());

    let reply = browser.post(DECIDE, &decision()).await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    let decided = door.world.decisions.lock().unwrap();
    assert!(decided[0].approved);
    assert_eq!(decided[0].digest.unwrap().hex(), "03".repeat(32));
}

#[tokio::test]
async fn another_name_for_this_machine_gets_no_page() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    let port = door.address.port();
    let cookie = format!("Cookie: {}\r\n", browser.cookie);
    for host in [format!("evil.example:{port}"), format!("x.localhost:{port}")] {
        let reply = send(&door, "GET /approvals", &host, &cookie, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "host_not_allowed"), "{host}");
    }
    // The plain names lead to the page's own, and take no form, whatever cookie comes along.
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let line = format!("GET {}/vault", browser.place);
        let reply = send(&door, &line, &host, &cookie, "").await;
        let own = format!("http://{}{}/vault", browser.host, browser.place);
        assert_eq!((reply.status, reply.header("location")), (303, own.as_str()));
        let headers = format!("{cookie}Origin: http://{host}\r\n");
        let form = format!("csrf={}&{}", browser.csrf, decision());
        assert_eq!(
            send(&door, &format!("POST {}{DECIDE}", browser.place), &host, &headers, &form)
                .await
                .status,
            403
        );
    }
    assert!(door.world.called("decide").is_empty());
}

#[tokio::test]
async fn a_planted_cookie_becomes_nobody_and_hides_nobody() {
    let door = Door::open().await;
    let host = name_of(&door).await;
    let planted = "a".repeat(64);
    // Signing in never keeps the cookie that was there before.
    let headers = format!("Origin: http://{host}\r\nCookie: {COOKIE}={planted}\r\n");
    let reply = send(&door, "POST /sign-in", &host, &headers, "passphrase=good&to=%2Fvault").await;
    let line = format!("GET {}", reply.header("location"));
    let fresh = reply.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(!fresh.contains(&planted));
    let cookie = format!("Cookie: {COOKIE}={planted}\r\n");
    assert_eq!(send(&door, &line, &host, &cookie, "").await.status, 303);
    let both = format!("Cookie: {COOKIE}={planted}; {fresh}\r\n");
    assert_eq!(send(&door, &line, &host, &both, "").await.status, 200);
}

#[tokio::test]
async fn signing_out_ends_the_cookie_and_the_session() {
    let door = Door::open().await;
    let (one, other) = (Browser::open(&door).await, Browser::open(&door).await);
    let reply = one.post("/sign-out", "").await;
    assert_eq!((reply.status, reply.header("location")), (303, "/sign-in?over=yes"));
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(one.get("/vault").await.status, 303);
    assert_eq!(other.get("/vault").await.status, 200);
    assert_eq!(other.post("/sign-out", "everywhere=yes").await.status, 303);
    assert_eq!(other.get("/vault").await.status, 303);
    assert_eq!(door.world.called("close_sessions").len(), 2);
}

#[tokio::test]
async fn a_code_signs_in_once_from_a_file_and_its_replay_signs_out() {
    let door = Door::open().await;
    for token in [AGENT, PROGRAM] {
        let reply = door.ask("POST /v1/page-codes", token, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "person_required"), "{token}");
    }
    // The person can see who tried.
    let tried: Vec<_> = door.world.log.lock().unwrap().iter().map(|it| it.kind.clone()).collect();
    assert_eq!(tried, ["person_session.refused", "person_session.refused"]);
    let issued = door.ask("POST /v1/page-codes", PERSON, None).await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    let issued = issued.json();
    let (code, host) = (issued["code"].as_str().unwrap(), name_of(&door).await);
    assert_eq!(issued["page_url"], format!("http://{host}"));
    let state = format!("GET /v1/page-codes/{}", issued["id"].as_str().unwrap());
    assert_eq!(door.ask(&state, PERSON, None).await.json()["state"], "waiting");
    let form = format!("code={code}&to=%2Fapprovals");
    let file = "Origin: null\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
    let reply = send(&door, "POST /sign-in/code", &host, file, &form).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let on = reply.body.split("content=\"0;url=").nth(1).unwrap();
    let place = on.split("/approvals\"").next().unwrap().to_owned();
    let vault = format!("GET {place}/vault");
    let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
    let cookie = format!("Cookie: {cookie}\r\n");
    assert_eq!(door.ask(&state, PERSON, None).await.json()["state"], "used");
    assert_eq!(door.ask(&state, PROGRAM, None).await.status, 403);
    assert_eq!(send(&door, &vault, &host, &cookie, "").await.status, 200);
    let again = send(&door, "POST /sign-in/code", &host, file, &form).await;
    assert_eq!((again.status, again.header("set-cookie")), (401, ""));
    assert_eq!(send(&door, &vault, &host, &cookie, "").await.status, 303);
    assert_eq!(door.world.called("close_sessions").len(), 1);
    // The session that asked for it is over: a program tells the person.
    assert_eq!(door.ask(&state, PROGRAM, None).await.json()["state"], "replayed");
}

#[tokio::test]
async fn nothing_of_the_page_is_loaded_by_another_site() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    for mode in ["no-cors", "cors"] {
        let headers = format!("Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: {mode}\r\n");
        let reply = browser.get_as("/vault", &headers).await;
        assert_eq!(reply.status, 403, "{mode}");
    }
}

#[tokio::test]
async fn the_page_is_small() {
    let door = Door::open().await;
    let browser = Browser::open(&door).await;
    let mut bytes = 0;
    for path in ["/page/style.css", "/page/script.js", "/page/icon.svg"] {
        bytes += send(&door, &format!("GET {path}"), &browser.host, "", "").await.body.len();
    }
    for path in ["/", "/approvals", "/actions", "/audit"] {
        let page = browser.get(path).await.body.len();
        assert!(bytes + page < 60_000, "{path}: {page} and {bytes} bytes");
    }
}
