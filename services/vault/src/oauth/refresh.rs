//! When a token is refreshed, and what the outcome means. Values only: no clock, no provider.

use aileron_contract::{Timestamp, bindings::StaleReason, egress::Sent, limits};

use super::{grant::Grant, trouble::Trouble};

/// How old a grant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// To be used as it is.
    Fresh,
    /// To be refreshed soon; the token still lives.
    Due,
    /// To be refreshed before it can be used.
    Expired,
}

/// As published: a refresh is due a minute before the end, where both the end and a refresh
/// token are known. A token that was refreshed within its last minute is of that short a life,
/// and used to its end. An end before the last refresh means nothing: the provider said no new
/// one, and only the upstream can say when such a token has ended.
pub(crate) fn age(grant: &Grant, refreshed_at: Option<Timestamp>, now: Timestamp) -> Age {
    let (Some(end), Some(_)) = (grant.expires_at(), grant.refresh_token()) else {
        return Age::Fresh;
    };
    let due = end.checked_sub(limits::OAUTH_EARLY).unwrap_or(Timestamp::MIN);
    // Labels count whole seconds.
    let refreshed_since =
        |time: Timestamp| refreshed_at.is_some_and(|at| at.as_second() >= time.as_second());
    if now <= due || refreshed_since(end) {
        Age::Fresh
    } else if now >= end {
        Age::Expired
    } else if refreshed_since(due) {
        Age::Fresh
    } else {
        Age::Due
    }
}

/// What a refresh that brought no tokens does to its binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The refresh token is as good as before: as if nothing had been asked.
    Unchanged,
    /// The provider may have given out tokens that never arrived: the mark stays.
    Unknown,
    /// The refresh token is dead, for this reason.
    Stale(StaleReason),
}

/// `doubtful`: an earlier refresh was asked for and its outcome is not known.
pub(crate) fn verdict(trouble: &Trouble, doubtful: bool) -> Verdict {
    let settled = if doubtful { Verdict::Unknown } else { Verdict::Unchanged };
    match trouble {
        Trouble::Misplaced(_) | Trouble::Lost { sent: Sent::NotSent, why: _ } => settled,
        Trouble::Lost { sent: Sent::MaybeSent, why: _ } => Verdict::Unknown,
        Trouble::Refused { status, code } => match code.as_deref() {
            Some("invalid_grant") if doubtful => Verdict::Stale(StaleReason::RefreshLost),
            Some("invalid_grant") => Verdict::Stale(StaleReason::RefreshRejected),
            // Tokens that cannot be read, or a server that fell over half-way.
            _ if *status < 300 || *status >= 500 => Verdict::Unknown,
            _ => settled,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn grant(expires_at: &str, refresh: &str) -> Grant {
        let text = format!(
            r#"{{"access_token":"a","refresh_token":"{refresh}","expires_at":"{expires_at}",
                "client_id":"c","token_url":"https://id.example/token"}}"#
        );
        Grant::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_refresh_is_due_a_minute_before_the_end() {
        let grant = grant("1970-01-01T01:00:00Z", "r");
        for (now, expected) in
            [(3_539, Age::Fresh), (3_540, Age::Fresh), (3_541, Age::Due), (3_600, Age::Expired)]
        {
            assert_eq!(age(&grant, None, at(now)), expected, "{now}");
        }
    }

    #[test]
    fn without_an_end_or_a_refresh_token_there_is_nothing_to_do() {
        for (end, refresh) in
            [("0001-01-01T00:00:00Z", "r"), ("", "r"), ("1970-01-01T01:00:00+00:00", "")]
        {
            assert_eq!(age(&grant(end, refresh), None, at(99_999)), Age::Fresh, "{end}");
        }
    }

    #[test]
    fn an_end_that_a_refresh_did_not_move_is_not_refreshed_for_ever() {
        let grant = grant("1970-01-01T01:00:00Z", "r");
        assert_eq!(age(&grant, Some(at(3_600)), at(3_700)), Age::Fresh);
        assert_eq!(age(&grant, Some(at(3_000)), at(3_700)), Age::Expired);
    }

    #[test]
    fn a_token_of_half_a_minute_is_used_to_its_end_and_then_refreshed() {
        let grant = grant("1970-01-01T01:00:00Z", "r");
        assert_eq!(age(&grant, Some(at(3_570)), at(3_599)), Age::Fresh);
        assert_eq!(age(&grant, Some(at(3_570)), at(3_600)), Age::Expired);
    }

    const CODES: &[&str] =
        &["invalid_grant", "invalid_client", "server_error", "temporarily_unavailable"];

    fn troubles() -> impl Strategy<Value = Trouble> {
        let code = proptest::option::of(proptest::sample::select(CODES));
        prop_oneof![
            Just(Trouble::Misplaced("x")),
            Just(Trouble::Lost { sent: Sent::NotSent, why: String::new() }),
            Just(Trouble::Lost { sent: Sent::MaybeSent, why: String::new() }),
            (200..600_u16, code).prop_map(|(status, code)| Trouble::Refused {
                status,
                code: code.map(str::to_owned)
            }),
        ]
    }

    proptest! {
        /// Only the provider's own word ends a binding, and a doubt is never forgotten.
        #[test]
        fn a_binding_ends_by_the_providers_word_alone(trouble in troubles(), doubtful: bool) {
            let verdict = verdict(&trouble, doubtful);
            let rejected = trouble.code() == Some("invalid_grant");
            prop_assert_eq!(matches!(verdict, Verdict::Stale(_)), rejected);
            prop_assert!(!doubtful || verdict != Verdict::Unchanged);
            if rejected {
                prop_assert_eq!(verdict, Verdict::Stale(if doubtful { StaleReason::RefreshLost } else { StaleReason::RefreshRejected }));
            }
            if matches!(trouble, Trouble::Lost { sent: Sent::MaybeSent, .. }) {
                prop_assert_eq!(verdict, Verdict::Unknown);
            }
        }
    }
}
