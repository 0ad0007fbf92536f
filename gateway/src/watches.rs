//! Room for streams that wait for news. Persons, programs and agents have room of their own, so
//! that none of them can take what another one needs to see what happens.

use std::sync::Arc;

use aileron_contract::{Context, Error, Principal, Reason, Result, limits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// The streams of one kind that may be open at once.
pub(crate) struct Watches {
    persons: Room,
    programs: Room,
    agents: Room,
}

struct Room {
    seats: Arc<Semaphore>,
    limit: &'static str,
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
            persons: Room::new(limits::WATCHES_PERSONS, limit),
            programs: Room::new(programs, limit),
            agents: Room::new(limits::WATCHES_AGENTS, "WATCHES_AGENTS"),
        }
    }

    /// A seat for one stream of this caller, given back when it is dropped.
    pub(crate) fn seat(&self, context: &Context) -> Result<OwnedSemaphorePermit> {
        let room = match context.principal {
            // Theirs, and beyond it what programs leave.
            Principal::Person(_) => match self.persons.seat() {
                Ok(seat) => return Ok(seat),
                Err(_) => &self.programs,
            },
            Principal::Program(_) | Principal::Service(_) => &self.programs,
            Principal::Agent(_) => &self.agents,
        };
        room.seat().map_err(|_| {
            let text = format!("too many watches are open ({}): close one", room.limit);
            Error::new(Reason::Busy, text)
        })
    }
}

impl Room {
    fn new(seats: usize, limit: &'static str) -> Self {
        Self { seats: Arc::new(Semaphore::new(seats)), limit }
    }

    fn seat(&self) -> std::result::Result<OwnedSemaphorePermit, TryAcquireError> {
        Arc::clone(&self.seats).try_acquire_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(principal: Principal) -> Context {
        Context { principal, ..Context::service("test") }
    }

    #[test]
    fn neither_agents_nor_programs_take_the_room_of_a_person() {
        let watches = Watches::of_approvals();
        let mut held = Vec::new();
        let (agent, program) = (Principal::Agent("s1".into()), Principal::Program("daemon".into()));
        for (taker, room) in [(agent, limits::WATCHES_AGENTS), (program, limits::APPROVAL_WATCHES)]
        {
            let taker = caller(taker);
            held.extend((0..room).map(|_| watches.seat(&taker).unwrap()));
            assert_eq!(watches.seat(&taker).unwrap_err().reason(), Reason::Busy);
        }
        let person = caller(Principal::Person("p1".into()));
        held.extend((0..limits::WATCHES_PERSONS).map(|_| watches.seat(&person).unwrap()));
        assert_eq!(watches.seat(&person).unwrap_err().reason(), Reason::Busy);
        drop(held.remove(limits::WATCHES_AGENTS));
        drop(watches.seat(&person).unwrap());
        drop(watches.seat(&caller(Principal::Program("tok-1".into()))).unwrap());
    }
}
