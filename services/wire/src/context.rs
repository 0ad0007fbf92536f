//! Who asks, as a field of each request.

use aileron_contract::{Context, Principal, Result, Scope, Scopes};
use aileron_proto::common::v1 as pb;
use pb::principal::Who;

use crate::values::{parsed, parsed_if, required, text_if, timestamp_if, timestamp_to_wire};

// The field of a request is optional by nature of the format.
#[expect(clippy::unnecessary_wraps, reason = "each request carries it as an optional message")]
pub(crate) fn context_to_wire(context: &Context) -> Option<pb::Context> {
    let Context { principal, scopes, session, idempotency_key, deadline } = context;
    Some(pb::Context {
        principal: Some(principal_to_wire(principal.clone())),
        scopes: scopes_to_wire(scopes),
        session: text_if(session.as_ref()),
        idempotency_key: idempotency_key.as_ref().map(|key| key.as_str().to_owned()),
        deadline: deadline.map(timestamp_to_wire),
    })
}

pub(crate) fn context_from_wire(context: Option<pb::Context>) -> Result<Context> {
    let pb::Context { principal, scopes, session, idempotency_key, deadline } =
        required(context, "context")?;
    Ok(Context {
        principal: principal_from_wire(principal)?,
        scopes: scopes_from_wire(scopes)?,
        session: parsed_if(session)?,
        idempotency_key: parsed_if(idempotency_key)?,
        deadline: timestamp_if(deadline, "context.deadline")?,
    })
}

pub(crate) fn principal_to_wire(principal: Principal) -> pb::Principal {
    let who = match principal {
        Principal::Person(id) => Who::Person(id.into()),
        Principal::Program(id) => Who::Program(id.into()),
        Principal::Agent(id) => Who::Agent(id.into()),
        Principal::Service(id) => Who::Service(id.into()),
    };
    pb::Principal { who: Some(who) }
}

pub(crate) fn principal_from_wire(principal: Option<pb::Principal>) -> Result<Principal> {
    let pb::Principal { who } = required(principal, "principal")?;
    Ok(match required(who, "principal.who")? {
        Who::Person(id) => Principal::Person(id.into()),
        Who::Program(id) => Principal::Program(id.into()),
        Who::Agent(id) => Principal::Agent(id.into()),
        Who::Service(id) => Principal::Service(id.into()),
    })
}

pub(crate) fn scopes_to_wire(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.text().to_owned()).collect()
}

pub(crate) fn scopes_from_wire(scopes: Vec<String>) -> Result<Scopes> {
    scopes.into_iter().map(parsed::<Scope>).collect()
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
            scopes in subsequence(Scope::ALL, 0..=Scope::ALL.len()),
            session in option::of("[A-Za-z0-9][A-Za-z0-9_-]{0,60}"),
            key in option::of("[!-~]{1,128}"),
            deadline in option::of((-377_705_023_200_i64..=253_402_207_199, 0..1_000_000_000_i32)),
        ) -> Context {
            Context {
                principal,
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
            prop_assert_eq!(context_from_wire(context_to_wire(&context)).unwrap(), context);
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
            assert_eq!(
                context_from_wire(case.clone()).unwrap_err().kind(),
                Kind::Invalid,
                "{case:?}"
            );
        }
    }
}
