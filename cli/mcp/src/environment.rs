//! What the host says through the environment, in the published names.

use std::{fmt, path::PathBuf, time::Duration};

use aileron_api::Sensitive;

/// How often to look for changes, unless told otherwise.
const REFRESH: Duration = Duration::from_secs(5);

/// Read once, at the start.
pub(crate) struct Environment {
    /// With `/v1`; absent when the host names none: then it is the daemon of `home`.
    pub(crate) base_url: Option<String>,
    /// The state folder.
    pub(crate) home: PathBuf,
    pub(crate) token: Option<Sensitive>,
    pub(crate) session: Option<String>,
    /// Absent: never.
    pub(crate) refresh: Option<Duration>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Environment {
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
        Self {
            base_url: variable("AILERON_URL")
                .or_else(|| variable("AILERON_API_URL"))
                .map(|url| with_version(url.trim())),
            home: variable("AILERON_HOME")
                .map(PathBuf::from)
                .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".aileron")))
                .unwrap_or_else(|| PathBuf::from(".aileron")),
            token: variable("AILERON_TOKEN").map(|token| Sensitive::new(token.trim().to_owned())),
            session: variable("AILERON_SESSION_ID").map(|session| session.trim().to_owned()),
            refresh: match variable("AILERON_MCP_REFRESH_INTERVAL") {
                Some(told) => interval(told.trim()),
                None => Some(REFRESH),
            },
        }
    }
}

/// The published variable has no `/v1`; with it means the same.
fn with_version(url: &str) -> String {
    let url = url.trim_end_matches('/');
    if url.ends_with("/v1") { url.to_owned() } else { format!("{url}/v1") }
}

/// A number of seconds, or a duration as Go writes it. Zero and less turn the looking off; what
/// cannot be read is as if nothing were said.
fn interval(told: &str) -> Option<Duration> {
    let seconds = told.parse::<f64>().ok().filter(|_| !told.contains(['.', 'e', 'E', 'n', 'N']));
    let Some(seconds) = seconds.or_else(|| go_duration(told)) else { return Some(REFRESH) };
    if seconds <= 0.0 {
        return None;
    }
    // Looking all the time would be of no use to anybody.
    Duration::try_from_secs_f64(seconds.clamp(0.1, 86_400.0)).ok()
}

/// `1h2m3.5s`, `300ms`, `-1s`, in seconds.
fn go_duration(told: &str) -> Option<f64> {
    let (sign, mut rest) = match told.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, told.strip_prefix('+').unwrap_or(told)),
    };
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let units = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(units);
        seconds += number.parse::<f64>().ok()? * seconds_of(unit)?;
        rest = after;
    }
    (!told.is_empty()).then_some(sign * seconds)
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" | "μs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Environment, interval, with_version};

    #[test]
    fn an_interval_is_seconds_or_a_duration_and_may_be_off() {
        let seconds = |seconds| Some(Duration::from_secs_f64(seconds));
        for (told, expected) in [
            ("5", seconds(5.0)),
            ("1m30s", seconds(90.0)),
            ("500ms", seconds(0.5)),
            ("1.5s", seconds(1.5)),
            ("1us", seconds(0.1)),
            ("0", None),
            ("0s", None),
            ("-1", None),
            ("-3s", None),
            ("soon", seconds(5.0)),
            ("5x", seconds(5.0)),
            ("1.5", seconds(5.0)),
            ("inf", seconds(5.0)),
        ] {
            assert_eq!(interval(told), expected, "{told}");
        }
    }

    #[test]
    fn the_address_may_have_its_version_or_not() {
        for url in ["http://a:1", "http://a:1/", "http://a:1/v1", "http://a:1/v1/"] {
            assert_eq!(with_version(url), "http://a:1/v1", "{url}");
        }
    }

    #[test]
    fn the_runtime_is_where_the_host_says_or_the_daemon_of_the_state_folder() {
        let read = |variables: &[(&str, &str)]| {
            let variables: std::collections::HashMap<_, _> = variables.iter().copied().collect();
            Environment::read(|name| variables.get(name).map(|value| (*value).to_owned()))
        };
        let both = read(&[("AILERON_URL", "http://a:1"), ("AILERON_API_URL", "http://b:1/v1")]);
        assert_eq!(both.base_url.as_deref(), Some("http://a:1/v1"));
        let one = read(&[("AILERON_URL", " "), ("AILERON_API_URL", "http://b:1/v1")]);
        assert_eq!(one.base_url.as_deref(), Some("http://b:1/v1"));
        let none = read(&[("HOME", "/home/ann")]);
        assert_eq!((none.base_url, none.home), (None, "/home/ann/.aileron".into()));
        assert_eq!(
            read(&[("HOME", "/h"), ("AILERON_HOME", "/s")]).home,
            std::path::PathBuf::from("/s")
        );
    }

    #[test]
    fn an_empty_variable_is_none_and_the_token_is_not_shown() {
        let environment = Environment::read(|name| match name {
            "AILERON_TOKEN" => Some("secret".to_owned()),
            _ => Some(String::new()),
        });
        assert!(environment.base_url.is_none() && environment.session.is_none());
        assert_eq!(environment.refresh, Some(Duration::from_secs(5)));
        assert!(!format!("{environment:?}").contains("secret"));
    }
}
