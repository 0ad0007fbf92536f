use aileron_contract::{
    Context, Scope,
    executor::Field,
    failure::{Boundary, Class},
};
use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(super) fn parked() -> Record {
    Record {
        id: "act-20260101T000000-0000000000000001".parse().unwrap(),
        version: 0,
        action: "notes-create".parse().unwrap(),
        action_hash: Sha256Hash::new([1; 32]),
        connector: Some("github://a/notes".parse().unwrap()),
        arguments: serde_json::json!({"title": "x", "n": 0.1}).as_object().unwrap().clone(),
        identity: None,
        begun_by: None,
        principal: Principal::Agent("claude".into()),
        session: Some("s1".parse().unwrap()),
        requested_at: at(0),
        gate: Some(Gate {
            digest: Sha256Hash::new([2; 32]),
            credentials: Sha256Hash::new([3; 32]),
            expires_at: at(100),
            decision: None,
            preview: None,
            round: 0,
            before: None,
        }),
        repetition: None,
        trace: None,
        grant: None,
        phase: Phase::Parked,
    }
}

fn result() -> RunResult {
    RunResult {
        run: parked().id,
        audit_id: "audit-1".parse().unwrap(),
        output: "{}".to_owned(),
        connector: "github://a/notes@1.0.0".parse().unwrap(),
        connector_hash: Sha256Hash::new([4; 32]),
        binding: Some("api_key/notes/me".parse().unwrap()),
        consent: ConsentDecision::Approved,
    }
}

fn failure() -> Failure {
    Failure::new(Class::NetworkError, Boundary::External, "no").detail("k", 1).retriable(true)
}

#[derive(Clone, Debug)]
pub(super) enum Move {
    Decide { approved: bool, second: i64 },
    Expire { second: i64 },
    Reopen { digest: u8 },
    Start,
    Enter,
    AboutToSend,
    Finish,
    Fail,
    Doubt,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        (any::<bool>(), 0..200_i64)
            .prop_map(|(approved, second)| Move::Decide { approved, second }),
        (0..200_i64).prop_map(|second| Move::Expire { second }),
        any::<u8>().prop_map(|digest| Move::Reopen { digest }),
        Just(Move::Start),
        Just(Move::Enter),
        Just(Move::AboutToSend),
        Just(Move::Finish),
        Just(Move::Fail),
        Just(Move::Doubt),
    ]
}

pub(super) fn apply(record: Record, step: &Move) -> Result<Record, Refusal> {
    match *step {
        Move::Decide { approved, second } => record.decide(Verdict {
            approved,
            by: Principal::Person("p".into()),
            at: at(second),
            reason: Some("because".to_owned()),
        }),
        Move::Expire { second } => record.expire(at(second)),
        Move::Reopen { digest } => record.reopen(Sha256Hash::new([digest; 32]), shown()),
        Move::Start => record.start("one"),
        Move::Enter => record.enter("two"),
        Move::AboutToSend => record.about_to_send(),
        Move::Finish => record.finish(result(), at(50)),
        Move::Fail => record.fail(failure(), at(50)),
        Move::Doubt => record.doubt(failure(), at(50)),
    }
}

fn shown() -> Shown {
    let line = Field {
        label: "To".to_owned(),
        value: Some("Ann".to_owned()),
        missing: false,
        multiline: true,
    };
    Shown { salt: "s".to_owned(), preview: Preview::Fields(vec![line]) }
}

pub(super) fn ended(record: &Record) -> bool {
    matches!(
        record.state(),
        RunState::Done
            | RunState::Failed
            | RunState::Ambiguous
            | RunState::Denied
            | RunState::Expired
    )
}

proptest! {
    #[test]
    fn no_path_runs_twice_and_no_decision_changes(
        path in proptest::collection::vec(moves(), 0..40)
    ) {
        let mut record = parked();
        let mut starts = 0;
        let mut approved_in_time = false;
        for step in &path {
            let before = record.clone();
            let Ok(next) = apply(record.clone(), step) else { continue };
            prop_assert!(!ended(&before), "an end is an end: {before:?} {step:?}");
            prop_assert_eq!(next.version, before.version + 1);
            let after = next.gate.as_ref().unwrap().decision.as_ref();
            match (step, before.gate.as_ref().and_then(|gate| gate.decision.as_ref())) {
                (Move::Reopen { .. }, _) => prop_assert_eq!(after, None),
                (_, Some(decision)) => prop_assert_eq!(Some(decision), after),
                (_, None) => {}
            }
            match *step {
                Move::Decide { approved, second } => approved_in_time |= approved && second < 100,
                // What was approved is not what would run now.
                Move::Reopen { .. } => approved_in_time = false,
                _ => {}
            }
            if matches!(step, Move::Start) {
                starts += 1;
                prop_assert!(approved_in_time, "nothing starts without a person");
            }
            record = next;
        }
        prop_assert!(starts <= 1);
        if matches!(record.state(), RunState::Running | RunState::Done | RunState::Ambiguous) {
            prop_assert_eq!(starts, 1);
        }
    }

    #[test]
    fn every_record_reads_back_as_itself(path in proptest::collection::vec(moves(), 0..12)) {
        let mut record = parked();
        for step in &path {
            record = apply(record.clone(), step).unwrap_or(record);
        }
        let text = record.to_text().unwrap();
        let back = Record::from_text(&text).unwrap();
        prop_assert_eq!(&back, &record);
        prop_assert_eq!(back.to_text().unwrap(), text);
    }
}

#[test]
fn an_approval_is_decided_before_its_end_and_expires_at_it() {
    let decide = |second| apply(parked(), &Move::Decide { approved: true, second });
    assert_eq!(decide(99).unwrap().state(), RunState::Approved);
    assert_eq!(decide(100).unwrap_err(), Refusal::Expired);
    assert_eq!(parked().expire(at(99)).unwrap_err(), Refusal::OutOfTurn);
    assert_eq!(parked().expire(at(100)).unwrap().state(), RunState::Expired);
}

#[test]
fn an_agent_sees_only_its_own_session() {
    let agent = |id: &str, session: Option<&str>| Context {
        principal: Principal::Agent(id.into()),
        session: session.map(|session| session.parse().unwrap()),
        ..Context::service("test")
    };
    assert!(parked().visible_to(&agent("claude", Some("s1"))));
    assert!(!parked().visible_to(&agent("claude", Some("s2"))));
    assert!(!parked().visible_to(&agent("claude", None)));
    assert!(!parked().visible_to(&agent("codex", Some("s1"))));
    assert!(parked().visible_to(&Context::service("gateway")));
}

#[test]
fn a_token_that_may_not_read_runs_sees_only_its_own_calls() {
    let program = |id: &str, scopes: &[Scope]| Context {
        principal: Principal::Program(id.into()),
        scopes: scopes.iter().copied().collect(),
        ..Context::service("test")
    };
    let (poll, read) = (Scope::ApprovalsPoll, Scope::RunsRead);
    let own = Record { principal: Principal::Program("tok-1".into()), ..parked() };
    assert!(own.visible_to(&program("tok-1", &[poll])));
    assert!(!own.visible_to(&program("tok-2", &[poll])));
    assert!(own.visible_to(&program("tok-2", &[poll, read])));
    assert!(!parked().visible_to(&program("claude", &[poll])), "a program of an agent's name");
}

#[test]
fn a_record_with_a_surplus_field_is_not_read() {
    let text = parked().to_text().unwrap().replacen('{', "{\"extra\":1,", 1);
    assert!(Record::from_text(&text).is_err());
}

#[test]
fn an_identity_is_kept_and_a_call_without_one_is_written_as_it_always_was() {
    let text = parked().to_text().unwrap();
    assert!(!text.contains("identity"), "{text}");
    let named = Record { identity: Some("work".parse().unwrap()), ..parked() };
    let back = Record::from_text(&named.to_text().unwrap()).unwrap();
    assert_eq!(back, named);
    let odd = named.to_text().unwrap().replace("\"work\"", "\"a/b\"");
    assert!(Record::from_text(&odd).is_err());
}
