//! Every state that a gated run can reach, and every move out of each, looked at one by one.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::{
    tests::{Move, apply, ended, parked},
    *,
};

/// A record, and what really happened on the way to it, told by the moves and not by the record.
#[derive(Clone)]
struct Seen {
    record: Record,
    /// A person said yes in time to what the approval covers now.
    agreed: bool,
    refused: bool,
    starts: u32,
}

/// Before the end of the approval and after it: a clock that is set back is both, in any order.
const MOMENTS: [i64; 2] = [50, 150];

/// What is counted without an end is followed this far.
const ROUNDS: u32 = 3;
const STEPS: usize = 2;

fn moves(record: &Record) -> Vec<Move> {
    let round = record.gate.as_ref().unwrap().round;
    let mut moves = vec![Move::Start, Move::AboutToSend, Move::Finish, Move::Fail, Move::Doubt];
    for second in MOMENTS {
        moves.extend([true, false].map(|approved| Move::Decide { approved, second }));
        moves.push(Move::Expire { second });
    }
    if round < ROUNDS {
        moves.push(Move::Reopen { digest: u8::try_from(round).unwrap() + 10 });
    }
    match &record.phase {
        Phase::Running { finished, .. } if finished.len() >= STEPS => {}
        _ => moves.push(Move::Enter),
    }
    moves
}

/// What the move means in the world, and the promises that it must keep.
fn follow(before: &Seen, step: &Move, record: Record) -> Seen {
    let mut after = Seen { record, ..before.clone() };
    let (old, new) = (before.record.gate.as_ref().unwrap(), after.record.gate.as_ref().unwrap());
    assert!(!ended(&before.record), "an end is an end: {step:?}");
    assert_eq!(after.record.version, before.record.version + 1, "{step:?}");
    assert_eq!(new.expires_at, old.expires_at, "no move gives more time: {step:?}");
    match step {
        Move::Decide { approved, second } => {
            assert!(*second < 100, "nobody decides after the end");
            assert!(!before.agreed && !before.refused, "a decision is made once for what is shown");
            after.agreed = *approved;
            after.refused = !approved;
        }
        Move::Reopen { .. } => {
            assert_eq!(before.starts, 0, "what began is not asked about again");
            assert_eq!((new.round, new.decision.is_none()), (old.round + 1, true));
            after.agreed = false;
        }
        Move::Start => {
            assert!(before.agreed && !before.refused, "nothing starts without a person");
            after.starts += 1;
        }
        Move::Expire { second } => assert!(*second >= 100 && before.starts == 0),
        Move::Enter | Move::AboutToSend | Move::Finish | Move::Doubt => {
            assert_eq!(before.starts, 1, "only what runs goes on: {step:?}");
        }
        Move::Fail => assert!(before.agreed),
    }
    if !matches!(step, Move::Reopen { .. }) {
        assert_eq!(new.digest, old.digest, "what is covered changes only when asked again");
    }
    let running =
        matches!(after.record.state(), RunState::Running | RunState::Done | RunState::Ambiguous);
    assert!(after.starts <= 1, "an approval is used once");
    assert!(!running || after.starts == 1, "{step:?}");
    let never = matches!(after.record.state(), RunState::Denied | RunState::Expired);
    assert!(!never || after.starts == 0, "{step:?}");
    after
}

#[test]
fn every_reachable_state_and_every_move_out_of_it_keeps_the_promises() {
    let start = Seen { record: parked(), agreed: false, refused: false, starts: 0 };
    let mut waiting = VecDeque::from([start]);
    let mut known = HashSet::new();
    let mut states = BTreeSet::new();
    let mut moved = 0;
    while let Some(seen) = waiting.pop_front() {
        let text = Record { version: 0, ..seen.record.clone() }.to_text().unwrap();
        if !known.insert((text, seen.agreed, seen.refused, seen.starts)) {
            continue;
        }
        states.insert(seen.record.state());
        for step in moves(&seen.record) {
            if let Ok(next) = apply(seen.record.clone(), &step) {
                moved += 1;
                waiting.push_back(follow(&seen, &step, next));
            }
        }
    }
    // Waiting for the vault is what an approved run looks like meanwhile, not a state of its own.
    let all = RunState::ALL.iter().copied().filter(|state| *state != RunState::AwaitingVault);
    assert_eq!(states, all.collect());
    assert!(known.len() > 50 && moved > known.len(), "{} {moved}", known.len());
}
