//! Who may ask for a grant, and for what.

use aileron_contract::{
    Context, Reason, Timestamp,
    executor::{GrantCaller, GrantRequest, GrantRule, GrantState},
};
use jiff::ToSpan as _;
use serde_json::json;

use super::{TOKEN, agent, exactly, found, house, request, token};
use crate::runs::tests::house::{House, binding, person};

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
async fn a_grant_does_not_outlast_the_token_it_is_for() {
    let house = House::new();
    let engine = house.open().await;
    let of_token = GrantRequest {
        caller: GrantCaller::Token(TOKEN.parse().unwrap()),
        ..request(exactly("x"), 1)
    };
    let says = |end: Option<Timestamp>| {
        house.tokens.ends.lock().unwrap().insert(TOKEN.to_owned(), end);
    };
    let wanted = of_token.expires_at;
    for end in [None, Some(Timestamp::now() - 1.hours()), Some(wanted - 1.seconds())] {
        says(end);
        let refused = engine.propose_grant(&person(), of_token.clone()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::InvalidRequest, "{end:?}");
        assert!(refused.public().contains(TOKEN), "{}", refused.public());
    }
    says(Some(wanted));
    let seen = engine.propose_grant(&person(), of_token.clone()).await.unwrap().digest;
    // Nor when the token is gone by the time the person has agreed.
    says(None);
    let refused = engine.grant(&person(), of_token.clone(), seen).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::InvalidRequest);
    assert!(engine.grants(&person()).await.unwrap().is_empty());
    says(Some(wanted));
    engine.grant(&person(), of_token, seen).await.unwrap();
    assert_eq!(found(&engine).await.state, GrantState::Live);
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
