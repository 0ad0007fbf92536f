//! Callers who want what belongs to another: runs by a guessed key, sessions by a guessed name.

use std::time::Duration;

use aileron_api::{
    Object, Sensitive,
    access::{MintToken, OpenPersonSession, OpenedPersonSession},
    actions::RunAction,
    approvals::Decide,
    client::{Client, RunOutcome},
};
use aileron_contract::{Scope, Timestamp};
use aileron_node::demo::Servers;

use crate::{
    house::{House, PASSPHRASE, create_vault},
    household::{Household, mints},
    main_job::{ask, install},
};

fn in_an_hour() -> String {
    (Timestamp::now() + Duration::from_hours(1)).to_string()
}

/// A program with a token that the person minted.
async fn minted(owner: &Client, scopes: &[&str]) -> Client {
    let token = mints(owner, "other", scopes).await.token;
    owner.with_token(token.expose()).unwrap()
}

async fn session(program: &Client) -> (Client, OpenedPersonSession) {
    let passphrase = Sensitive::new(PASSPHRASE.to_owned());
    let opened =
        program.open_person_session(&OpenPersonSession { passphrase }).await.unwrap().value;
    (program.with_token(opened.token.expose()).unwrap(), opened)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_finds_only_the_callers_own_run() {
    let Household { house: _house, servers, program, person: owner } = Household::new().await;
    let scopes = ["actions:run", "actions:list", "approvals:poll"];
    let (other, third) = (minted(&owner, &scopes).await, minted(&owner, &scopes).await);

    // A write: each caller waits for a person of its own.
    let mut asked = Vec::new();
    for caller in [&program, &other, &third, &owner] {
        asked.push(ask(caller, "Secret", Some("guessed")).await.approval_id);
    }
    let mut distinct = asked.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 4, "a run was handed to a stranger: {asked:?}");
    assert_eq!(ask(&other, "Secret", Some("guessed")).await.approval_id, asked[1]);

    // A read: its result is the caller's own, too.
    let mut seen = Vec::new();
    for caller in [&program, &other, &program, &other] {
        let call = RunAction::default();
        let ran = caller.run_action("notes-list", &call, Some("listed")).await.unwrap().value;
        let RunOutcome::Done(done) = ran else { panic!("a read waits") };
        seen.push(done.audit_id);
    }
    assert!(seen[0] == seen[2] && seen[1] == seen[3] && seen[0] != seen[1], "{seen:?}");

    // The same key for something else is a mistake, not another run, and tells nothing of it.
    let args = [("title", "Other"), ("text", "from a test")]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect();
    for (action, args) in [("notes-create", args), ("notes-list", Object::new())] {
        let call = RunAction { args, ..RunAction::default() };
        let refused = other.run_action(action, &call, Some("guessed")).await.unwrap_err();
        assert_eq!(refused.code(), Some("idempotency_conflict"), "{refused}");
        assert!(!refused.api().unwrap().raw.contains("Secret"), "{refused:?}");
    }
    assert_eq!(owner.approvals().await.unwrap().value.items.len(), 4);
    assert_eq!(servers.titles(), ["Welcome"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_session_ends_with_its_closing_and_is_nobody_elses() {
    // Nobody is signed in yet: sessions are counted.
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let pid = house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    create_vault(&program).await;
    let (first, opened) = session(&program).await;
    let (second, kept) = session(&program).await;
    let mintable: Vec<_> =
        Scope::ALL.iter().filter(|it| it.mintable()).map(|it| it.text()).collect();
    let rich = minted(&first, &mintable).await;
    install(&first, &servers).await;
    let pending = ask(&program, "Waits", None).await;

    for caller in [&program, &rich] {
        decides_nothing(caller, &opened.id, &pending.approval_id).await;
    }
    let yes = Decide { approved: true, ..Decide::default() };
    opens_by_no_guess(&program, &opened).await;
    let half = &opened.id[..opened.id.len() - 1];
    for guess in ["ps-0000000000000000", half, "ps-*", "%25", opened.token.expose()] {
        drop(second.close_person_session(guess).await);
    }
    assert_eq!(first.person_sessions().await.unwrap().value.items.len(), 2, "a guess closed one");

    // What was closed is closed, for everything, at once, and the other goes on.
    first.close_person_session(&opened.id).await.unwrap();
    for refused in [
        first.tokens().await.err(),
        first.decide(&pending.approval_id, &yes).await.err(),
        first.health().await.err().or(first.actions().await.err()),
    ] {
        assert_eq!(refused.expect("it is closed").api().unwrap().status, 401);
    }
    let left = second.person_sessions().await.unwrap();
    assert_eq!(left.value.items.len(), 1);
    assert!(!left.raw.contains("alp_"), "a listing tells no token");

    // Sessions are in memory only.
    house.kill(pid);
    let again = house.start().await;
    let second = again.with_token(kept.token.expose()).unwrap();
    assert_eq!(second.tokens().await.unwrap_err().api().unwrap().status, 401);
    assert_eq!(servers.titles(), ["Welcome"]);
}

/// Programs, with whatever was minted for them, neither see nor end sessions, nor decide.
async fn decides_nothing(caller: &Client, session: &str, approval: &str) {
    let yes = Decide { approved: true, ..Decide::default() };
    let mint = MintToken {
        label: "mine".to_owned(),
        scopes: vec!["actions:run".to_owned()],
        expires_at: in_an_hour(),
    };
    let refusals = [
        caller.person_sessions().await.err(),
        caller.close_person_session(session).await.err(),
        caller.close_all_person_sessions().await.err(),
        caller.tokens().await.err(),
        caller.mint_token(&mint).await.err(),
        caller.revoke_token("tok-0000000000000000").await.err(),
        caller.decide(approval, &yes).await.err(),
    ];
    for refusal in refusals {
        let Some(refusal) = refusal else { panic!("that is a person's to do") };
        assert_eq!(refusal.code(), Some("person_required"), "{refusal}");
    }
}

/// Neither a session's name nor anything near its token opens it.
async fn opens_by_no_guess(program: &Client, opened: &OpenedPersonSession) {
    let token = opened.token.expose();
    let last = if token.ends_with('A') { "B" } else { "A" };
    let near = [
        opened.id.clone(),
        token[..token.len() - 1].to_owned() + last,
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        token.replacen("alp_", "alt_", 1),
        token.to_uppercase(),
    ];
    for guess in near {
        let refused = program.with_token(&guess).unwrap().tokens().await.unwrap_err();
        assert_eq!(refused.api().unwrap().status, 401, "{guess}: {refused}");
    }
}
