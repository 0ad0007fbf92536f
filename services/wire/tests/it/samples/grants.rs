use aileron_contract::{
    Principal,
    executor::{
        Field, Grant, GrantCaller, GrantRequest, GrantRule, GrantState, GrantTerms, GrantVoid,
        GrantedArgument, GrantedBinding, GrantedConnector,
    },
};
use serde_json::json;

use super::{before_1970, hash, hosts, name, text, time};

fn rules(full: bool) -> Vec<(String, GrantRule)> {
    let rule = |name: &str, rule| (name.to_owned(), rule);
    if !full {
        return Vec::new();
    }
    vec![
        rule("title", GrantRule::Exactly(json!({"a": [1, 2.5, "x", null]}))),
        rule("", GrantRule::LeftOut),
        rule("note", GrantRule::Any),
        rule("null", GrantRule::Exactly(json!(null))),
    ]
}

pub(crate) fn caller(full: bool) -> GrantCaller {
    if full {
        GrantCaller::Session(name("s1"))
    } else {
        GrantCaller::Token(name("tok-0123456789abcdef"))
    }
}

pub(crate) fn request(full: bool) -> GrantRequest {
    GrantRequest {
        action: name("notes-create"),
        identity: full.then(|| name("work")),
        caller: caller(full),
        arguments: rules(full),
        max_uses: if full { u32::MAX } else { 0 },
        expires_at: if full { before_1970() } else { time() },
    }
}

pub(crate) fn terms(full: bool) -> GrantTerms {
    let connector = GrantedConnector {
        package: name("github://a/b@1.2.3"),
        hash: hash(),
        operations: vec!["create".to_owned(), String::new()],
    };
    let binding = GrantedBinding {
        connector: name("github://a/b"),
        binding: name("api_key/notes/me"),
        hosts: hosts(full),
    };
    let told = |(name, rule): (String, GrantRule)| {
        let multiline = rule == GrantRule::Any;
        let field =
            Field { label: "L".to_owned(), value: text(multiline), missing: false, multiline };
        GrantedArgument { name, rule, field }
    };
    GrantTerms {
        action: name("notes-create"),
        version: name("1.0.0"),
        action_hash: hash(),
        connectors: if full { vec![connector] } else { Vec::new() },
        bindings: if full { vec![binding] } else { Vec::new() },
        identity: full.then(|| name("work")),
        caller: caller(full),
        arguments: rules(full).into_iter().map(told).collect(),
        max_uses: u32::from(full),
        expires_at: time(),
        digest: hash(),
    }
}

pub(crate) fn grant(full: bool) -> Grant {
    Grant {
        id: name("grant-1"),
        terms: terms(full),
        state: if full { GrantState::Void } else { GrantState::Live },
        void: full.then_some(GrantVoid::BindingChanged),
        created_at: before_1970(),
        created_by: Principal::Person("p".into()),
        used: u32::from(full),
        last_used_at: full.then(time),
        ended_at: full.then(before_1970),
        quarantined: full,
    }
}

pub(crate) fn grants(full: bool) -> Vec<Grant> {
    let states = GrantState::ALL.iter().map(|state| Grant { state: *state, ..grant(true) });
    let voids = GrantVoid::ALL.iter().map(|why| Grant { void: Some(*why), ..grant(true) });
    if full { states.chain(voids).chain([grant(false)]).collect() } else { Vec::new() }
}
