//! Who asks, as a field of each request.

use aileron_contract::{Context, Principal, Result, Scope, Scopes};
use aileron_proto::common::v1 as pb;
use pb::principal::Who;

use crate::message::{Wire, messages, must_be_there, read, required};

messages! {
    Context => pb::Context { principal, begun_by, scopes, session, idempotency_key, deadline }
}

/// The field of a request: callers keep their context.
pub(crate) fn context_to_wire(context: &Context) -> Option<pb::Context> {
    context.clone().into_wire()
}

impl Wire<pb::Principal> for Principal {
    fn into_wire(self) -> pb::Principal {
        let who = match self {
            Self::Person(id) => Who::Person(id.into()),
            Self::Program(id) => Who::Program(id.into()),
            Self::Agent(id) => Who::Agent(id.into()),
            Self::Service(id) => Who::Service(id.into()),
        };
        pb::Principal { who: Some(who) }
    }

    fn from_wire(principal: pb::Principal, _field: &'static str) -> Result<Self> {
        let pb::Principal { who } = principal;
        Ok(match required(who, "principal.who")? {
            Who::Person(id) => Self::Person(id.into()),
            Who::Program(id) => Self::Program(id.into()),
            Who::Agent(id) => Self::Agent(id.into()),
            Who::Service(id) => Self::Service(id.into()),
        })
    }
}

must_be_there!(Principal => pb::Principal);

impl Wire<Vec<String>> for Scopes {
    fn into_wire(self) -> Vec<String> {
        self.iter().map(Scope::into_wire).collect()
    }

    fn from_wire(scopes: Vec<String>, field: &'static str) -> Result<Self> {
        read::<Vec<Scope>, _>(scopes, field).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use aileron_contract::{Kind, Timestamp};
    use proptest::{option, prelude::*, sample::subsequence};

    use super::*;

    fn principal() -> impl Strategy<Value = Principal> {
        (0..4_u8, ".{0,40}").prop_map(|(kind, id)| match kind {
            0 => Principal::Person(id.into()),
            1 => Principal::Program(id.into()),
            2 => Principal::Agent(id.into()),
            _ => Principal::Service(id.into()),
        })
    }

    prop_compose! {
        fn context()(
            principal in principal(),
            begun_by in option::of(principal()),
            scopes in subsequence(Scope::ALL, 0..=Scope::ALL.len()),
            session in option::of("[A-Za-z0-9][A-Za-z0-9_-]{0,60}"),
            key in option::of("[!-~]{1,128}"),
            deadline in option::of((-377_705_023_200_i64..=253_402_207_199, 0..1_000_000_000_i32)),
        ) -> Context {
            Context {
                principal,
                begun_by,
                scopes: scopes.into_iter().collect(),
                session: session.map(|raw| raw.parse().unwrap()),
                idempotency_key: key.map(|raw| raw.parse().unwrap()),
                deadline: deadline.map(|(second, nano)| Timestamp::new(second, nano).unwrap()),
            }
        }
    }

    proptest! {
        #[test]
        fn every_context_survives(context in context()) {
            prop_assert_eq!(Context::from_wire(context_to_wire(&context), "context").unwrap(), context);
        }
    }

    #[test]
    fn what_is_absent_or_unknown_is_refused() {
        let whole = context_to_wire(&Context::service("test")).unwrap();
        let cases = [
            None,
            Some(pb::Context::default()),
            Some(pb::Context { principal: Some(pb::Principal { who: None }), ..whole.clone() }),
            Some(pb::Context { scopes: vec!["root".to_owned()], ..whole.clone() }),
            Some(pb::Context { session: Some("../x".to_owned()), ..whole.clone() }),
            Some(pb::Context { idempotency_key: Some(String::new()), ..whole }),
        ];
        for case in cases {
            let refused = Context::from_wire(case.clone(), "context").unwrap_err();
            assert_eq!(refused.kind(), Kind::Invalid, "{case:?}");
        }
    }
}
