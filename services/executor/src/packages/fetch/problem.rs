//! Why a document did not arrive, and what to tell whoever waits for it.

use aileron_contract::{Error, Reason, Timestamp};
use url::Url;

/// Why a document did not arrive.
#[derive(Debug, thiserror::Error)]
pub(in crate::packages) enum FetchError {
    /// The source answered, but not with the document.
    #[error("{url} answered {status}")]
    Status { url: Url, status: u16, pause: Option<Pause> },
    /// No answer, or a cut one.
    #[error("{url} could not be fetched: {message}")]
    Broken { url: Url, message: String, retriable: bool },
    #[error("{0} is longer than {1} bytes")]
    TooLong(Url, u64),
    /// Egress itself is not there.
    #[error(transparent)]
    Boundary(#[from] Error),
}

impl FetchError {
    pub(in crate::packages) fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status: 404, .. })
    }

    /// Did the source say nothing at all? Then what is known from before still stands.
    pub(in crate::packages) fn is_silence(&self) -> bool {
        matches!(self, Self::Broken { retriable: true, .. } | Self::Boundary(_))
    }

    fn retriable(&self) -> bool {
        match self {
            Self::Status { status, pause, .. } => *status >= 500 || pause.is_some(),
            Self::Broken { retriable, .. } => *retriable,
            Self::TooLong(..) => false,
            Self::Boundary(_) => true,
        }
    }

    /// As callers see it: `reason`, with what a caller may do.
    pub(in crate::packages) fn told(self, reason: Reason, advice: &str) -> Error {
        let mut details = serde_json::json!({ "retriable": self.retriable() });
        let text = match self {
            Self::Boundary(error) => return error,
            Self::Status { url, status, pause } => {
                if let Some(fields) = details.as_object_mut() {
                    fields.insert("status".to_owned(), status.into());
                    let until = pause.and_then(|pause| pause.until);
                    fields.extend(until.map(|at| ("retry_at".to_owned(), second(at).into())));
                }
                format!("{url} answered {status}{}", meaning(status, pause))
            }
            other => other.to_string(),
        };
        Error::new(reason, format!("{text}; {advice}")).with_details(details)
    }
}

fn meaning(status: u16, pause: Option<Pause>) -> String {
    match (status, pause) {
        (_, Some(Pause { until })) => {
            let when =
                until.map_or_else(|| "later".to_owned(), |at| format!("after {}", second(at)));
            format!(" (too many requests: try again {when}; a token, GH_TOKEN, raises the limit)")
        }
        (401, None) => " (the source refuses the token: GH_TOKEN of the daemon, or \
                        sources.github.token)"
            .to_owned(),
        (403, None) => " (refused: a token may lack the right to read it)".to_owned(),
        (404, None) => " (not found, or not public)".to_owned(),
        _ => String::new(),
    }
}

/// The source counts our requests and has had enough of them for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::packages) struct Pause {
    /// When it will answer again, if it said so.
    until: Option<Timestamp>,
}

impl Pause {
    /// What an answer says about it; none when it was refused for another reason.
    pub(super) fn of(status: u16, headers: &[(String, String)], now: Timestamp) -> Option<Self> {
        let number = |name: &str| {
            let (_, value) = headers.iter().find(|(found, _)| found == name)?;
            value.trim().parse::<i64>().ok()
        };
        let after = number("retry-after");
        let spent = number("x-ratelimit-remaining") == Some(0);
        if status != 429 && !(status == 403 && (after.is_some() || spent)) {
            return None;
        }
        let at = match after {
            Some(seconds) => now.as_second().checked_add(seconds),
            None => number("x-ratelimit-reset").filter(|_| spent),
        };
        let soon = |at: &i64| (0..=DAY).contains(&at.saturating_sub(now.as_second()));
        let until = at.filter(soon).and_then(|at| Timestamp::from_second(at).ok());
        Some(Self { until })
    }
}

/// Sources that count requests begin anew within the hour; a later time is nonsense.
const DAY: i64 = 24 * 3_600;

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    fn pause(status: u16, headers: &[(&str, &str)]) -> Option<Pause> {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Pause::of(status, &headers, now())
    }

    #[test]
    fn a_spent_limit_is_told_apart_from_a_refusal() {
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000060")];
        let until = |at| Some(Pause { until: Some(Timestamp::from_second(at).unwrap()) });
        assert_eq!(pause(403, &spent), until(1_000_060));
        assert_eq!(pause(403, &[("retry-after", "30")]), until(1_000_030));
        assert_eq!(pause(429, &[("retry-after", "30"), spent[0], spent[1]]), until(1_000_030));
        assert_eq!(pause(429, &[]), Some(Pause { until: None }));
        assert_eq!(pause(403, &[("x-ratelimit-remaining", "59")]), None);
        assert_eq!(pause(403, &[]), None);
        assert_eq!(pause(500, &spent), None);
    }

    #[test]
    fn a_time_that_makes_no_sense_is_left_out() {
        for value in ["-1", "86401", "9223372036854775807", "soon", ""] {
            let found = pause(429, &[("retry-after", value)]);
            assert_eq!(found, Some(Pause { until: None }), "{value}");
        }
        let past = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "999999")];
        assert_eq!(pause(403, &past), Some(Pause { until: None }));
    }

    #[test]
    fn whoever_waits_is_told_until_when() {
        let pause = pause(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000060")]);
        let url: Url = "https://api.github.com/x".parse().unwrap();
        let error = FetchError::Status { url, status: 403, pause }
            .told(Reason::FetchFailed, "nothing was installed");
        assert!(error.public().contains("try again after 1970-01-12T13:47:40Z"), "{error}");
        let details = error.details().unwrap();
        assert_eq!(details["retriable"], true);
        assert_eq!(details["status"], 403);
        assert_eq!(details["retry_at"], "1970-01-12T13:47:40Z");
    }
}
