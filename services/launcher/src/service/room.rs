//! How many sessions run, and who began them. In memory: what ran before this start is over.

use std::collections::BTreeMap;

use aileron_contract::{Error, Principal, Reason, Result, limits, names::SessionId};

/// The sessions that run, each with who began it.
#[derive(Debug, Default)]
pub(super) struct Running(BTreeMap<SessionId, Principal>);

impl Running {
    /// Is there room for one more that `by` begins? `busy` if not: of one program, of programs, or
    /// of all.
    pub(super) fn room_for(&self, by: &Principal) -> Result<()> {
        if self.0.len() >= limits::AGENT_SESSIONS {
            return Err(full(self.0.len(), "", END_ONE));
        }
        if by.is_person() {
            return Ok(());
        }
        let own = self.0.values().filter(|begun_by| *begun_by == by).count();
        if own >= limits::AGENT_SESSIONS_ORIGIN {
            return Err(full(own, " that this program began", END_ONE_OR_SIGN_IN));
        }
        let programs = self.0.values().filter(|begun_by| !begun_by.is_person()).count();
        if programs >= limits::AGENT_SESSIONS.saturating_sub(limits::AGENT_SESSIONS_RESERVED) {
            return Err(full(programs, " that programs began", END_ONE_OR_SIGN_IN));
        }
        Ok(())
    }

    pub(super) fn began(&mut self, id: SessionId, by: Principal) {
        self.0.insert(id, by);
    }

    pub(super) fn ended(&mut self, id: &SessionId) {
        self.0.remove(id);
    }
}

const END_ONE: &str = "end one (aileron sessions list --active, aileron sessions end ID)";

/// What a person's session begins has room of its own.
const END_ONE_OR_SIGN_IN: &str = "end one (aileron sessions list --active, aileron sessions end \
                                  ID), or begin it as the person: aileron launch in a terminal \
                                  asks for the vault's passphrase";

fn full(running: usize, whose: &str, next: &str) -> Error {
    Error::new(Reason::Busy, format!("{running} agent sessions{whose} are running: {next}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(running: &mut Running, by: &Principal) -> usize {
        let before = running.0.len();
        while running.room_for(by).is_ok() {
            let id = format!("s{}", running.0.len()).parse().unwrap();
            running.began(id, by.clone());
        }
        running.0.len() - before
    }

    #[test]
    fn programs_leave_room_for_the_person_and_one_program_for_others() {
        let [first, second] = ["daemon", "token"].map(|id| Principal::Program(id.into()));
        let person = Principal::Person("p1".into());
        let mut running = Running::default();
        assert_eq!(fill(&mut running, &first), limits::AGENT_SESSIONS_ORIGIN);
        let programs = limits::AGENT_SESSIONS - limits::AGENT_SESSIONS_RESERVED;
        assert_eq!(fill(&mut running, &second), programs - limits::AGENT_SESSIONS_ORIGIN);
        assert_eq!(fill(&mut running, &person), limits::AGENT_SESSIONS_RESERVED);
        for by in [&first, &second, &person] {
            assert_eq!(running.room_for(by).unwrap_err().reason(), Reason::Busy);
        }
        running.ended(&"s0".parse().unwrap());
        running.room_for(&first).unwrap();
    }
}
