//! Calls that a person let run in advance, and everybody who would like to be let in as well.

use std::sync::{Arc, atomic::Ordering};

use aileron_contract::{
    Context, Principal, Reason, Scope, Timestamp,
    audit::{Actor, Audit as _, Event, EventKind},
    bindings::BindingStatus,
    executor::{
        Call, ConsentDecision, Grant, GrantCaller, GrantRequest, GrantRule, GrantState, GrantVoid,
        Started,
    },
    names::Sha256Hash,
    sessions,
};
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::house::{House, binding, call, done, pending, person};
use crate::runs::Engine;

/// An agent by its own session's token.
pub(super) fn agent(session: &str) -> Context {
    Context {
        principal: Principal::Agent(session.into()),
        session: Some(session.parse().unwrap()),
        ..Context::service("test")
    }
}

fn token(id: &str) -> Context {
    Context { principal: Principal::Program(id.into()), ..Context::service("test") }
}

const TOKEN: &str = "tok-0123456789abcdef";

pub(super) fn request(title: GrantRule, max_uses: u32) -> GrantRequest {
    GrantRequest {
        action: "gated".parse().unwrap(),
        identity: None,
        caller: GrantCaller::Session("s1".parse().unwrap()),
        arguments: vec![("title".to_owned(), title)],
        max_uses,
        expires_at: Timestamp::now() + 1.hours(),
    }
}

fn exactly(value: &str) -> GrantRule {
    GrantRule::Exactly(value.into())
}

/// Looks over what would be granted, and grants that.
pub(super) async fn granted(engine: &Arc<Engine>, request: GrantRequest) -> Grant {
    let terms = engine.propose_grant(&person(), request.clone()).await.unwrap();
    engine.grant(&person(), request, terms.digest).await.unwrap()
}

async fn house() -> (House, Arc<Engine>, Grant) {
    let house = House::new();
    let engine = house.open().await;
    let grant = granted(&engine, request(exactly("x"), 3)).await;
    (house, engine, grant)
}

fn covered() -> Call {
    call("gated", json!({"title": "x"}))
}

async fn found(engine: &Arc<Engine>) -> Grant {
    let mut grants = engine.grants(&person()).await.unwrap();
    assert_eq!(grants.len(), 1);
    grants.remove(0)
}

/// The call waits for a person, as if there were no grant.
async fn parks(engine: &Arc<Engine>, context: &Context, call: Call) {
    pending(engine.run(context, call).await.unwrap());
}

#[tokio::test]
async fn a_granted_call_runs_without_waiting_as_often_as_was_agreed_and_the_log_tells_of_each() {
    let (house, engine, grant) = house().await;
    for _ in 0..3 {
        let result = done(engine.run(&agent("s1"), covered()).await.unwrap());
        assert_eq!(result.consent, ConsentDecision::Granted);
        let run = engine.run_by_id(&person(), &result.run).await.unwrap();
        assert_eq!((run.gated, run.grant.as_ref()), (false, Some(&grant.id)));
    }
    assert_eq!(house.egress.writes(), 3);
    let used = found(&engine).await;
    assert_eq!((used.state, used.used), (GrantState::UsedUp, 3));
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 3);
    let once = ["grant.used", "execution.started", "execution.succeeded"];
    let kinds = house.audit.kinds();
    assert_eq!(kinds[0], "grant.issued");
    assert_eq!(kinds[1..10], [once, once, once].concat());
    let records = house.audit.records.lock().unwrap();
    let started = records.iter().find(|record| record.kind == "execution.started").unwrap();
    assert_eq!(started.payload["aileron.consent.decision"], "granted");
    assert_eq!(started.payload["aileron.grant.id"], grant.id.as_str());
    assert_eq!(started.payload["aileron.grant.use"], 1);
    // What is pinned is not the log's.
    assert!(records.iter().all(|record| !format!("{:?}", record.payload).contains("\"x\"")));
}

#[tokio::test]
async fn nobody_but_a_person_makes_a_grant_or_takes_one_back() {
    let (house, engine, grant) = house().await;
    let scopeless = Context { scopes: [].into_iter().collect(), ..person() };
    let callers =
        [token("daemon"), token(TOKEN), agent("s1"), Context::service("gateway"), scopeless];
    for caller in &callers {
        let asked = request(GrantRule::Any, 3);
        let refused = engine.propose_grant(caller, asked.clone()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::PersonRequired);
        let refused = engine.grant(caller, asked, grant.terms.digest).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::PersonRequired);
        let refused = engine.revoke_grant(caller, grant.id.clone()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::PersonRequired);
    }
    assert_eq!(found(&engine).await.state, GrantState::Live);
    let tries = house.audit.kinds().iter().filter(|kind| *kind == "grant.refused").count();
    assert_eq!(tries, 3 * callers.len());
}

#[tokio::test]
async fn a_grant_is_for_its_caller_and_for_nobody_who_names_it() {
    let (house, engine, _) = house().await;
    let naming = |principal| Context { principal, ..agent("s1") };
    for other in [
        agent("s2"),
        naming(Principal::Program("daemon".into())),
        naming(Principal::Program(TOKEN.into())),
        naming(Principal::Agent("s2".into())),
        naming(Principal::Person("p1".into())),
        naming(Principal::Service("gateway".into())),
        Context { session: None, ..agent("s1") },
        Context { session: Some("s2".parse().unwrap()), ..agent("s1") },
    ] {
        parks(&engine, &other, covered()).await;
    }
    assert_eq!(house.egress.writes(), 0);
    let of_token = GrantRequest {
        caller: GrantCaller::Token(TOKEN.parse().unwrap()),
        ..request(exactly("x"), 1)
    };
    granted(&engine, of_token).await;
    parks(&engine, &token("tok-0123456789abcdee"), covered()).await;
    done(engine.run(&token(TOKEN), covered()).await.unwrap());
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn a_call_that_is_one_step_off_waits() {
    let house = House::new();
    house.action_file(&numbers());
    let engine = house.open().await;
    let asked = GrantRequest {
        action: "numbers".parse().unwrap(),
        arguments: vec![
            ("title".to_owned(), exactly("x")),
            ("count".to_owned(), GrantRule::Exactly(json!(1))),
            ("note".to_owned(), GrantRule::LeftOut),
        ],
        ..request(GrantRule::Any, 3)
    };
    granted(&engine, asked).await;
    for arguments in [
        json!({"title": "y", "count": 1}),
        json!({"title": "X", "count": 1}),
        json!({"title": "x", "count": 2}),
        json!({"title": "x", "count": 1.5}),
        json!({"title": "x"}),
        json!({"title": "x", "count": 1, "note": ""}),
    ] {
        parks(&engine, &agent("s1"), call("numbers", arguments)).await;
    }
    // Not what the action takes at all.
    for arguments in
        [json!({"title": "x", "count": "1"}), json!({"title": "x", "count": 1, "extra": 1})]
    {
        let started = engine.run(&agent("s1"), call("numbers", arguments)).await.unwrap();
        assert!(matches!(started, Started::Failed(_)), "{started:?}");
    }
    let named = Call {
        identity: Some("me".parse().unwrap()),
        ..call("numbers", json!({"title": "x", "count": 1}))
    };
    parks(&engine, &agent("s1"), named).await;
    assert_eq!(house.egress.writes(), 0);

    // 1.0 is the number 1, and the service gets the 1 that the person saw.
    let spelled = call("numbers", json!({"title": "x", "count": 1.0}));
    done(engine.run(&agent("s1"), spelled).await.unwrap());
    let sent = house.egress.acted.lock().unwrap()[0].body.clone();
    assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap()["count"].to_string(), "1");
}

fn numbers() -> String {
    let hash = Sha256Hash::of(&[b"the connector"]);
    let input = |name: &str, kind: &str| {
        format!(
            "[[inputs]]\nname = \"{name}\"\ntype = \"{kind}\"\nrequired = false\ndescription = \"d\"\n"
        )
    };
    format!(
        "+++\nname = \"numbers\"\nversion = \"1.0.0\"\nsource = \
         \"github://acme/notes/actions/numbers@1.0.0\"\n[match]\nintent = \"i\"\n\
         [[requires.connectors]]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\nhash = \
         \"{hash}\"\ncapabilities = [\"create\"]\n{}{}{}[[execute]]\nid = \"s0\"\nconnector = \
         \"github://acme/notes\"\nop = \"create\"\n[approval]\nrequired = true\n+++\nbody\n",
        input("title", "string"),
        input("count", "number"),
        input("note", "string"),
    )
}

#[tokio::test]
async fn callers_at_once_get_no_more_uses_than_there_are() {
    let house = House::new();
    let engine = house.open().await;
    granted(&engine, request(exactly("x"), 10)).await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let engine = Arc::clone(&engine);
        callers.spawn(async move { engine.run(&agent("s1"), covered()).await.unwrap() });
    }
    let started = callers.join_all().await;
    let ran = started.iter().filter(|started| matches!(started, Started::Done(_))).count();
    let waits = started.iter().filter(|started| matches!(started, Started::Pending(_))).count();
    assert_eq!((ran, waits), (10, 54));
    assert_eq!(house.egress.writes(), 10);
    assert_eq!(found(&engine).await.used, 10);
}

#[tokio::test]
async fn an_edited_row_is_shown_and_nothing_runs_on_it() {
    for forgery in [
        "UPDATE standing_grants SET record = replace(record, '\"x\"', '\"y\"')",
        "UPDATE standing_grants SET record = replace(record, '\"max_uses\":3', '\"max_uses\":9')",
        "UPDATE standing_grants SET pin = X'00'",
    ] {
        let (house, engine, grant) = house().await;
        sqlx::query(forgery).execute(house.database().await.pool()).await.unwrap();
        for title in ["x", "y"] {
            parks(&engine, &agent("s1"), call("gated", json!({"title": title}))).await;
        }
        assert!(found(&engine).await.quarantined, "{forgery}");
        assert_eq!(house.egress.writes(), 0);
        engine.revoke_grant(&person(), grant.id).await.unwrap();
        assert!(engine.grants(&person()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_columns_of_a_row_are_nobodys_word() {
    let (house, engine, _) = house().await;
    for forgery in [
        "UPDATE standing_grants SET caller = 'session:s2'",
        "UPDATE standing_grants SET caller = 'session:s1', action = 'gated2'",
        "UPDATE standing_grants SET action = 'gated', version = 7",
    ] {
        house.action("gated2", &[("create", "")], true);
        sqlx::query(forgery).execute(house.database().await.pool()).await.unwrap();
        parks(&engine, &agent("s2"), covered()).await;
        parks(&engine, &agent("s1"), call("gated2", json!({"title": "x"}))).await;
    }
    // With a version that is not the row's there is no writing a use: the call waits.
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn a_row_put_back_gives_no_use_back() {
    let (house, engine, _) = house().await;
    let old = rows(&house).await;
    for _ in 0..2 {
        done(engine.run(&agent("s1"), covered()).await.unwrap());
    }
    put_back(&house, &old).await;
    assert_eq!(found(&engine).await.used, 2);
    done(engine.run(&agent("s1"), covered()).await.unwrap());
    put_back(&house, &old).await;
    parks(&engine, &agent("s1"), covered()).await;
    drop(engine);
    // Nor after a restart, which remembers nothing.
    put_back(&house, &old).await;
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 3);
    assert_eq!(found(&engine).await.state, GrantState::UsedUp);
}

#[tokio::test]
async fn a_revoked_grant_stays_revoked_whatever_row_is_put_back() {
    let (house, engine, grant) = house().await;
    let old = rows(&house).await;
    engine.revoke_grant(&person(), grant.id.clone()).await.unwrap();
    engine.revoke_grant(&person(), grant.id.clone()).await.unwrap();
    parks(&engine, &agent("s1"), covered()).await;
    put_back(&house, &old).await;
    parks(&engine, &agent("s1"), covered()).await;
    drop(engine);
    put_back(&house, &old).await;
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(found(&engine).await.state, GrantState::Revoked);
    // A row that was taken away is as good as revoked, too, once a person says so.
    let other = granted(&engine, request(exactly("x"), 1)).await;
    let all = rows(&house).await;
    let gone = "DELETE FROM standing_grants";
    sqlx::query(gone).execute(house.database().await.pool()).await.unwrap();
    let unknown = engine.revoke_grant(&person(), other.id).await.unwrap_err();
    assert_eq!(unknown.reason(), Reason::NotFound);
    put_back(&house, &all).await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn what_drifted_makes_a_grant_void_for_good() {
    type Change = fn(&House);
    let bound = |house: &House| house.vault.bindings.listed.lock().unwrap().clone();
    let changes: [(GrantVoid, Change); 9] = [
        (GrantVoid::ActionChanged, |house| {
            house.action("gated", &[("create", "idempotent = true")], true);
        }),
        (GrantVoid::ActionGone, |house| {
            drop(house.library.actions.lock().unwrap().remove("gated"));
        }),
        (GrantVoid::ActionDisabled, |house| {
            let mut actions = house.library.actions.lock().unwrap();
            let mut action = (**actions.get("gated").unwrap()).clone();
            action.enabled = false;
            actions.insert("gated".to_owned(), Arc::new(action));
        }),
        (GrantVoid::ConnectorChanged, |house| {
            house.library.connectors.lock().unwrap().clear();
        }),
        (GrantVoid::BindingChanged, |house| {
            *house.vault.bindings.listed.lock().unwrap() = vec![binding("other")];
        }),
        (GrantVoid::BindingChanged, |house| house.vault.bindings.listed.lock().unwrap().clear()),
        // Bound anew under the same name, for the same hosts.
        (GrantVoid::BindingChanged, |house| {
            house.vault.bindings.listed.lock().unwrap()[0].agreed_at = Timestamp::now();
        }),
        (GrantVoid::BindingChanged, |house| {
            house.vault.bindings.listed.lock().unwrap()[0].status = BindingStatus::Stale;
        }),
        (GrantVoid::BindingChanged, |house| {
            house.vault.bindings.listed.lock().unwrap()[0].hosts =
                Some(vec!["evil.example:443".parse().unwrap()]);
        }),
    ];
    for (why, change) in changes {
        let (house, engine, _) = house().await;
        let (actions, connectors, bindings) = (
            house.library.actions.lock().unwrap().clone(),
            house.library.connectors.lock().unwrap().clone(),
            bound(&house),
        );
        change(&house);
        let called = engine.run(&agent("s1"), covered()).await;
        assert!(!matches!(called, Ok(Started::Done(_))), "{why}: {called:?}");
        let void = found(&engine).await;
        assert_eq!((void.state, void.void), (GrantState::Void, Some(why)));
        // And stays so when everything is as it was.
        *house.library.actions.lock().unwrap() = actions;
        *house.library.connectors.lock().unwrap() = connectors;
        *house.vault.bindings.listed.lock().unwrap() = bindings;
        parks(&engine, &agent("s1"), covered()).await;
        assert_eq!(house.egress.writes(), 0, "{why}");
        assert_eq!(house.audit.kinds().iter().filter(|kind| *kind == "grant.voided").count(), 1);
    }
}

#[tokio::test]
async fn what_a_refused_call_met_ends_its_grant_even_when_it_is_put_back_unseen() {
    let (house, engine, _) = house().await;
    let good = house.library.actions.lock().unwrap().clone();
    let mut edited = (*good["gated"]).clone();
    edited.pinned = Some(false);
    house.library.actions.lock().unwrap().insert("gated".to_owned(), Arc::new(edited));
    // Another caller's refusal says nothing of this grant, nor is it looked after by it.
    let stranger = engine.run(&agent("s2"), covered()).await.unwrap_err();
    assert_eq!(stranger.reason(), Reason::Quarantined);
    assert!(!house.audit.kinds().contains(&"grant.voided".to_owned()));
    let refused = engine.run(&agent("s1"), covered()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Quarantined);
    *house.library.actions.lock().unwrap() = good;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 0);
    assert_eq!(found(&engine).await.void, Some(GrantVoid::ActionChanged));
}

#[tokio::test]
async fn a_grant_ends_with_its_session_and_with_its_token() {
    let (house, engine, _) = house().await;
    let of_token = GrantRequest {
        caller: GrantCaller::Token(TOKEN.parse().unwrap()),
        ..request(exactly("x"), 1)
    };
    granted(&engine, of_token.clone()).await;
    let ended = |id, kind| {
        let mut event = Event::new(kind, Actor::of(&Context::service("test")));
        event.id = Some(id);
        event
    };
    let over = sessions::end_event(&"s1".parse().unwrap(), sessions::State::Orphaned).unwrap();
    let revoked = aileron_contract::access::revocation_event(TOKEN).unwrap();
    let own = Context::service("test");
    house.audit.append(&own, ended(over, EventKind::SessionEnded)).await.unwrap();
    house.audit.append(&own, ended(revoked, EventKind::TokenRevoked)).await.unwrap();
    parks(&engine, &agent("s1"), covered()).await;
    parks(&engine, &token(TOKEN), covered()).await;
    let why: Vec<_> =
        engine.grants(&person()).await.unwrap().into_iter().map(|grant| grant.void).collect();
    assert_eq!(why, [Some(GrantVoid::TokenRevoked), Some(GrantVoid::SessionEnded)]);
    let refused = engine.propose_grant(&person(), of_token).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::InvalidRequest);
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn a_grants_time_is_over_once_and_no_clock_brings_it_back() {
    let (mut house, engine, _) = house().await;
    drop(engine);
    // Before it was made: the clock is wrong, and the call waits.
    house.clock = || Timestamp::now() - 1.hours();
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(found(&engine).await.state, GrantState::Live);
    drop(engine);
    house.clock = || Timestamp::now() + 2.hours();
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(found(&engine).await.state, GrantState::Expired);
    drop(engine);
    house.clock = Timestamp::now;
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn while_the_vault_is_locked_no_grant_counts() {
    let (house, engine, _) = house().await;
    house.vault.locked.store(true, Ordering::SeqCst);
    let started = engine.run(&agent("s1"), covered()).await.unwrap();
    assert!(matches!(started, Started::Failed(_)), "{started:?}");
    assert_eq!(found(&engine).await.state, GrantState::Live);
    let locked = engine.propose_grant(&person(), request(exactly("x"), 1)).await.unwrap_err();
    assert_eq!(locked.reason(), Reason::VaultLocked);
    house.vault.locked.store(false, Ordering::SeqCst);
    done(engine.run(&agent("s1"), covered()).await.unwrap());
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn without_the_log_nothing_is_used() {
    let (house, engine, _) = house().await;
    house.audit.broken.store(true, Ordering::SeqCst);
    assert!(engine.run(&agent("s1"), covered()).await.is_err());
    assert_eq!(house.egress.writes(), 0);
    house.audit.broken.store(false, Ordering::SeqCst);
    assert_eq!(found(&engine).await.used, 0);
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_with_a_reason() {
    let house = House::new();
    let engine = house.open().await;
    let preview = "[approval.preview]\nop = \"list\"\n[approval.preview.render]\n\"A\" = \"a\"\n";
    house.action_with("shown", &[("create", "")], true, preview);
    let base = || request(exactly("x"), 1);
    let named = |name: &str| GrantRequest { action: name.parse().unwrap(), ..base() };
    let far = Timestamp::now() + (24 * 31).hours();
    let cases = [
        (named("create"), Reason::InvalidRequest),
        (named("shown"), Reason::InvalidRequest),
        (named("nothing"), Reason::NotFound),
        (request(exactly("x"), 0), Reason::InvalidRequest),
        (request(exactly("x"), 1_001), Reason::InvalidRequest),
        (GrantRequest { expires_at: Timestamp::now(), ..base() }, Reason::InvalidRequest),
        (GrantRequest { expires_at: far, ..base() }, Reason::InvalidRequest),
        (GrantRequest { arguments: Vec::new(), ..base() }, Reason::ValidationError),
        (request(GrantRule::Exactly(json!(1)), 1), Reason::ValidationError),
        (
            GrantRequest { identity: Some("who".parse().unwrap()), ..base() },
            Reason::BindingNotFound,
        ),
    ];
    for (asked, reason) in cases {
        let refused = engine.propose_grant(&person(), asked.clone()).await.unwrap_err();
        assert_eq!(refused.reason(), reason, "{asked:?}: {}", refused.public());
    }
    house.vault.bindings.listed.lock().unwrap().push(binding("other"));
    let refused = engine.propose_grant(&person(), base()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::BindingNotFound);
    assert!(engine.grants(&person()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_changed_since_the_person_looked_is_not_granted() {
    let house = House::new();
    let engine = house.open().await;
    let asked = request(exactly("x"), 1);
    let seen = engine.propose_grant(&person(), asked.clone()).await.unwrap().digest;
    for other in [
        request(exactly("y"), 1),
        request(GrantRule::Any, 1),
        request(exactly("x"), 2),
        GrantRequest { expires_at: asked.expires_at + 1.seconds(), ..asked.clone() },
        GrantRequest { caller: GrantCaller::Session("s2".parse().unwrap()), ..asked.clone() },
    ] {
        let refused = engine.grant(&person(), other, seen).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::HashMismatch);
    }
    house.vault.bindings.listed.lock().unwrap()[0].agreed_at = Timestamp::now();
    let refused = engine.grant(&person(), asked, seen).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::HashMismatch);
    assert!(engine.grants(&person()).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_agent_sees_the_grants_of_its_own_session_alone() {
    let (_house, engine, grant) = house().await;
    let seen = engine.grants(&agent("s1")).await.unwrap();
    assert_eq!(seen.into_iter().map(|grant| grant.id).collect::<Vec<_>>(), [grant.id]);
    assert!(engine.grants(&agent("s2")).await.unwrap().is_empty());
    // Nor does a token that may only ask what became of its own calls see those of others.
    let poller = Context { scopes: [Scope::ApprovalsPoll].into_iter().collect(), ..token(TOKEN) };
    assert!(engine.grants(&poller).await.unwrap().is_empty());
    assert_eq!(engine.grants(&token(TOKEN)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_repeated_call_uses_a_grant_once() {
    let (house, engine, _) = house().await;
    let keyed = Context { idempotency_key: Some("k".parse().unwrap()), ..agent("s1") };
    let first = done(engine.run(&keyed, covered()).await.unwrap());
    let again = done(engine.run(&keyed, covered()).await.unwrap());
    assert_eq!(first.run, again.run);
    assert_eq!((house.egress.writes(), found(&engine).await.used), (1, 1));
}

type Stored = (String, i64, String, Vec<u8>);

async fn rows(house: &House) -> Vec<Stored> {
    sqlx::query_as("SELECT id, version, record, pin FROM standing_grants")
        .fetch_all(house.database().await.pool())
        .await
        .unwrap()
}

/// The rows as they were, with the pins they had.
async fn put_back(house: &House, old: &[Stored]) {
    let database = house.database().await;
    for (id, version, record, pin) in old {
        sqlx::query("DELETE FROM standing_grants WHERE id = $1")
            .bind(id)
            .execute(database.pool())
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO standing_grants
                (id, version, state, action, caller, created_at, record, pin)
             VALUES ($1, $2, 'live', 'gated', 'session:s1', $3, $4, $5)",
        )
        .bind(id)
        .bind(version)
        .bind(Timestamp::now().as_microsecond())
        .bind(record)
        .bind(pin)
        .execute(database.pool())
        .await
        .unwrap();
    }
}
