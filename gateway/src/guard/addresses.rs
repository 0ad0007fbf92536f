//! Which names a request may use for us, and which pages may call us.
//!
//! A page of another site can make a browser send requests to a loopback port, and by pointing
//! its own name at 127.0.0.1 (DNS rebinding) it can even read the answers. Such requests carry
//! that site's name in `Host` and `Origin`.

use std::{collections::BTreeSet, net::SocketAddr};

use aileron_contract::Reason;
use http::{HeaderMap, Uri, header};

use crate::{
    answer::{Refusal, Result},
    caller::single,
};

/// The names a request may use for us: `host:port`, in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Addresses(BTreeSet<String>);

impl Addresses {
    /// Loopback names and the listener's own address with the listener's port; `extra` names with
    /// the listener's port and the ones HTTP and HTTPS leave out, or with their own.
    pub(crate) fn new(listen: SocketAddr, extra: &[String]) -> Self {
        let port = listen.port();
        let mut names = BTreeSet::from([listen.to_string()]);
        if listen.ip().is_loopback() || listen.ip().is_unspecified() {
            names.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}")));
        }
        for name in extra {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            if has_port(&name) {
                names.insert(name);
            } else {
                names.extend([port, 80, 443].map(|port| format!("{name}:{port}")));
            }
        }
        Self(names)
    }

    /// Is the request for us, and not made by another site's page? `opaque` lets one through that
    /// comes from nowhere, such as a file.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap, opaque: bool) -> Result<()> {
        let refused = || {
            Refusal::new(
                Reason::HostNotAllowed,
                "the request is for another host: use the daemon's own address, or add the name \
                 to the configured hosts",
            )
        };
        let named = single(headers, &header::HOST)?;
        // HTTP/2 names the host in the address; when both are there, both must be ours.
        let authority = uri.authority().map(http::uri::Authority::as_str);
        let mut ours = None;
        for name in [authority, named].into_iter().flatten() {
            ours = Some(self.find(name).ok_or_else(refused)?);
        }
        let ours = ours.ok_or_else(refused)?;
        match single(headers, &header::ORIGIN)? {
            Some("null") if opaque => Ok(()),
            Some(origin) if !self.same(origin, ours) => Err(Refusal::new(
                Reason::OriginNotAllowed,
                "the request was made by a page of another site",
            )),
            _ => Ok(()),
        }
    }

    /// The name in full, if it is ours. Without a port both default ports are tried.
    fn find(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let whole = if has_port(&name) { vec![name] } else { with_default_ports(&name).into() };
        whole.iter().find_map(|name| self.0.get(name)).map(String::as_str)
    }

    /// Is the origin the very address the request was sent to?
    fn same(&self, origin: &str, ours: &str) -> bool {
        let Some((scheme, name)) = origin.split_once("://") else { return false };
        let default = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return false,
        };
        let name = name.to_ascii_lowercase();
        let whole = if has_port(&name) { name } else { format!("{name}:{default}") };
        // Behind a proxy that ends TLS, `Host` may leave out a port we cannot know the default of.
        let host = |name: &str| name.rsplit_once(':').map(|(host, _)| host.to_owned());
        whole == ours || (self.0.contains(&whole) && host(&whole) == host(ours))
    }
}

fn has_port(name: &str) -> bool {
    let after_brackets = name.rsplit_once(']').map_or(name, |(_, rest)| rest);
    after_brackets.contains(':')
}

fn with_default_ports(name: &str) -> [String; 2] {
    [80, 443].map(|port| format!("{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &Addresses, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        addresses.check(&Uri::from_static("/v1/status"), &headers, false).is_ok()
    }

    #[test]
    fn only_our_own_names_are_answered() {
        let addresses = Addresses::new("127.0.0.1:4000".parse().unwrap(), &[]);
        for host in ["127.0.0.1:4000", "localhost:4000", "LOCALHOST:4000", "[::1]:4000"] {
            assert!(check(&addresses, host, None), "{host}");
        }
        for host in [
            "evil.example:4000",
            "localhost.evil.example:4000",
            "127.0.0.1:4001",
            "127.0.0.1",
            "localhost",
            "127.0.0.1.:4000",
            "user@127.0.0.1:4000",
            "2130706433:4000",
            "",
        ] {
            assert!(!check(&addresses, host, None), "{host}");
        }
    }

    #[test]
    fn a_configured_name_is_ours_at_its_port() {
        let extra = ["aileron.example".to_owned(), "other.example:8443".to_owned()];
        let addresses = Addresses::new("10.0.0.5:4000".parse().unwrap(), &extra);
        for host in
            ["aileron.example", "aileron.example:4000", "other.example:8443", "10.0.0.5:4000"]
        {
            assert!(check(&addresses, host, None), "{host}");
        }
        for host in ["other.example", "localhost:4000", "aileron.example:9", "x.aileron.example"] {
            assert!(!check(&addresses, host, None), "{host}");
        }
    }

    #[test]
    fn only_our_own_page_may_call() {
        let extra = ["aileron.example".to_owned()];
        let addresses = Addresses::new("127.0.0.1:4000".parse().unwrap(), &extra);
        for (host, origin) in [
            ("127.0.0.1:4000", "http://127.0.0.1:4000"),
            ("localhost:4000", "http://localhost:4000"),
            ("aileron.example", "https://aileron.example"),
        ] {
            assert!(check(&addresses, host, Some(origin)), "{origin}");
        }
        for (host, origin) in [
            ("127.0.0.1:4000", "null"),
            ("127.0.0.1:4000", "http://127.0.0.1:3000"),
            ("127.0.0.1:4000", "http://localhost:4000"),
            ("127.0.0.1:4000", "https://evil.example"),
            ("127.0.0.1:4000", "https://aileron.example"),
            ("127.0.0.1:4000", "file://127.0.0.1:4000"),
            ("127.0.0.1:4000", ""),
        ] {
            assert!(!check(&addresses, host, Some(origin)), "{origin}");
        }
    }
}
