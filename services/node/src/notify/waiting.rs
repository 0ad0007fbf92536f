//! What waits, and what of it the person was told. A value: time is an argument.

use std::{collections::BTreeMap, time::Duration};

use aileron_contract::{
    Timestamp,
    executor::Approval,
    names::{ActionName, RunId, SessionId, Sha256Hash},
};

/// Between two notifications at least: what comes meanwhile is told in one.
const PACE: Duration = Duration::from_secs(5);

/// How often it is looked whether the quiet hours are over.
const LOOK: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Waiting {
    calls: BTreeMap<RunId, Known>,
    last: Option<Timestamp>,
}

#[derive(Debug)]
struct Known {
    call: Call,
    digest: Sha256Hash,
    told: bool,
}

/// What a notification may say of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: RunId,
    pub(super) action: ActionName,
    /// Whose token asked; not one that was merely named.
    pub(super) session: Option<SessionId>,
    /// The person agreed before, and what was shown changed.
    pub(super) again: bool,
}

/// One notification.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    One(Call),
    /// That many are new.
    Several(usize),
}

impl Waiting {
    /// These wait, and no others.
    pub(super) fn replace(&mut self, all: Vec<Approval>) {
        let mut before = std::mem::take(&mut self.calls);
        for approval in all {
            if let Some(known) = before.remove(&approval.id) {
                self.calls.insert(approval.id.clone(), known);
            }
            self.add(approval);
        }
    }

    /// One more waits, or the same one waits again for something else.
    pub(super) fn add(&mut self, approval: Approval) {
        let Approval { id, action, session, session_named, digest, asked_before, .. } = approval;
        if self.calls.get(&id).is_some_and(|known| known.digest == digest) {
            return;
        }
        let session = session.filter(|_| !session_named);
        let call = Call { id: id.clone(), action, session, again: asked_before.is_some() };
        self.calls.insert(id, Known { call, digest, told: false });
    }

    /// One no longer waits.
    pub(super) fn remove(&mut self, id: &RunId) {
        self.calls.remove(id);
    }

    /// In how long to look again; none when there is nothing to tell.
    pub(super) fn due(&self, now: Timestamp, quiet: bool) -> Option<Duration> {
        self.untold().next()?;
        if quiet {
            return Some(LOOK);
        }
        let since = self.last.map(|last| now.duration_since(last).unsigned_abs());
        Some(since.map_or(Duration::ZERO, |since| PACE.saturating_sub(since)))
    }

    /// What to tell now; all of it counts as told, whether or not it could be shown.
    pub(super) fn tell(&mut self, now: Timestamp) -> Option<Told> {
        if self.due(now, false)? > Duration::ZERO {
            return None;
        }
        let told = match self.untold().count() {
            1 => Told::One(self.untold().next()?.clone()),
            count => Told::Several(count),
        };
        for known in self.calls.values_mut() {
            known.told = true;
        }
        self.last = Some(now);
        Some(told)
    }

    fn untold(&self) -> impl Iterator<Item = &Call> {
        self.calls.values().filter(|known| !known.told).map(|known| &known.call)
    }
}

#[cfg(test)]
mod tests {
    use aileron_contract::executor::ApprovalKind;
    use proptest::prelude::*;

    use super::*;

    fn waits(id: u8, digest: u8) -> Approval {
        Approval {
            id: format!("act-{id}").parse().unwrap(),
            kind: ApprovalKind::Action,
            action: "notes-create".parse().unwrap(),
            connector: None,
            arguments: serde_json::Map::new(),
            identity: None,
            session: None,
            session_named: false,
            requested_at: at(0),
            expires_at: at(0),
            preview: None,
            input_fields: Vec::new(),
            digest: Sha256Hash::new([digest; 32]),
            asked_before: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn one(told: Option<Told>) -> String {
        match told {
            Some(Told::One(call)) => call.id.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_is_told_at_once_and_a_flood_in_one() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.due(at(0), false), None);
        waiting.add(waits(1, 1));
        assert_eq!(waiting.due(at(0), false), Some(Duration::ZERO));
        assert_eq!(one(waiting.tell(at(0))), "act-1");
        for id in 2..200 {
            waiting.add(waits(id, 1));
        }
        assert_eq!(waiting.tell(at(1)), None);
        assert_eq!(waiting.due(at(1), false), Some(Duration::from_secs(4)));
        assert_eq!(waiting.tell(at(5)), Some(Told::Several(198)));
        assert_eq!(waiting.due(at(60), false), None);
    }

    #[test]
    fn what_waits_again_for_something_else_is_told_again_and_a_new_list_of_the_same_is_not() {
        let mut waiting = Waiting::default();
        waiting.replace(vec![waits(1, 1)]);
        waiting.tell(at(0)).unwrap();
        waiting.replace(vec![waits(1, 1)]);
        waiting.add(waits(1, 1));
        assert_eq!(waiting.due(at(10), false), None);
        waiting.add(waits(1, 2));
        assert_eq!(one(waiting.tell(at(10))), "act-1");
    }

    #[test]
    fn quiet_hours_keep_it_until_they_are_over_and_what_was_decided_meanwhile_is_not_told() {
        let mut waiting = Waiting::default();
        waiting.add(waits(1, 1));
        waiting.add(waits(2, 1));
        assert_eq!(waiting.due(at(0), true), Some(LOOK));
        waiting.remove(&"act-1".parse().unwrap());
        assert_eq!(one(waiting.tell(at(0))), "act-2");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_the_desktop() {
        let mut waiting = Waiting::default();
        waiting.add(waits(1, 1));
        waiting.tell(at(1_000_000)).unwrap();
        waiting.add(waits(2, 1));
        assert_eq!(one(waiting.tell(at(0))), "act-2");
    }

    proptest! {
        #[test]
        fn nothing_is_told_twice_faster_than_the_pace_or_after_it_was_decided(
            steps in prop::collection::vec((0..4_u8, 0..4_u8, 0..8_i64), 0..60),
        ) {
            let mut waiting = Waiting::default();
            let (mut now, mut last, mut there) = (0, None, std::collections::BTreeSet::new());
            let mut told = std::collections::BTreeSet::new();
            for (what, id, later) in steps {
                now += later;
                match what {
                    0 | 1 => {
                        waiting.add(waits(id, 1));
                        there.insert(id);
                    }
                    2 => {
                        waiting.remove(&format!("act-{id}").parse().unwrap());
                        there.remove(&id);
                        told.remove(&id);
                    }
                    _ => {
                        let new: Vec<_> = there.difference(&told).copied().collect();
                        match waiting.tell(at(now)) {
                            Some(Told::One(call)) => {
                                prop_assert_eq!(new, vec![call.id.as_str()[4..].parse::<u8>().unwrap()]);
                            }
                            Some(Told::Several(count)) => prop_assert_eq!(new.len(), count),
                            None => {
                                let early = last.is_some_and(|last| now - last < 5);
                                prop_assert!(new.is_empty() || early);
                                continue;
                            }
                        }
                        prop_assert!(last.is_none_or(|last| now - last >= 5));
                        last = Some(now);
                        told.clone_from(&there);
                    }
                }
            }
        }
    }
}
