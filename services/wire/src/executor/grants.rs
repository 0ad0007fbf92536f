//! Standing grants, field by field.

use aileron_contract::{
    Result,
    executor::{
        Grant, GrantCaller, GrantRequest, GrantRule, GrantTerms, GrantedArgument, GrantedBinding,
        GrantedConnector,
    },
    json,
};
use aileron_proto::executor::v1 as pb;
use pb::{grant_caller, grant_rule};

use crate::message::{Wire, messages, must_be_there, read, required};

messages! {
    GrantRequest => pb::GrantRequest {
        action, identity, caller, arguments, max_uses, expires_at,
    }

    GrantTerms => pb::GrantTerms {
        action, version, action_hash, connectors, bindings, identity, caller, arguments, max_uses,
        expires_at, digest,
    }

    GrantedConnector => pb::GrantedConnector { package, hash, operations }

    GrantedBinding => pb::GrantedBinding { connector, binding, hosts }

    GrantedArgument => pb::GrantedArgument { name, rule, field }

    Grant => pb::Grant {
        id, terms, state, void, created_at, created_by, used, last_used_at, ended_at, quarantined,
    }
}

/// An argument's name and rule.
impl Wire<pb::GrantArgument> for (String, GrantRule) {
    fn into_wire(self) -> pb::GrantArgument {
        let (name, rule) = self;
        pb::GrantArgument { name, rule: rule.into_wire() }
    }

    fn from_wire(argument: pb::GrantArgument, _field: &'static str) -> Result<Self> {
        let pb::GrantArgument { name, rule } = argument;
        Ok((name, read(rule, "GrantArgument.rule")?))
    }
}

impl Wire<pb::GrantCaller> for GrantCaller {
    fn into_wire(self) -> pb::GrantCaller {
        let caller = match self {
            Self::Session(id) => grant_caller::Caller::Session(id.into_wire()),
            Self::Token(id) => grant_caller::Caller::Token(id.into_wire()),
        };
        pb::GrantCaller { caller: Some(caller) }
    }

    fn from_wire(message: pb::GrantCaller, _field: &'static str) -> Result<Self> {
        let pb::GrantCaller { caller } = message;
        match required(caller, "GrantCaller.caller")? {
            grant_caller::Caller::Session(id) => read(id, "GrantCaller.session").map(Self::Session),
            grant_caller::Caller::Token(id) => read(id, "GrantCaller.token").map(Self::Token),
        }
    }
}

impl Wire<pb::GrantRule> for GrantRule {
    fn into_wire(self) -> pb::GrantRule {
        let rule = match self {
            Self::Exactly(value) => grant_rule::Rule::ExactlyJson(value.to_string()),
            Self::LeftOut => grant_rule::Rule::LeftOut(pb::GrantLeftOut {}),
            Self::Any => grant_rule::Rule::Any(pb::GrantAny {}),
        };
        pb::GrantRule { rule: Some(rule) }
    }

    fn from_wire(message: pb::GrantRule, _field: &'static str) -> Result<Self> {
        let pb::GrantRule { rule } = message;
        match required(rule, "GrantRule.rule")? {
            grant_rule::Rule::ExactlyJson(text) => json::strict(text.as_bytes()).map(Self::Exactly),
            grant_rule::Rule::LeftOut(pb::GrantLeftOut {}) => Ok(Self::LeftOut),
            grant_rule::Rule::Any(pb::GrantAny {}) => Ok(Self::Any),
        }
    }
}

must_be_there!(GrantCaller => pb::GrantCaller, GrantRule => pb::GrantRule);
