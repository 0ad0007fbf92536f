//! Refusals that anybody can cause at will: the first ones are told to the log one by one, what
//! comes beyond them is counted, and the count is told when its window is over or the runtime stops:
//! only a kill loses a window's count. Nobody fills the log.

mod refusals;

use std::collections::BTreeMap;

pub use refusals::{Counting, Refusals};

use crate::{
    Context, Principal, Timestamp,
    audit::{Actor, Event, EventKind},
    limits,
};

/// What was refused of late, for each kind of refusal and each caller.
#[derive(Debug, Default)]
pub struct Tally {
    windows: BTreeMap<Key, Window>,
}

/// What becomes of one refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It has an event of its own.
    ByItself,
    /// It is counted. The first one that is should have [`Tally::over`] asked after
    /// [`limits::REFUSALS_WALL`].
    Counted { first: bool },
}

/// Refusals that were counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    kind: EventKind,
    /// None where there were too many callers to tell apart.
    caller: Option<Principal>,
    since: Timestamp,
    number: u64,
}

/// Without a caller: all those that came when there were too many to tell apart.
type Key = (EventKind, Option<Principal>);

#[derive(Debug)]
struct Window {
    since: Timestamp,
    told: u32,
    counted: u64,
}

impl Tally {
    /// One more refusal of this kind, and of this caller.
    pub fn another(&mut self, kind: EventKind, caller: &Principal, now: Timestamp) -> Told {
        self.windows.retain(|_, window| window.counted > 0 || !window.is_over(now));
        let mut key = (kind, Some(caller.clone()));
        if self.windows.len() >= limits::REFUSALS_CALLERS && !self.windows.contains_key(&key) {
            key.1 = None;
        }
        let fresh = Window { since: now, told: 0, counted: 0 };
        let window = self.windows.entry(key).or_insert(fresh);
        if window.counted == 0 && window.told < limits::REFUSALS_TOLD {
            window.told = window.told.saturating_add(1);
            return Told::ByItself;
        }
        window.counted = window.counted.saturating_add(1);
        Told::Counted { first: window.counted == 1 }
    }

    /// What was counted in times that are over: taken out, to be told.
    pub fn over(&mut self, now: Timestamp) -> Vec<Counted> {
        self.take(|window| window.is_over(now))
    }

    /// All that was counted: when the runtime stops.
    pub fn all(&mut self) -> Vec<Counted> {
        self.take(|_| true)
    }

    fn take(&mut self, which: impl Fn(&Window) -> bool) -> Vec<Counted> {
        let taken = self.windows.extract_if(.., |_, window| which(window));
        let counted = taken.filter(|(_, window)| window.counted > 0);
        counted
            .map(|((kind, caller), Window { since, counted, told: _ })| Counted {
                kind,
                caller,
                since,
                number: counted,
            })
            .collect()
    }
}

impl Window {
    /// A clock that was set back ends it as well: it must not last for ever.
    fn is_over(&self, now: Timestamp) -> bool {
        let passed = std::time::Duration::try_from(now.duration_since(self.since));
        passed.map_or(true, |passed| passed >= limits::REFUSALS_WALL)
    }
}

impl Counted {
    /// As the log has it: the kind of the refusals, with their number.
    pub fn event(self) -> Event {
        let Self { kind, caller, since, number } = self;
        let context = Context {
            principal: caller.unwrap_or_else(|| Principal::Service("several".into())),
            ..Context::service("tally")
        };
        Event::new(kind, Actor::of(&context))
            .with("aileron.refusals.more", number)
            .with("aileron.refusals.since", since.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: EventKind = EventKind::ApprovalRefused;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn program(id: usize) -> Principal {
        Principal::Program(id.to_string().into())
    }

    fn wall() -> i64 {
        i64::try_from(limits::REFUSALS_WALL.as_secs()).unwrap()
    }

    #[test]
    fn the_first_refusals_are_told_and_the_others_counted_until_the_time_is_over() {
        let mut tally = Tally::default();
        for _ in 0..limits::REFUSALS_TOLD {
            assert_eq!(tally.another(KIND, &program(1), at(0)), Told::ByItself);
        }
        assert_eq!(tally.another(KIND, &program(1), at(1)), Told::Counted { first: true });
        assert_eq!(tally.another(KIND, &program(1), at(2)), Told::Counted { first: false });
        // Another caller, and another kind, have a count of their own.
        assert_eq!(tally.another(KIND, &program(2), at(2)), Told::ByItself);
        let other = EventKind::PersonSessionRefused;
        assert_eq!(tally.another(other, &program(1), at(2)), Told::ByItself);
        assert_eq!(tally.over(at(wall() - 1)), []);
        let counted = tally.over(at(wall()));
        let event = counted[0].clone().event();
        assert_eq!((counted.len(), event.kind), (1, KIND));
        assert_eq!(event.payload["aileron.refusals.more"], 2);
        assert_eq!(event.actor.id, "1");
        assert_eq!(tally.another(KIND, &program(1), at(wall())), Told::ByItself);
    }

    #[test]
    fn a_clock_that_is_set_back_ends_the_count() {
        let mut tally = Tally::default();
        for _ in 0..=limits::REFUSALS_TOLD {
            tally.another(KIND, &program(1), at(0));
        }
        assert_eq!(tally.over(at(-1)).len(), 1);
    }

    proptest! {
        /// Whatever comes in which order: each refusal is told or counted, once; few are told in
        /// any stretch of time; and what is remembered is bounded.
        #[test]
        fn nothing_is_lost_and_nothing_grows(
            steps in prop::collection::vec((0..2_000_usize, 0..200_i64), 1..2_000),
        ) {
            let (mut tally, mut now) = (Tally::default(), 0);
            let (mut told, mut counted) = (0, 0);
            let number = |all: Vec<Counted>| all.iter().map(|some| some.number).sum::<u64>();
            for (caller, passed) in &steps {
                now += passed;
                if tally.another(KIND, &program(*caller), at(now)) == Told::ByItself {
                    told += 1;
                }
                prop_assert!(tally.windows.len() <= limits::REFUSALS_CALLERS + 1);
                counted += number(tally.over(at(now)));
            }
            counted += number(tally.all());
            prop_assert_eq!(told + counted, u64::try_from(steps.len()).unwrap());
        }
    }
}
