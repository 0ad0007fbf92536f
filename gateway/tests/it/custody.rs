//! Logins as published, recovery keys, and a vault as a file.

use aileron_contract::{Error, Reason, limits};

use crate::house::{AGENT, Door, PERSON, PROGRAM, RECOVERY_KEY};

const CLAUDE: &str = "/v1/vault/agents/claude/credentials";
const LOGIN: &str = r#"{"value":"/wA=","metadata":{"type":"api_key"}}"#;

#[tokio::test]
async fn a_login_is_stored_read_and_deleted_as_published() {
    let door = Door::open().await;
    for place in [
        CLAUDE.to_owned(),
        format!("{CLAUDE}?purpose=apikey"),
        "/v1/vault/user/github/credentials".to_owned(),
    ] {
        let ask = |method: &str, body| {
            let line = format!("{method} {place}");
            let door = &door;
            async move { door.ask(&line, PERSON, body).await }
        };
        let absent = ask("GET", None).await;
        assert_eq!((absent.status, absent.code().as_str()), (404, "vault_not_found"), "{place}");
        assert_eq!(ask("PUT", Some(LOGIN)).await.status, 204, "{place}");
        let read = ask("GET", None).await;
        assert_eq!((read.status, read.body.as_str()), (200, LOGIN), "{place}");
        assert_eq!(ask("DELETE", None).await.status, 204, "{place}");
        let gone = ask("DELETE", None).await;
        assert_eq!((gone.status, gone.code().as_str()), (404, "vault_not_found"), "{place}");
    }
    // Without a purpose it is the published one.
    assert_eq!(door.ask(&format!("PUT {CLAUDE}"), PERSON, Some(LOGIN)).await.status, 204);
    let kept = door.world.secrets.lock().unwrap().clone();
    assert_eq!(kept, [("agents/claude/oauth".to_owned(), vec![0xff, 0])]);
}

#[tokio::test]
async fn what_is_no_login_is_a_bad_request_and_no_other_path_is_reached() {
    let door = Door::open().await;
    for place in [
        "/v1/vault/agents/Claude/credentials",
        "/v1/vault/agents/%20/credentials",
        "/v1/vault/agents/..%2Fsecret/credentials",
        "/v1/vault/agents/claude/credentials?purpose=",
        "/v1/vault/agents/claude/credentials?purpose=a/b",
        "/v1/vault/user/git.hub/credentials",
        "/v1/vault/user/..%2f..%2fsecret%2fx/credentials",
        "/v1/vault/user/_own/credentials",
    ] {
        for (method, body) in [("GET", None), ("PUT", Some(LOGIN)), ("DELETE", None)] {
            let reply = door.ask(&format!("{method} {place}"), PERSON, body).await;
            let told = (reply.status, reply.code());
            assert_eq!(told, (400, "invalid_request".to_owned()), "{method} {place}");
        }
    }
    let empty = door.ask(&format!("PUT {CLAUDE}"), PERSON, Some(r#"{"value":""}"#)).await;
    assert_eq!((empty.status, empty.code().as_str()), (400, "invalid_request"));
    assert!(door.world.secrets.lock().unwrap().is_empty());
}

#[tokio::test]
async fn plaintext_is_for_who_was_given_the_right_to_it() {
    let door = Door::open().await;
    door.ask(&format!("PUT {CLAUDE}"), PERSON, Some(LOGIN)).await;
    for token in [AGENT, PROGRAM] {
        let reply = door.ask(&format!("GET {CLAUDE}"), token, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "scope_missing"), "{token}");
        assert!(!reply.body.contains("/wA="), "{token}");
    }
}

#[tokio::test]
async fn a_vault_that_is_locked_or_missing_is_told_as_published() {
    for (reason, status, code) in
        [(Reason::VaultLocked, 423, "vault_locked"), (Reason::VaultMissing, 503, "vault_not_found")]
    {
        let door = Door::open().await;
        door.world.fail(Error::new(reason, "not now"));
        for (method, body) in [("GET", None), ("PUT", Some(LOGIN)), ("DELETE", None)] {
            for place in [CLAUDE, "/v1/vault/user/github/credentials"] {
                let reply = door.ask(&format!("{method} {place}"), PERSON, body).await;
                assert_eq!((reply.status, reply.code().as_str()), (status, code), "{method}");
            }
        }
    }
}

#[tokio::test]
async fn a_recovery_key_is_a_person_s_to_make_and_opens_without_one() {
    let door = Door::open().await;
    let line = "POST /v1/vault/recovery-key";
    let refused = door.ask(line, PROGRAM, None).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "person_required"));
    let made = door.ask(line, PERSON, None).await;
    let shown = format!(r#"{{"key":"{RECOVERY_KEY}"}}"#);
    assert_eq!((made.status, made.body.as_str()), (201, shown.as_str()));
    let removed = door.ask("DELETE /v1/vault/recovery-key", PERSON, None).await;
    assert_eq!(removed.status, 404);

    let recover = |key: &str| format!(r#"{{"key":"{key}","passphrase":"new"}}"#);
    let line = "POST /v1/vault/recover";
    let wrong = door.ask(line, PROGRAM, Some(&recover("other"))).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "passphrase_rejected"));
    let opened = door.ask(line, PROGRAM, Some(&recover(RECOVERY_KEY))).await;
    assert_eq!(opened.status, 200);
    // What waited for the vault goes on.
    assert_eq!(door.world.called("wake").len(), 1);
}

#[tokio::test]
async fn a_vault_travels_as_one_file_and_conflicts_are_named() {
    let door = Door::open().await;
    let ask = |line: &str, body: String| {
        let (door, line) = (&door, line.to_owned());
        async move { door.ask(&line, PERSON, Some(&body)).await }
    };
    let exported = ask("POST /v1/vault/export", r#"{"passphrase":"own"}"#.to_owned()).await;
    assert_eq!(exported.body, r#"{"file":"c2VhbGVk/w==","entries":3}"#);
    let import = |file: &str, replace| {
        format!(r#"{{"file":"{file}","passphrase":"own","replace":{replace}}}"#)
    };
    let line = "POST /v1/vault/import";
    let taken = ask(line, import("c2VhbGVk/w==", false)).await;
    assert_eq!(
        (taken.status, taken.body.as_str()),
        (200, r#"{"added":1,"replaced":0,"unchanged":0}"#)
    );
    let conflict = ask(line, import("AAAA", false)).await;
    assert_eq!((conflict.status, conflict.code().as_str()), (409, "import_conflict"));
    assert!(conflict.body.contains("secret/a"), "{}", conflict.body);
    // Larger than other bodies may be, and still bounded.
    let large = "A".repeat(limits::REQUEST_BODY.next_multiple_of(4));
    assert_eq!(ask(line, import(&large, true)).await.status, 200);
    let larger = "A".repeat(limits::IMPORT_BODY);
    assert_eq!(ask(line, import(&larger, true)).await.status, 413);
}
