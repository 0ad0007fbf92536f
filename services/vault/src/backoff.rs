//! Slows down guessing: after five failures in a row attempts are refused for a growing while.
//!
//! Kept in memory only. Whoever can restart the daemon can also read the file and guess without
//! asking anybody; what stops that is the cost of each guess.

use std::time::Duration;

use aileron_contract::{Error, Reason, Result, Timestamp, limits};

/// Failures in a row, and since when the last one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: u32,
    until: Option<Timestamp>,
}

impl Backoff {
    /// May an attempt be made now?
    pub(crate) fn check(self, now: Timestamp) -> Result<()> {
        let Some(until) = self.until.filter(|until| now < *until) else { return Ok(()) };
        // A clock set back must not shut the person out for longer than the longest wait.
        let left = Duration::try_from(until.duration_since(now))
            .unwrap_or_default()
            .min(limits::UNLOCK_BACKOFF_MAX);
        let seconds = left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0));
        Err(Error::new(
            Reason::UnlockBackoff,
            format!("too many wrong passphrases in a row: try again in {seconds} s"),
        )
        .with_details(serde_json::json!({ "retry_after_seconds": seconds })))
    }

    #[must_use]
    pub(crate) fn failed(self, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        let Some(over) = failures.checked_sub(limits::UNLOCK_ATTEMPTS) else {
            return Self { failures, until: None };
        };
        let wait = Duration::from_secs(1_u64.checked_shl(over.min(32)).unwrap_or(u64::MAX))
            .min(limits::UNLOCK_BACKOFF_MAX);
        Self { failures, until: now.checked_add(wait).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn five_failures_are_free_then_the_wait_doubles_up_to_its_bound() {
        let mut backoff = Backoff::default();
        for _ in 0..4 {
            backoff = backoff.failed(at(0));
            assert!(backoff.check(at(0)).is_ok());
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            backoff = backoff.failed(at(0));
            assert!(backoff.check(at(wait - 1)).is_err(), "{wait}");
            assert!(backoff.check(at(wait)).is_ok(), "{wait}");
        }
        for _ in 0..100 {
            backoff = backoff.failed(at(0));
        }
        assert!(backoff.check(at(300)).is_ok());
    }

    #[test]
    fn a_clock_set_back_never_lengthens_the_stated_wait_past_the_bound() {
        let backoff = (0..20).fold(Backoff::default(), |backoff, _| backoff.failed(at(1_000_000)));
        let refused = backoff.check(at(0)).unwrap_err();
        assert_eq!(refused.details().unwrap()["retry_after_seconds"], 300);
    }
}
