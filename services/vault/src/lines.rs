//! Whose passphrase is checked next. No clock in here, and no waiting: who comes, and what became
//! of a check, goes in; whose turn it is comes out.
//!
//! Each kind of caller waits in a line of its own, the first that came first. After a few wrong
//! passphrases a line moves on at a steady pace. It never stops: whoever is in it has their turn
//! after those before them, and who guesses in one line keeps nobody out of another. A line has an
//! end, though: who keeps one full keeps out others like themselves. Kept in memory only. Whoever
//! can restart the runtime can also read the file and guess without asking anybody; what stops
//! that is the cost of each guess.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use aileron_contract::{Context, Error, Principal, Reason, Result, limits};

/// Time since the runtime began to count.
pub(crate) type Moment = Duration;

/// Callers who wait for one another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    /// In person sessions: who is there has proved the passphrase before.
    Persons,
    /// The runtime's own parts.
    Runtime,
    /// With the token in `daemon.json`, as the person's command line has it, and every program
    /// that can read the vault's file.
    Daemon,
    /// At the web page, not signed in.
    Page,
    /// With another token.
    Token(Principal),
}

/// One who waits, or whose passphrase is being checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    line: Line,
    number: u64,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    Wrong,
    /// It was something else, or it was not told.
    Neither,
}

/// May the one in this place be checked?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Now,
    /// When nothing else happens, look again then.
    Not(Option<Moment>),
}

/// All lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    waiting: BTreeMap<Line, Waiting>,
    /// The one that is checked, and since when: one at a time, whoever asks.
    checked: Option<(Place, Moment)>,
    /// Was the last one that was checked of the near lines?
    near_was_last: bool,
    numbers: u64,
}

#[derive(Debug, Default)]
struct Waiting {
    places: VecDeque<u64>,
    /// Each wrong passphrase takes one pace off the time ahead of this.
    owed_until: Moment,
    /// When its last one was checked, in numbers.
    last: u64,
}

impl Line {
    pub(crate) fn of(context: &Context) -> Self {
        match &context.principal {
            Principal::Person(_) => Self::Persons,
            Principal::Program(id) if **id == *Principal::DAEMON => Self::Daemon,
            Principal::Service(name) if **name == *Principal::GATEWAY => Self::Page,
            Principal::Service(_) => Self::Runtime,
            token @ (Principal::Program(_) | Principal::Agent(_)) => Self::Token(token.clone()),
        }
    }

    /// Is it one of callers who could read the vault's file, or need not guess?
    fn is_near(&self) -> bool {
        matches!(self, Self::Persons | Self::Runtime | Self::Daemon)
    }

    fn pace(&self) -> Duration {
        if self.is_near() { limits::UNLOCK_PACE } else { limits::UNLOCK_PACE_OTHERS }
    }

    fn room(&self) -> usize {
        if self.is_near() { limits::UNLOCK_QUEUE } else { limits::UNLOCK_QUEUE_OTHERS }
    }
}

impl Lines {
    /// To the end of a line; refused when it is as long as lines may be.
    pub(crate) fn join(&mut self, line: Line, now: Moment) -> Result<Place> {
        // A line where nobody waits, and that owes nothing, is like one that never was.
        self.waiting.retain(|_, it| !it.places.is_empty() || it.owed_until > now);
        self.numbers = self.numbers.saturating_add(1);
        let number = self.numbers;
        let waiting = self.waiting.entry(line.clone()).or_default();
        if waiting.places.len() >= line.room() {
            return Err(full(&line));
        }
        waiting.places.push_back(number);
        Ok(Place { line, number })
    }

    /// Begins the check of the one in this place, if it is their turn.
    pub(crate) fn turn(&mut self, place: &Place, now: Moment) -> Turn {
        if self.checked.is_some() {
            return Turn::Not(None);
        }
        if self
            .next(now)
            .is_some_and(|(line, number)| *line == place.line && number == place.number)
        {
            self.numbers = self.numbers.saturating_add(1);
            if let Some(waiting) = self.waiting.get_mut(&place.line) {
                waiting.places.pop_front();
                waiting.last = self.numbers;
            }
            self.near_was_last = place.line.is_near();
            self.checked = Some((place.clone(), now));
            return Turn::Now;
        }
        // Only the first of a line has something to wait for besides the others.
        let waiting = self.waiting.get(&place.line);
        let first = waiting.filter(|it| it.places.front() == Some(&place.number));
        Turn::Not(first.map(|it| it.free_at(place.line.pace())).filter(|at| *at > now))
    }

    /// The one in this place goes, whether it waited or was checked.
    pub(crate) fn leave(&mut self, place: &Place, verdict: Verdict) {
        let since = match &self.checked {
            Some((checked, since)) if checked == place => *since,
            _ => {
                if let Some(waiting) = self.waiting.get_mut(&place.line) {
                    waiting.places.retain(|number| *number != place.number);
                }
                return;
            }
        };
        self.checked = None;
        let Some(waiting) = self.waiting.get_mut(&place.line) else { return };
        match verdict {
            Verdict::Right => waiting.owed_until = Moment::ZERO,
            Verdict::Wrong => {
                let from = waiting.owed_until.max(since);
                waiting.owed_until = from.saturating_add(place.line.pace());
            }
            Verdict::Neither => {}
        }
    }

    /// The first of a line that may move. Near lines and others take turns, and so do the lines of
    /// either kind: no number of tokens keeps the person waiting.
    fn next(&self, now: Moment) -> Option<(&Line, u64)> {
        let first = |(line, waiting): (&'_ Line, &'_ Waiting)| {
            let ready = waiting.free_at(line.pace()) <= now;
            let number = waiting.places.front().copied().filter(|_| ready)?;
            Some((line.is_near() == self.near_was_last, waiting.last, number))
        };
        let ready = self.waiting.iter().filter_map(|it| Some((first(it)?, it.0)));
        ready.min_by_key(|(order, _)| *order).map(|((_, _, number), line)| (line, number))
    }
}

impl Waiting {
    /// When its first one may be checked.
    fn free_at(&self, pace: Duration) -> Moment {
        let free = pace.saturating_mul(limits::UNLOCK_ATTEMPTS.saturating_sub(1));
        self.owed_until.saturating_sub(free)
    }
}

fn full(line: &Line) -> Error {
    let seconds = line.pace().as_secs().max(1);
    let room = line.room();
    let elsewhere = match line {
        Line::Page => "; in a terminal, aileron open waits in another line",
        Line::Token(_) => "; other tokens, and the web page, wait in other lines",
        Line::Persons | Line::Runtime | Line::Daemon => "",
    };
    Error::new(
        Reason::UnlockBackoff,
        format!(
            "{room} passphrases wait to be checked already: try again in {seconds} s, and look at \
             who tries (aileron audit list){elsewhere}"
        ),
    )
    .with_details(serde_json::json!({ "retry_after_seconds": seconds }))
}

#[cfg(test)]
mod tests;
