//! How many calls may wait for the person, and whose.

use aileron_contract::{Error, Reason, Result, executor::RunState, limits};

use super::{
    Record,
    engine::Engine,
    text::{PERSON, origin_text, principal_text},
};
use crate::ledger::Query;

/// What may wait of some callers together.
struct Bound {
    of: Query,
    approvals: u32,
    text: u64,
    whose: &'static str,
}

impl Engine {
    /// Is there room for one more approval: of this caller, of who began its session, of programs,
    /// and of all?
    pub(super) async fn room_for(&self, record: &Record) -> Result<()> {
        for Bound { of, approvals, text, whose } in bounds(record) {
            let (waiting, long) = self.ledger.weigh(&of).await?;
            if waiting >= u64::from(approvals) || long >= text {
                let public = format!(
                    "too many approvals {whose} wait for a person: ask again when some are decided"
                );
                return Err(Error::new(Reason::TooManyApprovals, public));
            }
        }
        Ok(())
    }
}

fn bounds(record: &Record) -> Vec<Bound> {
    let of_all = Query { states: vec![RunState::Parked], ..Query::default() };
    // A program may name any session: what it is known by is its token.
    let own = Query { principal: Some(principal_text(&record.principal)), ..of_all.clone() };
    let origin = origin_text(&record.principal, record.begun_by.as_ref());
    let mut bounds = vec![Bound {
        of: own,
        approvals: limits::APPROVALS_PENDING_CALLER,
        text: limits::APPROVALS_TEXT_CALLER,
        whose: "of this caller",
    }];
    if origin != PERSON {
        bounds.push(Bound {
            of: Query { origin: Some(origin), ..of_all.clone() },
            approvals: limits::APPROVALS_PENDING_ORIGIN,
            text: limits::APPROVALS_TEXT_ORIGIN,
            whose: "of one program and of all sessions it began",
        });
        bounds.push(Bound {
            of: Query { of_programs: true, ..of_all.clone() },
            approvals: limits::APPROVALS_PENDING.saturating_sub(limits::APPROVALS_RESERVED),
            text: limits::APPROVALS_TEXT.saturating_sub(limits::APPROVALS_TEXT_RESERVED),
            whose: "of programs and of sessions they began",
        });
    }
    bounds.push(Bound {
        of: of_all,
        approvals: limits::APPROVALS_PENDING,
        text: limits::APPROVALS_TEXT,
        whose: "of all callers",
    });
    bounds
}
