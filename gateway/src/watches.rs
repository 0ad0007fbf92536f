//! Room for streams that wait for news. Persons, programs and agents have room of their own, so
//! that none of them can take what another one needs to see what happens; nor can one program or
//! agent take all the room of its kind.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{Context, Error, Principal, Reason, Result, limits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The part of a room that one caller leaves to the others of its kind: an eighth.
const LEFT: usize = 8;

/// The streams of one kind that may be open at once.
pub(crate) struct Watches {
    persons: Room,
    programs: Room,
    agents: Room,
}

struct Room {
    seats: Arc<Semaphore>,
    limit: &'static str,
    /// What one caller may have of them.
    each: usize,
    taken: Arc<Mutex<Taken>>,
}

/// How many seats each caller has; none has an entry without one.
type Taken = BTreeMap<Principal, usize>;

/// Room for one stream, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    of: Principal,
    taken: Arc<Mutex<Taken>>,
    _place: OwnedSemaphorePermit,
}

impl Watches {
    /// Streams of the log, of sessions, and of agents that wait for news.
    pub(crate) fn of_the_log() -> Self {
        Self::new(limits::WATCHES, "WATCHES")
    }

    /// Streams of what waits for a person.
    pub(crate) fn of_approvals() -> Self {
        Self::new(limits::APPROVAL_WATCHES, "APPROVAL_WATCHES")
    }

    fn new(programs: usize, limit: &'static str) -> Self {
        Self {
            // One person may have signed in everywhere.
            persons: Room::new(limits::WATCHES_PERSONS, limits::WATCHES_PERSONS, limit),
            programs: Room::new(programs, fair(programs), limit),
            agents: Room::new(
                limits::WATCHES_AGENTS,
                fair(limits::WATCHES_AGENTS),
                "WATCHES_AGENTS",
            ),
        }
    }

    /// A seat for one stream of this caller.
    pub(crate) fn seat(&self, context: &Context) -> Result<Seat> {
        let room = match context.principal {
            // Theirs, and beyond it what programs leave.
            Principal::Person(_) => match self.persons.seat(&context.principal) {
                Some(seat) => return Ok(seat),
                None => &self.programs,
            },
            Principal::Program(_) | Principal::Service(_) => &self.programs,
            Principal::Agent(_) => &self.agents,
        };
        room.seat(&context.principal).ok_or_else(|| {
            let text = format!("too many watches are open ({}): close one", room.limit);
            Error::new(Reason::Busy, text)
        })
    }
}

impl Room {
    fn new(seats: usize, each: usize, limit: &'static str) -> Self {
        Self { seats: Arc::new(Semaphore::new(seats)), limit, each, taken: Arc::default() }
    }

    fn seat(&self, of: &Principal) -> Option<Seat> {
        let mut taken = lock(&self.taken);
        if taken.get(of).is_some_and(|own| *own >= self.each) {
            return None;
        }
        let place = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        let own = taken.entry(of.clone()).or_default();
        *own = own.saturating_add(1);
        Some(Seat { of: of.clone(), taken: Arc::clone(&self.taken), _place: place })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        match taken.get_mut(&self.of) {
            Some(own) if *own > 1 => *own = own.saturating_sub(1),
            _ => drop(taken.remove(&self.of)),
        }
    }
}

/// What one of many may have of a room.
const fn fair(seats: usize) -> usize {
    seats.saturating_sub(seats / LEFT)
}

/// Every change is whole.
fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(principal: Principal) -> Context {
        Context { principal, ..Context::service("test") }
    }

    #[test]
    fn neither_agents_nor_programs_take_the_room_of_a_person() {
        type Kind = fn(Box<str>) -> Principal;
        let watches = Watches::of_approvals();
        let mut held = Vec::new();
        let kinds: [(Kind, usize); 2] = [
            (Principal::Agent, limits::WATCHES_AGENTS),
            (Principal::Program, limits::APPROVAL_WATCHES),
        ];
        for (kind, room) in kinds {
            let takers = ["1", "2"].map(|id| caller(kind(id.into())));
            held.extend((0..fair(room)).map(|_| watches.seat(&takers[0]).unwrap()));
            assert_eq!(watches.seat(&takers[0]).unwrap_err().reason(), Reason::Busy);
            held.extend((fair(room)..room).map(|_| watches.seat(&takers[1]).unwrap()));
            assert_eq!(watches.seat(&takers[1]).unwrap_err().reason(), Reason::Busy);
        }
        let person = caller(Principal::Person("p1".into()));
        held.extend((0..limits::WATCHES_PERSONS).map(|_| watches.seat(&person).unwrap()));
        assert_eq!(watches.seat(&person).unwrap_err().reason(), Reason::Busy);
        drop(held.remove(limits::WATCHES_AGENTS));
        drop(watches.seat(&person).unwrap());
        drop(watches.seat(&caller(Principal::Program("1".into()))).unwrap());
    }

    #[test]
    fn no_program_and_no_agent_takes_all_the_room_of_its_kind_and_what_is_given_back_is_there() {
        let watches = Watches::of_the_log();
        let [one, other] = ["1", "2"].map(|id| caller(Principal::Agent(id.into())));
        for _ in 0..3 {
            let mut held: Vec<_> = std::iter::from_fn(|| watches.seat(&one).ok()).collect();
            assert!(held.len() < limits::WATCHES_AGENTS);
            held.push(watches.seat(&other).unwrap());
        }
        assert!(lock(&watches.agents.taken).is_empty());
    }
}
