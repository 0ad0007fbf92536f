use aileron_api::grants::{Grant, GrantTerms, GrantedArgument, GrantedBinding, GrantedConnector};
use aileron_contract::executor::{self, GrantCaller, GrantRule};

use super::{
    runs::{line, principal},
    text, texts,
};

pub(crate) fn grant_terms(terms: executor::GrantTerms) -> GrantTerms {
    let executor::GrantTerms {
        action,
        version,
        action_hash,
        connectors,
        bindings,
        identity,
        caller,
        arguments,
        max_uses,
        expires_at,
        digest,
    } = terms;
    let (session_id, token_id) = match caller {
        GrantCaller::Session(id) => (Some(id.to_string()), None),
        GrantCaller::Token(id) => (None, Some(id.to_string())),
    };
    GrantTerms {
        action_name: action.to_string(),
        action_version: version.to_string(),
        action_hash: action_hash.to_string(),
        connectors: connectors.into_iter().map(connector).collect(),
        bindings: bindings.into_iter().map(binding).collect(),
        identity: text(identity),
        session_id,
        token_id,
        arguments: arguments.into_iter().map(argument).collect(),
        max_uses,
        expires_at: expires_at.to_string(),
        digest: digest.to_string(),
    }
}

pub(crate) fn grant(grant: executor::Grant) -> Grant {
    let executor::Grant {
        id,
        terms,
        state,
        void,
        created_at,
        created_by,
        used,
        last_used_at,
        ended_at,
        quarantined,
    } = grant;
    Grant {
        id: id.to_string(),
        state: state.to_string(),
        void: text(void),
        terms: grant_terms(terms),
        used,
        created_at: created_at.to_string(),
        created_by: principal(&created_by),
        last_used_at: text(last_used_at),
        ended_at: text(ended_at),
        quarantined,
    }
}

fn connector(connector: executor::GrantedConnector) -> GrantedConnector {
    let executor::GrantedConnector { package, hash, operations } = connector;
    GrantedConnector { connector: package.to_string(), hash: hash.to_string(), operations }
}

fn binding(binding: executor::GrantedBinding) -> GrantedBinding {
    let executor::GrantedBinding { connector, binding, hosts } = binding;
    let (connector_fqn, binding) = (connector.to_string(), binding.to_string());
    GrantedBinding { connector_fqn, binding, hosts: texts(&hosts) }
}

fn argument(argument: executor::GrantedArgument) -> GrantedArgument {
    let executor::GrantedArgument { name, rule, field } = argument;
    let (rule, value) = match rule {
        GrantRule::Exactly(value) => ("exactly", Some(value)),
        GrantRule::LeftOut => ("left_out", None),
        GrantRule::Any => ("any", None),
    };
    GrantedArgument { name, rule: rule.to_owned(), value, field: line(field) }
}
