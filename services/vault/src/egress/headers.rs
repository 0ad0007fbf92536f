//! A guest's method and headers, parsed strictly; an upstream's headers, reduced.

use aileron_contract::limits;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::{mask::Masker, problem::Problem};

/// Headers egress writes itself. Guests set them out of habit, and the published runtime ignores
/// them: dropped.
const OURS: &[&str] =
    &["host", "content-length", "accept-encoding", "connection", "keep-alive", "proxy-connection"];

/// Headers that frame a message or speak to a proxy. A guest that sends one is smuggling or
/// mistaken: refused.
const FRAMING: &[&str] =
    &["transfer-encoding", "te", "trailer", "upgrade", "expect", "http2-settings"];

/// Headers that carry credentials. With a credential of the vault a guest's own are dropped, as
/// published; without one they are refused: a key that reached the guest some other way has not
/// been consented to for any host.
const CREDENTIALS: &[&str] = &["authorization", "cookie", "x-api-key"];

/// Describe a body; gone when a redirect turns the request into `GET`.
const OF_BODY: &[&str] =
    &["content-type", "content-encoding", "content-language", "content-location"];

/// Left out of what the caller sees: credentials and cookies, and what is about the connection or
/// a body that has been decoded.
const WITHHELD: &[&str] = &[
    "set-cookie",
    "set-cookie2",
    "authorization",
    "authentication-info",
    "proxy-authentication-info",
    "proxy-authenticate",
    "proxy-authorization",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "trailer",
    "upgrade",
    "content-encoding",
    "content-length",
];

/// A method token; none is `GET`. `CONNECT` and `TRACE` are not a guest's to use: one asks for a
/// tunnel, the other for the request's headers.
pub(crate) fn method(raw: &str) -> Result<Method, Problem> {
    let refused = || Problem::Malformed("the method is none a connector may use".to_owned());
    if raw.is_empty() {
        return Ok(Method::GET);
    }
    let method = Method::from_bytes(raw.as_bytes()).map_err(|_| refused())?;
    let kept = ["CONNECT", "TRACE"].iter().any(|kept| raw.eq_ignore_ascii_case(kept));
    if raw.len() > 32 || kept {
        return Err(refused());
    }
    Ok(method)
}

/// A guest's headers, one value per name. `joined` names the headers a credential will write, if
/// one will be joined.
pub(crate) fn of_guest(
    raw: &[(String, String)],
    joined: Option<&[HeaderName]>,
) -> Result<HeaderMap, Problem> {
    let refused = |why: &str| Problem::Malformed(why.to_owned());
    let size: usize = raw.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    if size > limits::EGRESS_HEADERS {
        return Err(refused("the headers are too long"));
    }
    let mut headers = HeaderMap::with_capacity(raw.len() + 4);
    for (name, value) in raw {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| refused("a header's name is no token"))?;
        let value = HeaderValue::from_bytes(value.trim().as_bytes())
            .map_err(|_| refused("a header's value contains a control character"))?;
        let proxy = name.as_str().starts_with("proxy-") && !OURS.contains(&name.as_str());
        if proxy || FRAMING.contains(&name.as_str()) {
            return Err(Problem::Malformed(format!("the header {name} is not a guest's to set")));
        }
        let credential = CREDENTIALS.iter().find(|credential| **credential == name.as_str());
        if let (Some(header), None) = (credential, joined) {
            return Err(Problem::OwnCredential { header });
        }
        let replaced = joined.is_some_and(|joined| joined.contains(&name));
        if credential.is_some() || replaced || OURS.contains(&name.as_str()) {
            continue;
        }
        if headers.insert(name, value).is_some() {
            return Err(refused("a header is given twice"));
        }
    }
    Ok(headers)
}

/// What every request carries unless the guest said otherwise, and the one encoding we ask for.
pub(crate) fn complete(headers: &mut HeaderMap) {
    let agent = HeaderValue::from_static(concat!("aileron/", env!("CARGO_PKG_VERSION")));
    headers.entry(header::USER_AGENT).or_insert(agent);
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
}

/// Drops what described a body that is no longer sent.
pub(crate) fn without_body(headers: &mut HeaderMap) {
    for name in OF_BODY {
        headers.remove(*name);
    }
}

/// What the caller may see of an upstream's headers, the credential masked.
pub(crate) fn for_caller(headers: &HeaderMap, masker: &Masker) -> Vec<(String, String)> {
    let shown = |name: &HeaderName| {
        !WITHHELD.contains(&name.as_str()) && !masker.finds(name.as_str().as_bytes())
    };
    let mut out = Vec::with_capacity(headers.len());
    for (name, value) in headers.iter().filter(|(name, _)| shown(name)) {
        let value = masker.whole(value.as_bytes());
        out.push((name.as_str().to_owned(), String::from_utf8_lossy(&value).into_owned()));
    }
    out
}

/// How long a body that is handed on as it comes will be, by the upstream's own word: for whoever
/// shows how far a download is. What a package is comes out when it is read.
pub(crate) fn announced(headers: &HeaderMap) -> Option<(String, String)> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return None;
    }
    let length: u64 = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    Some((header::CONTENT_LENGTH.as_str().to_owned(), length.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str, value: &str) -> Result<HeaderMap, Problem> {
        of_guest(&[(name.to_owned(), value.to_owned())], None)
    }

    #[test]
    fn headers_that_break_a_line_are_refused() {
        for (name, value) in [
            ("x", "a\r\nHost: evil.com"),
            ("x", "a\nb"),
            ("x", "a\rb"),
            ("x", "a\0b"),
            ("x\r\ny", "a"),
            ("x: y", "a"),
            ("", "a"),
            (":authority", "evil.com"),
            ("x y", "a"),
            ("ﬀ", "a"),
        ] {
            assert!(parsed(name, value).is_err(), "{name:?}: {value:?}");
        }
    }

    #[test]
    fn headers_that_frame_a_message_are_refused() {
        for name in ["Transfer-Encoding", "TE", "trailer", "Upgrade", "Expect", "Proxy-Foo"] {
            assert!(parsed(name, "chunked").is_err(), "{name}");
        }
    }

    #[test]
    fn headers_that_are_ours_are_dropped() {
        for name in ["Host", "Content-Length", "Connection", "Accept-Encoding", "Keep-Alive"] {
            assert!(parsed(name, "1").unwrap().is_empty(), "{name}");
        }
    }

    #[test]
    fn a_header_given_twice_is_refused_whatever_its_case() {
        let twice = [("X-A".to_owned(), "1".to_owned()), ("x-a".to_owned(), "2".to_owned())];
        assert!(of_guest(&twice, None).is_err());
    }

    #[test]
    fn a_guests_own_credential_is_dropped_beside_ours_and_refused_alone() {
        let joined = [HeaderName::from_static("x-linear-key")];
        for name in ["Authorization", "COOKIE", "X-Api-Key"] {
            assert!(matches!(parsed(name, "mine"), Err(Problem::OwnCredential { .. })), "{name}");
            let raw = [(name.to_owned(), "mine".to_owned())];
            assert!(of_guest(&raw, Some(&joined)).unwrap().is_empty(), "{name}");
        }
        let raw = [("X-Linear-Key".to_owned(), "mine".to_owned())];
        assert!(of_guest(&raw, Some(&joined)).unwrap().is_empty());
    }

    #[test]
    fn methods_are_tokens_and_open_no_tunnel() {
        assert_eq!(method("").unwrap(), Method::GET);
        assert_eq!(method("PATCH").unwrap(), Method::PATCH);
        for raw in ["GET /", "G\r\nT", "CONNECT", "connect", "TRACE", "é"] {
            assert!(method(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn cookies_and_encodings_of_the_upstream_are_left_out() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("set-cookie", "a=b"), ("content-encoding", "gzip"), ("x-a", "b")] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let shown = for_caller(&headers, &Masker::default());
        assert_eq!(shown, [("x-a".to_owned(), "b".to_owned())]);
    }
}
