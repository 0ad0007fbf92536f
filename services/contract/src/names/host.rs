//! A host and a port, as declared by manifests and consented to by persons.

use std::{fmt, net::IpAddr, str::FromStr};

use super::invalid;
use crate::{Error, Reason, Result};

/// `host:port`, the host in lower case, a name or an address; no wildcards.
/// IPv6 addresses are written in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPort {
    host: Box<str>,
    port: u16,
}

impl HostPort {
    /// `host` without brackets.
    pub fn new(host: &str, port: u16) -> Result<Self> {
        let host = host.to_ascii_lowercase();
        let sound = host.parse::<IpAddr>().is_ok() || domain(&host);
        if sound && port != 0 {
            return Ok(Self { host: host.into(), port });
        }
        Err(invalid(Reason::ValidationError, &host, "a host name or address with a port"))
    }

    /// Without brackets, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// From 1 to 65,535.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as an address, if it is written as one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// A name or address that can only mean this machine.
    pub fn is_loopback(&self) -> bool {
        match self.address() {
            Some(address) => address.is_loopback(),
            None => *self.host == *"localhost" || self.host.ends_with(".localhost"),
        }
    }
}

impl FromStr for HostPort {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let wrong = || invalid(Reason::ValidationError, raw, "host:port");
        let (host, port) = raw.rsplit_once(':').ok_or_else(wrong)?;
        if port.is_empty() || !port.bytes().all(|c| c.is_ascii_digit()) {
            return Err(wrong());
        }
        let port = port.parse().map_err(|_| wrong())?;
        match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) if address.contains(':') => Self::new(address, port),
            Some(_) => Err(wrong()),
            None if host.contains(':') => Err(wrong()),
            None => Self::new(host, port),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Letters, digits, dashes, underscores and dots; labels of 1 to 63. A last label of digits alone
/// (or hexadecimal) would be read as an address by some resolvers: refused.
fn domain(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|c| c.is_ascii_digit()) || last.starts_with("0x");
    host.len() <= 253 && host.split('.').all(label) && !numeric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_in_lower_case() {
        let host: HostPort = "API.Example.com:443".parse().unwrap();
        assert_eq!(host.to_string(), "api.example.com:443");
        assert_eq!("[::1]:80".parse::<HostPort>().unwrap().to_string(), "[::1]:80");
    }

    #[test]
    fn odd_hosts_are_refused() {
        for raw in [
            "x",
            "x:",
            ":80",
            "x:0",
            "x:99999",
            "*.x.com:443",
            "a..b:1",
            "2130706433:80",
            "0x7f.1:80",
            "127.1:80",
            "x:+80",
            "a b:80",
            "::1:80",
            "[x]:80",
        ] {
            assert!(raw.parse::<HostPort>().is_err(), "{raw}");
        }
    }
}
