use crate::{
    document::operations,
    house::{AGENT, Door, PERSON, PROGRAM},
};

#[tokio::test]
async fn every_route_but_the_open_ones_wants_a_token() {
    let door = Door::open().await;
    let mut closed = 0;
    for (method, path, open) in operations() {
        let path = path.replace("{name}", "x").replace("{id}", "x");
        let reply = door.raw(&format!("{method} {path}"), "", "").await;
        if open {
            // A callback that brings nothing is told so, on a page.
            let expected = if path.ends_with("/callback") { 400 } else { 200 };
            assert_eq!(reply.status, expected, "{method} {path}");
            continue;
        }
        closed += 1;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "token_missing"),
            "{method} {path}"
        );
        assert!(reply.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
    }
    assert!(closed > 40, "only {closed} protected routes were found");
    assert!(door.world.calls.lock().unwrap().is_empty(), "a service was asked without a token");
}

#[tokio::test]
async fn a_token_is_sent_once_as_a_bearer_token() {
    let door = Door::open().await;
    let long = format!("Authorization: Bearer {}\r\n", "x".repeat(5_000));
    for (headers, status, code) in [
        ("Authorization: Basic cGVyc29uLXRva2Vu\r\n", 401, "token_missing"),
        ("Authorization: Bearer\r\n", 401, "token_missing"),
        ("Authorization: person-token\r\n", 401, "token_missing"),
        ("Authorization: Bearer nobody\r\n", 401, "token_invalid"),
        (long.as_str(), 401, "token_invalid"),
        (
            "Authorization: Bearer person-token\r\nAuthorization: Bearer agent-token\r\n",
            400,
            "invalid_request",
        ),
        ("authorization: bEaReR person-token\r\n", 200, ""),
    ] {
        let reply = door.raw("GET /v1/status", headers, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{headers}");
    }
    let reply = door.raw("GET /v1/status?token=person-token", "", "").await;
    assert_eq!(reply.status, 401, "a token in the address is no token");
}

#[tokio::test]
async fn a_good_token_s_refusal_says_so() {
    let door = Door::open().await;
    let reply = door.ask("GET /v1/status", "nobody", None).await;
    assert!(reply.header("www-authenticate").contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn only_a_person_decides() {
    let door = Door::open().await;
    let line = "POST /v1/action-approvals/act-1/decide";
    let approve = Some(r#"{"approved":true}"#);
    for token in [AGENT, PROGRAM] {
        let reply = door.ask(line, token, approve).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "person_required"), "{token}");
    }
    assert!(door.world.decisions.lock().unwrap().is_empty());
    let reply = door.ask(line, PERSON, approve).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(door.world.decisions.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn revoking_a_token_denies_what_it_asked_for() {
    let door = Door::open().await;
    let line = "DELETE /v1/tokens/tok-0123456789abcdef";
    assert_eq!(door.ask(line, PROGRAM, None).await.status, 403);
    assert!(door.world.called("deny_all").is_empty());
    assert_eq!(door.ask(line, PERSON, None).await.status, 204);
    assert!(door.world.called("deny_all").iter().all(|by| by.principal.is_person()));
    let told: Vec<_> =
        door.world.decisions.lock().unwrap().iter().map(|no| no.reason.clone()).collect();
    assert_eq!(told, [Some("the token tok-0123456789abcdef was revoked".to_owned())]);
}

#[tokio::test]
async fn what_a_program_may_not_do_is_refused_by_the_service_and_told() {
    let door = Door::open().await;
    for (line, body) in [
        ("POST /v1/vault/lock", None),
        ("POST /v1/connectors/install", Some(r#"{"fqn":"github://a/b","version":"1.0.0"}"#)),
        ("PATCH /v1/actions/notes-list", Some(r#"{"enabled":true}"#)),
        ("DELETE /v1/bindings/api_key%2Fnotes%2Fdefault", None),
        ("PUT /v1/secrets/x", Some(r#"{"value":"eA=="}"#)),
        (
            "POST /v1/tokens",
            Some(r#"{"label":"x","scopes":[],"expires_at":"2031-01-01T00:00:00Z"}"#),
        ),
        ("GET /v1/tokens", None),
        ("DELETE /v1/person-sessions", None),
    ] {
        let reply = door.ask(line, PROGRAM, body).await;
        let code = reply.code();
        assert!(
            reply.status == 403 && code.ends_with("missing") || code == "person_required",
            "{line}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn a_session_is_named_by_programs_and_never_stolen_by_agents() {
    let door = Door::open().await;
    let ask = async |token: &str, session: &str| {
        let headers = format!("Authorization: Bearer {token}\r\n{session}");
        door.raw("GET /v1/actions", &headers, "").await.status
    };
    assert_eq!(ask(PROGRAM, "X-Aileron-Session-Id: some-session\r\n").await, 200);
    assert_eq!(ask(PERSON, "X-Aileron-Session-Id: some-session\r\n").await, 200);
    assert_eq!(ask(AGENT, "").await, 200);
    assert_eq!(ask(AGENT, "X-Aileron-Session-Id: other-session\r\n").await, 400);
    assert_eq!(ask(PROGRAM, "X-Aileron-Session-Id: ../../x\r\n").await, 400);
    let sessions: Vec<_> = door
        .world
        .called("actions")
        .into_iter()
        .map(|context| context.session.map(|session| session.to_string()))
        .collect();
    assert_eq!(sessions, [Some("some-session".to_owned()), None, Some("own-session".to_owned())]);
}

#[tokio::test]
async fn a_wrong_passphrase_is_401_and_a_wait_is_named() {
    let door = Door::open().await;
    let line = "POST /v1/person-sessions";
    let reply = door.ask(line, PROGRAM, Some(r#"{"passphrase":"bad"}"#)).await;
    assert_eq!((reply.status, reply.code().as_str()), (401, "passphrase_rejected"));
    let reply = door.ask(line, PROGRAM, Some(r#"{"passphrase":"late"}"#)).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "8"));
    let reply = door.ask(line, PROGRAM, Some(r#"{"passphrase":"good"}"#)).await;
    assert_eq!((reply.status, reply.json()["token"].as_str()), (201, Some("fresh-token")));
}
