//! Where a request goes, parsed once.

use std::{fmt, sync::Arc};

use aileron_contract::{limits, names::HostPort};
use bytes::Bytes;
use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use url::{Host, Position, Url};

use super::{plain::Plain, problem::Problem};

/// An absolute `http` or `https` URL without user information and fragment, whose host is spelled
/// the one way we compare and dial it. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target(Arc<Place>);

#[derive(PartialEq, Eq)]
struct Place {
    host: HostPort,
    secure: bool,
    /// The whole URL in its one spelling, ASCII.
    text: Bytes,
    /// Where the authority begins in it.
    authority: usize,
    /// Where the path begins, which is never empty.
    path: usize,
}

impl Target {
    /// Reads a guest's URL. The host has to be written as it will be dialled: `0x7f.1`,
    /// `2130706433` and `ex%61mple.com` are refused rather than understood.
    pub(crate) fn parse(raw: &str) -> Result<Self, Problem> {
        if raw.len() > limits::EGRESS_URL {
            return Err(malformed("the URL is too long"));
        }
        match Plain::read(raw) {
            Some(plain) => Ok(Self::plain(plain, raw)),
            None => Self::understood(raw),
        }
    }

    /// What is spelled in its one way already.
    fn plain(plain: Plain, raw: &str) -> Self {
        let Plain { host, secure, authority, path } = plain;
        let text = Bytes::copy_from_slice(raw.as_bytes());
        Self(Arc::new(Place { host, secure, text, authority, path }))
    }

    /// The same for every URL there is.
    fn understood(raw: &str) -> Result<Self, Problem> {
        let odd = |c: u8| c.is_ascii_control() || c == b'\\';
        if raw.bytes().any(odd) || raw.trim() != raw {
            return Err(malformed("the URL contains a control character, a backslash or a margin"));
        }
        let url = Url::parse(raw).map_err(|_| malformed("the URL is not an absolute URL"))?;
        let shown = url.host_str().unwrap_or_default().to_owned();
        let target = Self::of(url)?;
        let written = authority(raw);
        let with_port = written.rsplit_once(':').is_some_and(|(name, port)| {
            name.eq_ignore_ascii_case(&shown) && spells(port, target.host().port())
        });
        if !written.eq_ignore_ascii_case(&shown) && !with_port {
            return Err(malformed("the URL's host is not written the plain way"));
        }
        Ok(target)
    }

    /// The place a `Location` leads to, seen from here.
    pub(crate) fn redirected(&self, location: &str) -> Result<Self, Problem> {
        if location.len() > limits::EGRESS_URL {
            return Err(Problem::RedirectMalformed);
        }
        let url = self.url().map_err(|_| Problem::RedirectMalformed)?;
        let url = url.join(location).map_err(|_| Problem::RedirectMalformed)?;
        let target = Self::of(url).map_err(|_| Problem::RedirectMalformed)?;
        if self.secure() && !target.secure() {
            return Err(Problem::Downgrade);
        }
        Ok(target)
    }

    fn of(mut url: Url) -> Result<Self, Problem> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(malformed("only https and http URLs can be requested")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(malformed("the URL contains user information"));
        }
        let port = url.port_or_known_default().ok_or_else(|| malformed("the URL has no port"))?;
        let host = match url.host() {
            Some(Host::Domain(name)) => HostPort::new(name, port),
            Some(Host::Ipv4(address)) => HostPort::new(&address.to_string(), port),
            Some(Host::Ipv6(address)) => HostPort::new(&address.to_string(), port),
            None => return Err(malformed("the URL has no host")),
        };
        let host = host.map_err(|_| malformed("the URL's host is no host name or address"))?;
        url.set_fragment(None);
        let authority = url[..Position::BeforeHost].len();
        let path = url[..Position::BeforePath].len();
        let text = Bytes::from(String::from(url));
        Ok(Self(Arc::new(Place { host, secure, text, authority, path })))
    }

    pub(crate) fn host(&self) -> &HostPort {
        &self.0.host
    }

    pub(crate) fn secure(&self) -> bool {
        self.0.secure
    }

    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.secure() == other.secure() && self.host() == other.host()
    }

    /// `host`, or `host:port` when the port is not the scheme's own.
    pub(crate) fn authority(&self) -> &str {
        self.as_str().get(self.0.authority..self.0.path).unwrap_or_default()
    }

    /// The same as a header.
    pub(crate) fn host_header(&self) -> Result<HeaderValue, Problem> {
        let Place { text, authority, path, host: _, secure: _ } = &*self.0;
        HeaderValue::from_maybe_shared(text.slice(*authority..*path))
            .map_err(|_| malformed("the host is no header value"))
    }

    /// The whole URL.
    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0.text).unwrap_or_default()
    }

    /// The same as what can be changed.
    fn url(&self) -> Result<Url, Problem> {
        Url::parse(self.as_str()).map_err(|_| malformed("the URL is not an absolute URL"))
    }

    /// The same with a parameter of the query set to `value`; what was given under that name, in
    /// whatever spelling, is gone.
    pub(crate) fn with_parameter(&self, name: &str, value: &[u8]) -> Result<Self, Problem> {
        let same = |part: &str| {
            let part = part.split('=').next().unwrap_or_default();
            decoded(part).eq_ignore_ascii_case(name.as_bytes())
        };
        // Some servers take a semicolon for a separator.
        let kept =
            |piece: &str| piece.split(';').filter(|part| !same(part)).collect::<Vec<_>>().join(";");
        let mut url = self.url()?;
        let own = url.query().unwrap_or_default().split('&').map(kept);
        let mut query: Vec<_> = own.filter(|piece| !piece.is_empty()).collect();
        query.push(format!("{}={}", encoded(name.as_bytes()), encoded(value)));
        url.set_query(Some(&query.join("&")));
        Self::of(url)
    }

    /// The same, spelled so that whoever decodes it and encodes it again gets what was signed:
    /// `+` in a query is a space to some and a plus to others. With `path` that counts for the
    /// path as well.
    pub(crate) fn signable(&self, path: bool) -> Result<Self, Problem> {
        let mut url = self.url()?;
        if path {
            let segments = url.path().split('/');
            let segments = segments
                .map(|segment| respelled(&percent_decode(segment.as_bytes()).collect::<Vec<_>>()));
            let path = segments.collect::<Result<Vec<_>, _>>()?.join("/");
            url.set_path(&path);
        }
        if let Some(query) = url.query() {
            let pieces = query.split('&').filter(|piece| !piece.is_empty()).map(signable_piece);
            let query = pieces.collect::<Result<Vec<_>, _>>()?.join("&");
            url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        }
        Self::of(url)
    }

    /// Path and query, as HTTP/1.1 writes them on the request line.
    pub(crate) fn origin_form(&self) -> Result<Uri, Problem> {
        uri(self.0.text.slice(self.0.path..))
    }

    /// The whole URL, from which HTTP/2 takes its pseudo headers.
    pub(crate) fn absolute_form(&self) -> Result<Uri, Problem> {
        uri(self.0.text.clone())
    }
}

/// Without path and query: those may hold what nobody should read in a log.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure() { "https" } else { "http" }, self.host())
    }
}

fn malformed(why: &str) -> Problem {
    Problem::Malformed(why.to_owned())
}

/// All but what needs no escape anywhere (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

/// As a form writes it: `+` is a space.
fn decoded(part: &str) -> Vec<u8> {
    let spaced: Vec<u8> = part.bytes().map(|c| if c == b'+' { b' ' } else { c }).collect();
    percent_decode(&spaced).collect()
}

/// The one spelling of what is signed.
fn respelled(bytes: &[u8]) -> Result<String, Problem> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(encoded(bytes)),
        Err(_) => Err(malformed("what is signed must be UTF-8")),
    }
}

/// A parameter with or without a value.
fn signable_piece(piece: &str) -> Result<String, Problem> {
    let name = decoded(piece.split('=').next().unwrap_or_default());
    if is_signature(&name) {
        return Err(Problem::OwnSignature);
    }
    let name = respelled(&name)?;
    match piece.split_once('=') {
        Some((_, value)) => Ok(format!("{name}={}", respelled(&decoded(value))?)),
        None => Ok(name),
    }
}

/// Parameters with which a URL carries a signature of its own.
fn is_signature(name: &[u8]) -> bool {
    const OWN: [&str; 7] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
    ];
    OWN.iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
}

fn uri(text: Bytes) -> Result<Uri, Problem> {
    Uri::from_maybe_shared(text).map_err(|_| malformed("the URL cannot be put in a request"))
}

/// Is this the one way to write a port?
fn spells(text: &str, port: u16) -> bool {
    !text.starts_with(['0', '+']) && text.parse() == Ok(port)
}

/// What is written between the scheme and the path.
fn authority(raw: &str) -> &str {
    let rest = raw.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn host(raw: &str) -> String {
        Target::parse(raw).unwrap().host().to_string()
    }

    #[test]
    fn hosts_are_lower_case_and_ports_explicit() {
        assert_eq!(host("https://API.Example.com/x"), "api.example.com:443");
        assert_eq!(host("https://api.example.com:443/x"), "api.example.com:443");
        assert_eq!(host("HTTP://localhost?x"), "localhost:80");
        assert_eq!(host("https://[::1]:8443/"), "[::1]:8443");
        assert_eq!(host("https://[::1]"), "[::1]:443");
    }

    #[test]
    fn odd_urls_are_refused() {
        for raw in [
            "",
            "/x",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user@example.com/",
            "https://user:pass@example.com/",
            "https://@example.com/",
            "https://example.com\\@evil.com/",
            "https://exa\tmple.com/",
            "https://example.com/\r\nHost: evil.com",
            " https://example.com/",
            "https:example.com",
            "https:///example.com/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://127.1/",
            "https://0177.0.0.1/",
            "https://ex%61mple.com/",
            "https://ｅxample.com/",
            "https://example.com./",
            "https://example.com:0/",
            "https://example.com:/",
            "https://[::ffff:127.0.0.1]%25eth0/",
            "https://*.example.com/",
        ] {
            assert!(Target::parse(raw).is_err(), "{raw:?}");
        }
    }

    fn urls() -> impl Strategy<Value = String> {
        let scheme = "https://|http://|https://|[a-zA-Z:/@]{0,9}";
        let host = "[a-z]{1,4}|localhost|[a-z0-9.-]{1,9}|(xn--)?[a-z0-9-]{1,6}\\.[a-z0]{1,3}|\\PC{0,6}|[0-9a-fx.]{1,9}|\\[::1\\]";
        let port = "|:[0-9]{0,5}|:443|:80|:0?[0-9]{1,2}|:[ -~]{0,3}";
        let path =
            "|/|/[a-z0-9/?&=.,:;~_+-]{0,20}|(/|%2[eE]|\\.|[?#a]){0,9}|[/?#][ -~]{0,12}|/\\PC{0,6}";
        (scheme, host, port, path).prop_map(|(a, b, c, d)| format!("{a}{b}{c}{d}"))
    }

    proptest! {
        #[test]
        fn what_is_read_the_short_way_is_what_the_parser_understands(raw in urls()) {
            if let Some(plain) = Plain::read(&raw) {
                let understood = Target::understood(&raw);
                prop_assert!(understood.is_ok(), "{}", raw);
                prop_assert!(understood.unwrap() == Target::plain(plain, &raw), "{}", raw);
            }
        }

        #[test]
        fn a_target_reads_as_itself(raw in urls()) {
            if let Ok(target) = Target::parse(&raw) {
                prop_assert!(target.as_str().is_ascii());
                prop_assert!(target.url().unwrap().as_str() == target.as_str());
                prop_assert!(target.origin_form().is_ok() == target.absolute_form().is_ok());
                let host = target.host();
                let own = if target.secure() { 443 } else { 80 };
                let named = match host.host() {
                    address if address.contains(':') => format!("[{address}]"),
                    name => name.to_owned(),
                };
                let port = Some(host.port()).filter(|port| *port != own);
                let shown = port.map_or(named.clone(), |port| format!("{named}:{port}"));
                prop_assert_eq!(target.authority(), shown);
            }
        }
    }

    #[test]
    fn fragments_stay_at_home() {
        let target = Target::parse("https://example.com/a?b=c#secret").unwrap();
        assert_eq!(target.origin_form().unwrap(), "/a?b=c");
        assert_eq!(target.absolute_form().unwrap(), "https://example.com/a?b=c");
    }

    #[test]
    fn redirects_are_resolved_against_the_place_they_come_from() {
        let from = Target::parse("https://example.com/a/b?c").unwrap();
        let to = from.redirected("../d").unwrap();
        assert_eq!(to.origin_form().unwrap(), "/d");
        assert!(to.same_origin(&from));
        assert!(!from.redirected("//other.com/").unwrap().same_origin(&from));
        assert!(!from.redirected("https://example.com:444/").unwrap().same_origin(&from));
        assert!(matches!(from.redirected("http://example.com/"), Err(Problem::Downgrade)));
        assert!(from.redirected("javascript:alert(1)").is_err());
        assert!(from.redirected("https://u:p@example.com/").is_err());
    }

    #[test]
    fn a_target_is_logged_without_path_and_query() {
        let target = Target::parse("https://example.com/a?token=x").unwrap();
        assert_eq!(format!("{target:?}"), "https://example.com:443");
    }
}
