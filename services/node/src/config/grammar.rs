//! How single values of the configuration are spelled; each reader says what it expected. The same
//! readers serve the file, the environment and the command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use aileron_contract::names::{HostPort, SecretName};
use tracing_subscriber::EnvFilter;

pub(super) fn address(raw: &str) -> Result<SocketAddr, String> {
    raw.parse().map_err(|_| format!("{raw:?} is not an address like 127.0.0.1:8080"))
}

pub(super) fn host_name(raw: &str) -> Result<String, String> {
    HostPort::new(raw, 1).map(|host| host.host().to_owned()).map_err(|e| e.public().to_owned())
}

pub(super) fn host_port(raw: &str) -> Result<HostPort, String> {
    raw.parse().map_err(|error: aileron_contract::Error| error.public().to_owned())
}

pub(super) fn log_filter(raw: &str) -> Result<String, String> {
    EnvFilter::try_new(raw).map(|_| raw.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn database_url(raw: &str) -> Result<String, String> {
    if raw.starts_with("postgres://") || raw.starts_with("postgresql://") {
        return Ok(raw.to_owned());
    }
    // The URL may hold a password: it is not repeated.
    Err("a URL that starts with postgres:// is expected".to_owned())
}

pub(super) fn https_url(raw: &str) -> Result<String, String> {
    let wrong = || format!("{raw:?} is not an https URL");
    let rest = raw.strip_prefix("https://").ok_or_else(wrong)?;
    if rest.is_empty() || rest.contains(['@', '?', '#', ' ']) {
        return Err(wrong());
    }
    Ok(raw.trim_end_matches('/').to_owned())
}

/// Where people find the web page: over TLS, or on this machine. Links are made by adding a path to
/// it, so it has none of its own.
pub(super) fn page_url(raw: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "{raw:?} is not an address like https://aileron.example without a path (http only on \
             this machine)"
        )
    };
    let url = url::Url::parse(raw).map_err(|_| wrong())?;
    let host = match url.host().ok_or_else(wrong)? {
        url::Host::Ipv4(ip) => ip.to_string(),
        url::Host::Ipv6(ip) => ip.to_string(),
        url::Host::Domain(name) => name.to_owned(),
    };
    // The URL parser lets hosts through that no request can name, such as `a"b` and `*`.
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    let here = HostPort::new(&host, port).map_err(|_| wrong())?.is_loopback();
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    match url.scheme() {
        "https" if plain && nobody => {}
        "http" if plain && nobody && here => {}
        _ => return Err(wrong()),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The Hub's repository; an empty text turns the Hub off.
pub(super) fn hub_url(raw: &str) -> Result<String, String> {
    if raw.is_empty() { Ok(String::new()) } else { https_url(raw) }
}

pub(super) fn absolute(raw: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(raw);
    if path.is_absolute() { Ok(path) } else { Err(format!("{raw:?} is not an absolute path")) }
}

/// A log's origin: C2SP tlog-checkpoint asks for a schema-less URL without spaces.
pub(super) fn origin(raw: &str) -> Result<String, String> {
    if raw.is_empty() || raw.len() > 200 || raw.contains(|c: char| c.is_whitespace() || c == '+') {
        return Err(format!("{raw:?} is not a log name like example.com/audit"));
    }
    Ok(raw.to_owned())
}

pub(super) fn hours(raw: &str) -> Result<Duration, String> {
    match raw.parse::<u64>() {
        Ok(hours @ 1..=720) => Ok(Duration::from_secs(hours * 3_600)),
        _ => Err(format!("{raw:?} is not a number of hours from 1 to 720")),
    }
}

pub(super) fn minutes(raw: &str) -> Result<Duration, String> {
    match raw.parse::<u64>() {
        Ok(minutes @ 1..=10_080) => Ok(Duration::from_secs(minutes * 60)),
        _ => Err(format!("{raw:?} is not a number of minutes from 1 to 10080 (a week)")),
    }
}

/// `vault:secret/<name>`: what the file may say instead of a secret. Anything else may be the
/// secret itself, and is not repeated.
pub(super) fn secret(raw: &str) -> Result<SecretName, String> {
    let name = raw.strip_prefix("vault:secret/").and_then(|name| name.parse().ok());
    name.ok_or_else(|| {
        "a secret does not belong into this file: store it with `aileron secret set NAME` and say \
         vault:secret/NAME"
            .to_owned()
    })
}

pub(super) fn time_of_day(raw: &str) -> Result<jiff::civil::Time, String> {
    jiff::civil::Time::strptime("%H:%M", raw).map_err(|_| format!("{raw:?} is not a time (HH:MM)"))
}

pub(super) fn timezone(raw: &str) -> Result<String, String> {
    jiff::tz::TimeZone::get(raw)
        .map(|_| raw.to_owned())
        .map_err(|_| format!("{raw:?} is not a known time zone"))
}
