//! A program that may ask and guess as often as it likes, against a real daemon: the person gets
//! in, is not buried, and reads a log that stayed short.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aileron_api::{
    Object, Sensitive,
    access::OpenPersonSession,
    actions::RunAction,
    approvals::DenySession,
    client::{Client, RunOutcome},
    sessions::BeginSession,
};
use tokio::task::JoinSet;

use crate::{
    house::{passphrase, until},
    household::Household,
};

/// Programs that guess, each on a connection of its own.
const CONNECTIONS: usize = 4;

fn guess(text: &str) -> OpenPersonSession {
    OpenPersonSession { passphrase: Sensitive::new(text.to_owned()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_guesses_without_end_does_not_keep_the_person_out() {
    let home = Household::new().await;
    let checked = Arc::new(AtomicUsize::new(0));
    let mut guessing = JoinSet::new();
    for _ in 0..CONNECTIONS {
        // With the very token that the person's command line has.
        let program =
            home.program.with_token(&home.house.discovery().unwrap().token.unwrap()).unwrap();
        let checked = Arc::clone(&checked);
        guessing.spawn(async move {
            loop {
                let refused = program.open_person_session(&guess("not it")).await.unwrap_err();
                assert_eq!(refused.api().unwrap().code, "passphrase_rejected");
                checked.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    // Until they wait for each other.
    until("they guess", async || (checked.load(Ordering::SeqCst) > CONNECTIONS).then_some(()))
        .await;
    let right = OpenPersonSession { passphrase: passphrase() };
    home.program.open_person_session(&right).await.unwrap();
    // And with the command line, which has a new session for each command.
    let waiting = home.house.run_as_person(&["token", "list"]);
    assert!(waiting.status.success(), "{waiting:?}");
    guessing.shutdown().await;
}

async fn asks(agent: &Client) -> bool {
    let args: Object = [("title", "Buried"), ("text", "x")]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect();
    let run = RunAction { args, ..RunAction::default() };
    match agent.run_action("notes-create", &run, None).await {
        Ok(answer) => matches!(answer.value, RunOutcome::Pending(_)),
        Err(refused) => {
            assert_eq!(refused.api().unwrap().code, "too_many_approvals");
            false
        }
    }
}

/// An agent in a session that this caller began.
async fn agent_of(caller: &Client) -> (Client, String) {
    let body = BeginSession { agent: "claude".to_owned(), working_dir: None };
    let begun = caller.begin_session(&body).await.unwrap().value;
    let token = begun.caveat_token.unwrap();
    (caller.with_token(token.expose()).unwrap(), begun.session.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_is_denied_as_a_whole_and_others_go_on_waiting() {
    let Household { house, program, person: owner, servers } = Household::new().await;
    let (noisy, session) = agent_of(&program).await;
    let (quiet, _) = agent_of(&owner).await;
    let mut asked = 0;
    while asks(&noisy).await {
        asked += 1;
    }
    assert_eq!(asked, 100, "one session has a bound of its own");
    assert!(asks(&quiet).await);

    let body = DenySession { session: session.clone(), reason: Some("enough".to_owned()) };
    for nobody in [&noisy, &quiet, &program] {
        let refused = nobody.deny_session(&body).await.unwrap_err();
        assert_eq!(refused.api().unwrap().status, 403, "{refused}");
    }
    // In a terminal, with the passphrase; where nobody can be asked, only with --yes.
    let unasked = house.run_as_person(&["approval", "deny", "--session", &session]);
    assert!(!unasked.status.success(), "{unasked:?}");
    let denied =
        house.run_as_person(&["approval", "deny", "--session", &session, "--yes", "--json"]);
    assert!(denied.status.success(), "{denied:?}");
    let told: serde_json::Value = serde_json::from_slice(&denied.stdout).unwrap();
    assert_eq!(told["denied"].as_array().unwrap().len(), 100);
    assert_eq!(owner.approvals().await.unwrap().value.items.len(), 1);
    assert_eq!(servers.titles(), ["Welcome"]);
    assert!(asks(&noisy).await, "the session itself goes on, until the person ends it");
}
