//! Grants as the executor would tell of them.

use aileron_contract::{
    Error, Principal, Reason, Result,
    executor::{
        Field, Grant, GrantCaller, GrantRequest, GrantRule, GrantState, GrantTerms, GrantVoid,
        GrantedArgument, GrantedBinding, GrantedConnector,
    },
    names::{GrantId, Sha256Hash},
};

use super::world::later;

pub(crate) const GRANT: &str = "grant-20300101T000000-00000000deadbeef";

pub(crate) fn terms(request: GrantRequest) -> GrantTerms {
    let GrantRequest { action, identity, caller, arguments, max_uses, expires_at } = request;
    let told = |(name, rule): (String, GrantRule)| {
        let value = match &rule {
            GrantRule::Exactly(value) => Some(value.to_string()),
            GrantRule::LeftOut | GrantRule::Any => None,
        };
        let field = Field { label: name.clone(), value, missing: false, multiline: false };
        GrantedArgument { name, rule, field }
    };
    GrantTerms {
        action,
        version: "1.0.0".parse().unwrap(),
        action_hash: Sha256Hash::new([1; 32]),
        connectors: vec![GrantedConnector {
            package: "github://acme/notes@1.0.0".parse().unwrap(),
            hash: Sha256Hash::new([2; 32]),
            operations: vec!["create".to_owned()],
        }],
        bindings: vec![GrantedBinding {
            connector: "github://acme/notes".parse().unwrap(),
            binding: "api_key/notes/default".parse().unwrap(),
            hosts: vec!["notes.example:443".parse().unwrap()],
        }],
        identity,
        caller,
        arguments: arguments.into_iter().map(told).collect(),
        max_uses,
        expires_at,
        digest: Sha256Hash::new([4; 32]),
    }
}

pub(crate) fn grant(terms: GrantTerms) -> Grant {
    Grant {
        id: GRANT.parse().unwrap(),
        terms,
        state: GrantState::Live,
        void: None,
        created_at: later(),
        created_by: Principal::Person("p".into()),
        used: 0,
        last_used_at: None,
        ended_at: None,
        quarantined: false,
    }
}

/// One that may be used, and one that may not any more.
pub(crate) fn some() -> Vec<Grant> {
    let request = |caller| GrantRequest {
        action: "notes-create".parse().unwrap(),
        identity: None,
        caller,
        arguments: vec![
            ("title".to_owned(), GrantRule::Exactly("<b>one</b>".into())),
            ("body".to_owned(), GrantRule::Any),
            ("tag".to_owned(), GrantRule::LeftOut),
        ],
        max_uses: 3,
        expires_at: later(),
    };
    let live = grant(terms(request(GrantCaller::Session("own-session".parse().unwrap()))));
    let token = GrantCaller::Token("tok-0123456789abcdef".parse().unwrap());
    let void = Grant {
        id: "grant-20300101T000000-00000000deadbeee".parse().unwrap(),
        state: GrantState::Void,
        void: Some(GrantVoid::BindingChanged),
        used: 2,
        last_used_at: Some(later()),
        ended_at: Some(later()),
        ..grant(terms(request(token)))
    };
    vec![live, void]
}

pub(crate) fn revoke(id: &GrantId) -> Result<()> {
    if id.as_str() == GRANT {
        return Ok(());
    }
    Err(Error::new(Reason::NotFound, "there is no such grant"))
}
