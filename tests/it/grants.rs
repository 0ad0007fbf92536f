//! Calls that a person let run in advance, through the real daemon: as often as was agreed, for
//! whom it was agreed, and not once more when rows are put back.

use std::time::Duration;

use aileron_api::{
    Object,
    access::MintedToken,
    actions::RunAction,
    client::{Client, RunOutcome},
    grants::{Grant, GrantRequest},
};

use aileron_contract::Timestamp;

use crate::{
    house::{person, unlock_vault},
    household::{Household, mints},
    put_back::{sql, stop},
};

const ACTION: &str = "notes-create";

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_write_runs_for_its_token_and_no_row_put_back_gives_a_use_back() {
    let home = Household::new().await;
    let pid = home.daemon();
    let Household { mut house, servers: _servers, program, person: owner } = home;
    let scopes = ["actions:list", "actions:run", "runs:read", "approvals:poll"];
    let minted = mints(&owner, "nightly", &scopes).await;
    let token = program.with_token(minted.token.expose()).unwrap();

    // Neither the token itself nor the one in daemon.json makes a grant.
    let mut request = asked(&minted);
    for nobody in [&token, &program] {
        let refused = nobody.propose_grant(&request).await.unwrap_err();
        assert_eq!(refused.code(), Some("person_required"), "{refused}");
    }
    request.digest = Some(owner.propose_grant(&request).await.unwrap().value.digest);
    let granted = owner.grant(&request).await.unwrap().value;
    assert_eq!((granted.state.as_str(), granted.used), ("live", 0));

    assert_eq!(consent(&token, "one").await.as_deref(), Some("granted"));
    assert_eq!(consent(&token, "other").await, None, "another argument waits");
    assert_eq!(consent(&program, "one").await, None, "another caller waits");
    stop(&mut house, pid).await;
    sql(&house, "CREATE TABLE kept_grants AS SELECT * FROM standing_grants").await;

    let pid = house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    unlock_vault(&program).await;
    let token = program.with_token(minted.token.expose()).unwrap();
    assert_eq!(consent(&token, "one").await.as_deref(), Some("granted"));
    assert_eq!(consent(&token, "one").await, None, "both uses are taken");
    stop(&mut house, pid).await;
    sql(&house, "DELETE FROM standing_grants").await;
    sql(&house, "INSERT INTO standing_grants SELECT * FROM kept_grants").await;

    house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    unlock_vault(&program).await;
    let token = program.with_token(minted.token.expose()).unwrap();
    assert_eq!(consent(&token, "one").await, None, "a row put back gives nothing back");
    let known = only(&program).await;
    assert_eq!((known.state.as_str(), known.used), ("used_up", 2));

    // A grant ends with the token it is for.
    let owner = person(&program).await;
    let mut request = asked(&minted);
    request.digest = Some(owner.propose_grant(&request).await.unwrap().value.digest);
    let granted = owner.grant(&request).await.unwrap().value;
    let too_long = Timestamp::now() + Duration::from_hours(24 * 29);
    let too_long = GrantRequest { expires_at: too_long.to_string(), ..asked(&minted) };
    let refused = owner.propose_grant(&too_long).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("ends at {}, before", minted.expires_at)), "{refused}");
    owner.revoke_token(&minted.id).await.unwrap();
    let waiting = owner.approvals().await.unwrap().value.items;
    assert_eq!(waiting.len(), 1, "what the token asked for waits no more");
    let listed = program.grants().await.unwrap().value.items;
    let void = listed.into_iter().find(|it| it.id == granted.id).unwrap();
    assert_eq!(void.void.as_deref(), Some("token_revoked"));
    let refused = owner.propose_grant(&asked(&minted)).await.unwrap_err();
    assert_eq!(refused.code(), Some("invalid_request"), "{refused}");
    assert!(refused.to_string().contains("was revoked at"), "{refused}");
    let filter = aileron_api::audit::AuditFilter {
        event_type: Some("grant.used".to_owned()),
        ..aileron_api::audit::AuditFilter::default()
    };
    assert_eq!(program.audit_events(&filter).await.unwrap().value.events.len(), 2);
}

fn asked(token: &MintedToken) -> GrantRequest {
    GrantRequest {
        action_name: ACTION.to_owned(),
        token_id: Some(token.id.clone()),
        args: Object::from_iter([("title".to_owned(), "one".into())]),
        any: vec!["text".to_owned()],
        max_uses: 2,
        expires_at: token.expires_at.clone(),
        ..GrantRequest::default()
    }
}

/// Why the call ran; none when it waits for a person.
async fn consent(client: &Client, title: &str) -> Option<String> {
    let args = Object::from_iter([
        ("title".to_owned(), title.into()),
        ("text".to_owned(), "whatever".into()),
    ]);
    let call = RunAction { args, ..RunAction::default() };
    match client.run_action(ACTION, &call, None).await.unwrap().value {
        RunOutcome::Done(done) => done.consent_decision,
        RunOutcome::Pending(_) => None,
    }
}

async fn only(client: &Client) -> Grant {
    let mut grants = client.grants().await.unwrap().value.items;
    assert_eq!(grants.len(), 1);
    grants.remove(0)
}
