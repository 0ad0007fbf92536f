//! Every state that a grant can come to, with crashes between the log and the table, with a clock
//! that is set back, and with somebody who puts older rows back, looked at one by one.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::*;

const USES: u32 = 2;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn issued() -> GrantRecord {
    GrantRecord {
        id: "grant-20260101T000000-0000000000000001".parse().unwrap(),
        version: 0,
        terms: Terms {
            action: "notes-create".parse().unwrap(),
            action_version: "1.0.0".parse().unwrap(),
            action_hash: Sha256Hash::new([1; 32]),
            connectors: vec![TermsConnector {
                package: "github://a/notes@1.0.0".parse().unwrap(),
                hash: Sha256Hash::new([2; 32]),
                operations: vec!["create".to_owned()],
            }],
            bindings: vec![TermsBinding {
                connector: "github://a/notes".parse().unwrap(),
                binding: "api_key/notes/me".parse().unwrap(),
                hosts: vec!["notes.example:443".parse().unwrap()],
                agreed_at: at(-5),
            }],
            identity: Some("me".parse().unwrap()),
            caller: GrantCaller::Session("s1".parse().unwrap()),
            arguments: vec![
                TermsArgument {
                    name: "title".to_owned(),
                    label: Some("Title".to_owned()),
                    rule: GrantRule::Exactly(serde_json::json!({"a": [1.5, "x"]})),
                },
                TermsArgument { name: "cc".to_owned(), label: None, rule: GrantRule::LeftOut },
                TermsArgument { name: "body".to_owned(), label: None, rule: GrantRule::Any },
            ],
            max_uses: USES,
            expires_at: at(100),
        },
        created_at: at(0),
        created_by: Principal::Person("p".into()),
        used: 0,
        last_used_at: None,
        phase: GrantPhase::Live,
    }
}

#[derive(Clone)]
struct World {
    row: GrantRecord,
    uses_logged: BTreeSet<u32>,
    end_logged: Option<(GrantEnd, Timestamp)>,
    runs: BTreeSet<u32>,
}

/// Rows that there ever were on any way through this model, by their texts: all of them carry a
/// true pin. Whoever puts rows back has more to choose from here than in any one life.
type Rows = BTreeSet<String>;

#[derive(Clone, Copy, Debug)]
enum Move {
    /// A call that the grant covers; the process may die between the log and the table.
    Call { second: i64, dies: bool },
    /// The grant comes to an end for this reason.
    End { end: GrantEnd, second: i64, dies: bool },
    /// A look that is not followed by a use.
    Look { second: i64, dies: bool },
}

/// Before the grant was made, in its time, and after its end.
const MOMENTS: [i64; 4] = [-10, 40, 60, 150];

fn moves() -> Vec<Move> {
    let mut moves = Vec::new();
    for dies in [false, true] {
        for second in MOMENTS {
            moves.push(Move::Call { second, dies });
            moves.push(Move::Look { second, dies });
        }
        for end in [GrantEnd::Revoked, GrantEnd::Void(GrantVoid::BindingChanged)] {
            moves.push(Move::End { end, second: 60, dies });
        }
    }
    moves
}

impl World {
    fn told(&self) -> Told {
        let used = self.uses_logged.last().copied().unwrap_or_default();
        Told { used, ended: self.end_logged }
    }

    fn write(&mut self, next: Result<GrantRecord, GrantRefusal>, dies: bool) {
        let next = next.expect("what the log was told is a move of the record");
        assert_eq!(next.version, self.row.version + 1);
        assert_eq!(next.terms, self.row.terms, "what was agreed to never changes");
        if !dies {
            self.row = next;
        }
    }

    fn end(&mut self, end: GrantEnd, second: i64, dies: bool) {
        if self.row.state() != GrantState::Live {
            return;
        }
        let (end, moment) = *self.end_logged.get_or_insert((end, at(second)));
        self.write(self.row.clone().end(end, moment), dies);
    }

    /// What the engine does, with the log and the table of this world.
    fn follow(&mut self, step: Move) {
        let (second, dies, uses) = match step {
            Move::End { end, second, dies } => return self.end(end, second, dies),
            Move::Call { second, dies } => (second, dies, true),
            Move::Look { second, dies } => (second, dies, false),
        };
        match self.row.standing(self.told(), at(second)) {
            Standing::Use(number) if uses => {
                assert!(self.end_logged.is_none(), "nothing runs on a grant that is over");
                assert!((0..100).contains(&second), "nor outside of its time");
                assert!(self.uses_logged.insert(number), "no number is used twice");
                self.write(self.row.clone().take(number, at(second)), dies);
                if !dies {
                    assert!(self.runs.insert(number));
                }
            }
            Standing::Use(_) | Standing::Early | Standing::Ended => {}
            Standing::UsedUp => self.write(self.row.clone().exhaust(at(second)), dies),
            Standing::Over(end, moment) => self.write(self.row.clone().end(end, moment), dies),
            Standing::Expired => self.end(GrantEnd::Expired, second, dies),
        }
    }
}

/// Looks at every world that can be reached while these rows may be put back. Gives the rows that
/// were written on the way, how many worlds there are, and the most runs of one.
fn explore(rows: &Rows) -> (Rows, usize, usize) {
    let start = World {
        row: issued(),
        uses_logged: BTreeSet::new(),
        end_logged: None,
        runs: BTreeSet::new(),
    };
    let (mut waiting, mut known) = (VecDeque::from([start]), HashSet::new());
    let (mut written, mut most) = (rows.clone(), 0);
    while let Some(world) = waiting.pop_front() {
        let text = world.row.to_text().unwrap();
        let ended = world.end_logged.map(|(end, at)| (format!("{end:?}"), at));
        let seen = (text.clone(), world.uses_logged.clone(), ended, world.runs.clone());
        if !known.insert(seen) {
            continue;
        }
        assert!(world.runs.len() <= 2, "{:?}", world.runs);
        assert!(world.runs.is_subset(&world.uses_logged), "every run was logged first");
        most = most.max(world.runs.len());
        for step in moves() {
            let mut next = world.clone();
            next.follow(step);
            waiting.push_back(next);
        }
        for row in rows {
            let row = GrantRecord::from_text(row).unwrap();
            waiting.push_back(World { row, ..world.clone() });
        }
        written.insert(text);
    }
    (written, known.len(), most)
}

#[test]
fn whatever_crashes_and_whatever_is_put_back_no_grant_is_used_more_often_than_it_says() {
    let mut rows = Rows::new();
    let (worlds, most) = loop {
        let (written, worlds, most) = explore(&rows);
        if written == rows {
            break (worlds, most);
        }
        rows = written;
    };
    let states: BTreeSet<_> =
        rows.iter().map(|row| GrantRecord::from_text(row).unwrap().state()).collect();
    assert_eq!(states, GrantState::ALL.iter().copied().collect());
    assert_eq!(most, 2, "the grant can be used at all");
    assert!(worlds > 500 && rows.len() > 10, "{worlds} {}", rows.len());
}

#[test]
fn a_record_with_a_surplus_field_is_not_read() {
    let text = issued().to_text().unwrap().replacen('{', "{\"extra\":1,", 1);
    assert!(GrantRecord::from_text(&text).is_err());
}
