//! URLs that are spelled as they will be sent: nearly all there are. What this knows for certain is
//! read here; everything else, well formed or not, is for the URL parser, which takes its time.

use aileron_contract::names::HostPort;

/// The parts of a URL whose one spelling is the one it is written in.
pub(super) struct Plain {
    pub(super) host: HostPort,
    pub(super) secure: bool,
    /// Where the authority begins.
    pub(super) authority: usize,
    /// Where the path begins.
    pub(super) path: usize,
}

impl Plain {
    /// None does not say that anything is wrong with it.
    pub(super) fn read(raw: &str) -> Option<Self> {
        let (secure, rest) = match raw.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, raw.strip_prefix("http://")?),
        };
        let (authority, path) = rest.split_at_checked(rest.bytes().position(|c| c == b'/')?)?;
        let own = if secure { 443 } else { 80 };
        let (name, port) = match authority.split_once(':') {
            Some((name, port)) => (name, spelled(port).filter(|port| *port != own)?),
            None => (authority, own),
        };
        if !is_name(name) || !is_path(path.as_bytes()) {
            return None;
        }
        let host = HostPort::new(name, port).ok()?;
        let at = |part: &str| raw.len().checked_sub(part.len());
        Some(Self { host, secure, authority: at(rest)?, path: at(path)? })
    }
}

/// A name in small letters that is neither an address in any notation nor in an encoding of its
/// own.
fn is_name(name: &str) -> bool {
    let letters = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    let last = name.rsplit('.').next().unwrap_or_default();
    last.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(letters)
        && !name.contains("xn--")
}

/// A port in digits, without a zero before them.
fn spelled(port: &str) -> Option<u16> {
    let digits = port.bytes().all(|c| c.is_ascii_digit()) && !port.starts_with('0');
    port.parse().ok().filter(|_| digits)
}

/// Path and query without anything that is spelled in two ways: no segment begins with a dot,
/// which may lead elsewhere, or with an escape, which may be one.
fn is_path(text: &[u8]) -> bool {
    let leads = |pair: &[u8]| matches!(pair, [b'/', b'.' | b'%']);
    text.iter().all(|c| is_sent(*c)) && !text.windows(2).any(leads)
}

/// What is sent as it is, in a path as in a query.
fn is_sent(c: u8) -> bool {
    matches!(c,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'-' | b'.' | b'_' | b'~' | b'/' | b'?' | b'%'
        | b'&' | b'=' | b'+' | b',' | b';' | b':' | b'@' | b'!' | b'$' | b'(' | b')' | b'*')
}

#[cfg(test)]
mod tests {
    use super::Plain;

    #[test]
    fn what_people_write_is_read_the_short_way() {
        for raw in [
            "https://api.linear.app/graphql",
            "https://api.example.com:8443/v1/notes?limit=20&after=a%20b",
            "http://localhost:8080/",
            "https://hooks.example-2.com/x.json;v=1?a",
        ] {
            assert!(Plain::read(raw).is_some(), "{raw}");
        }
    }

    #[test]
    fn what_can_be_spelled_in_two_ways_is_left_to_the_parser() {
        for raw in [
            "https://api.example.com",
            "https://API.example.com/",
            "HTTPS://api.example.com/",
            "https://api.example.com:443/",
            "https://api.example.com:080/",
            "https://api.example.com:/",
            "https://127.0.0.1/",
            "https://1.0x7f/",
            "https://xn--bcher-kva.example/",
            "https://user@example.com/",
            "https://example.com/a/../b",
            "https://example.com/a/%2e%2E/b",
            "https://example.com/a b",
            "https://example.com/a'b",
            "https://example.com/a#b",
            "https://example.com/a\\b",
            "https://example.com/a\tb",
            "https://example.com/\u{e9}",
            "https://example.com?x=/",
            "ftp://example.com/",
        ] {
            assert!(Plain::read(raw).is_none(), "{raw}");
        }
    }
}
