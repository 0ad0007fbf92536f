//! The name the page is served under.
//!
//! Cookies ignore ports: one set for `127.0.0.1` or `localhost` goes to every program that listens
//! on this machine. So the page has a name of its own, `<id>.localhost`, drawn anew by every run.
//! Browsers resolve what ends in `.localhost` to this machine by themselves (RFC 6761, section
//! 6.3).

use std::net::{Ipv4Addr, SocketAddr};

use http::{HeaderMap, header};

use crate::{caller::single, options::Options};

/// Where the page is: a scheme, a name and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    url: String,
    /// As `Host` has it.
    host: String,
}

impl Origin {
    /// The configured address of the gateway, and where there is none the random name; none when
    /// the listener cannot be reached from this machine.
    pub(crate) fn of(options: &Options) -> Option<Self> {
        if let Some(url) = &options.gateway_url {
            return Self::parse(url);
        }
        let listen = here(options.listen_addr)?;
        let bits = uuid::Uuid::new_v4().into_bytes();
        // The last bytes: the version and the variant stand in those before.
        let id = hex::encode(bits.get(9..).unwrap_or(&bits));
        let host = format!("{id}.localhost:{}", listen.port());
        Some(Self { url: format!("http://{host}"), host })
    }

    fn parse(url: &str) -> Option<Self> {
        let uri: http::Uri = url.parse().ok()?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
        let host = uri.authority()?.as_str().to_ascii_lowercase();
        Some(Self { url: format!("{scheme}://{host}"), host })
    }

    /// The address of the page that others know, for banners and links: the configured one, and
    /// where there is none the listener's on this machine. Not the random name: that is for the
    /// person's browser, which is led there. None where there is no page.
    pub(crate) fn known_address(options: &Options) -> Option<String> {
        match &options.gateway_url {
            Some(url) => Self::parse(url).map(|origin| origin.url),
            None => here(options.listen_addr).map(|address| format!("http://{address}")),
        }
    }

    /// `scheme://host:port`, without a path.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The name and port, as a request's `Host` has them.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Was the request sent to this very name?
    pub(super) fn is_asked(&self, uri: &http::Uri, headers: &HeaderMap) -> bool {
        let named = single(headers, &header::HOST).ok().flatten();
        let named = named.or_else(|| uri.authority().map(http::uri::Authority::as_str));
        named.is_some_and(|named| named.eq_ignore_ascii_case(&self.host))
    }

    /// Does the browser have to send the cookie over TLS only?
    pub(super) fn is_secure(&self) -> bool {
        self.url.starts_with("https:")
    }
}

/// Where a browser of this machine reaches the listener; none where it cannot.
fn here(listen: SocketAddr) -> Option<SocketAddr> {
    let ip = match listen.ip() {
        ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    ip.is_loopback().then(|| SocketAddr::new(ip, listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(listen: &str) -> Options {
        Options::new("1", listen.parse().unwrap(), || aileron_contract::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn every_run_draws_a_name_of_its_own() {
        let [one, two] = [(); 2].map(|()| Origin::of(&options("127.0.0.1:4000")).unwrap());
        assert_ne!(one, two);
        let (id, rest) = one.host().split_once('.').unwrap();
        assert_eq!(rest, "localhost:4000");
        assert_eq!(id.len(), 14);
        assert_eq!(one.url(), format!("http://{}", one.host()));
    }

    #[test]
    fn a_configured_address_is_the_pages() {
        let url = Some("https://Aileron.example/some/path".to_owned());
        let options = Options { gateway_url: url, ..options("10.0.0.5:4000") };
        let origin = Origin::of(&options).unwrap();
        assert_eq!(origin.url(), "https://aileron.example");
        assert!(origin.is_secure());
    }

    #[test]
    fn others_know_the_configured_address_or_the_listeners_on_this_machine() {
        let known = |listen: &str, url: Option<&str>| {
            let gateway_url = url.map(str::to_owned);
            let options = Options { gateway_url, ..options(listen) };
            assert_eq!(Origin::of(&options).is_some(), options.page_address().is_some());
            options.page_address()
        };
        for (listen, url, address) in [
            ("127.0.0.1:4000", None, Some("http://127.0.0.1:4000")),
            ("[::1]:4000", None, Some("http://[::1]:4000")),
            ("0.0.0.0:4000", None, Some("http://127.0.0.1:4000")),
            ("[::]:4000", None, Some("http://127.0.0.1:4000")),
            ("10.0.0.5:4000", None, None),
            ("10.0.0.5:4000", Some("https://Page.example/x"), Some("https://page.example")),
            (
                "127.0.0.1:4000",
                Some("https://page.example:8443"),
                Some("https://page.example:8443"),
            ),
            ("127.0.0.1:4000", Some("no address"), None),
        ] {
            assert_eq!(known(listen, url).as_deref(), address, "{listen} {url:?}");
        }
    }

    #[test]
    fn an_address_of_another_machines_has_no_page() {
        assert_eq!(Origin::of(&options("10.0.0.5:4000")), None);
        assert!(Origin::of(&options("0.0.0.0:4000")).is_some());
    }
}
