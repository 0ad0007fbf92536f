//! Where a provider's redirect arrives on this machine: one address, one answer. Other pages of
//! the browser may knock as well; they are told that there is nothing.

use std::{io, net::SocketAddr, time::Duration};

use aileron_api::Sensitive;
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use url::Url;

use crate::failure::{Failure, Result};

/// A request line and headers; codes are short.
const HEAD: usize = 32 * 1024;
/// How long one visitor may take to say what it wants.
const VISIT: Duration = Duration::from_secs(5);
/// Visitors heard at once. Browsers open connections ahead of time and say nothing on them.
const VISITORS: usize = 64;

/// A listener for one redirect.
pub(super) struct Doorstep {
    listener: TcpListener,
    host: String,
    path: String,
    /// The one of this setup: any page could bring another, and end the setup with it.
    state: Sensitive,
    visit: Duration,
}

/// What the redirect brought, and the browser that waits for a page.
pub(super) struct Arrived {
    /// The code, or the provider's error.
    pub(super) answer: Result<Sensitive, String>,
    pub(super) state: Sensitive,
    /// Who says to have answered (RFC 9207).
    pub(super) iss: Option<String>,
    pub(super) page: Page,
}

/// A redirect of this setup.
struct Read {
    answer: Result<Sensitive, String>,
    state: Sensitive,
    iss: Option<String>,
}

/// A browser that waits for an answer.
pub(super) struct Page(TcpStream);

impl Doorstep {
    /// Listens where the runtime said.
    pub(super) async fn take(redirect_uri: &str, authorize_url: &str) -> io::Result<Self> {
        let unfit = || io::Error::other("the runtime named no address of this machine");
        let uri = Url::parse(redirect_uri).map_err(|_| unfit())?;
        let (Some("127.0.0.1"), Some(port)) = (uri.host_str(), uri.port()) else {
            return Err(unfit());
        };
        let authorize = Url::parse(authorize_url).map_err(|_| unfit())?;
        let state = member(&authorize, "state").ok_or_else(unfit)?;
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        let host = format!("127.0.0.1:{port}");
        let (path, state) = (uri.path().to_owned(), Sensitive::new(state));
        Ok(Self { listener, host, path, state, visit: VISIT })
    }

    /// Waits for the redirect of this setup, whoever else is there.
    pub(super) async fn arrival(self) -> Result<Arrived> {
        let mut visitors = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if visitors.len() < VISITORS => {
                    let (visitor, _) = accepted.map_err(|error| {
                        Failure::plain(format!("cannot wait for the browser: {error}"))
                    })?;
                    visitors.push(self.heard(visitor));
                }
                Some(heard) = visitors.next() => {
                    if let Some(arrived) = heard {
                        return Ok(arrived);
                    }
                }
            }
        }
    }

    /// What one visitor brought, if it is what is waited for.
    async fn heard(&self, mut visitor: TcpStream) -> Option<Arrived> {
        let head = timeout(self.visit, head(&mut visitor)).await.ok()?.ok()?;
        let Some(Read { answer, state, iss }) = self.read(&head) else {
            Page(visitor).nothing().await;
            return None;
        };
        Some(Arrived { answer, state, iss, page: Page(visitor) })
    }

    /// The answer in a request, if it is the one that is waited for.
    fn read(&self, head: &str) -> Option<Read> {
        let mut lines = head.split("\r\n");
        let target = lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
        let mut hosts = lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        // A name of another site that leads here is not ours.
        let ours = hosts.next().is_some_and(|(_, host)| host.trim() == self.host);
        if !ours || hosts.next().is_some() || !target.starts_with('/') {
            return None;
        }
        let url = Url::parse(&format!("http://{}{target}", self.host)).ok()?;
        let state = Sensitive::new(member(&url, "state")?);
        if url.path() != self.path || state != self.state {
            return None;
        }
        let answer = match member(&url, "error") {
            None => Ok(Sensitive::new(member(&url, "code")?)),
            Some(error) => {
                let word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
                let known = error.len() <= 64 && error.chars().all(word);
                Err(if known { error } else { "an error without a known code".to_owned() })
            }
        };
        // Twice is not at all: the runtime refuses an empty one.
        let named = url.query_pairs().any(|(name, _)| name == "iss");
        let iss = named.then(|| member(&url, "iss").unwrap_or_default());
        Some(Read { answer, state, iss })
    }
}

impl Page {
    /// Two sentences of ours.
    pub(super) async fn say(self, title: &str, text: &str) {
        self.send("200 OK", title, text).await;
    }

    async fn nothing(self) {
        self.send("404 Not Found", "Nothing here", "This page waits for somebody else.").await;
    }

    /// A browser that has gone misses nothing: the command line says it as well.
    async fn send(mut self, status: &str, title: &str, text: &str) {
        let body = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title} · Aileron</title>\n<h1>{title}</h1>\n<p>{text}</p>\n</html>\n"
        );
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n\
             Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\
             Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let sent = async {
            self.0.write_all(answer.as_bytes()).await?;
            self.0.shutdown().await
        };
        drop(timeout(VISIT, sent).await);
    }
}

/// A request's first lines, to the empty one.
async fn head(visitor: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = visitor.read(&mut buffer).await?;
        bytes.extend_from_slice(buffer.get(..length).unwrap_or_default());
        if length == 0 || bytes.len() > HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            bytes.truncate(end);
            return String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into());
        }
    }
}

/// A member of the query that is there once.
fn member(url: &Url, name: &str) -> Option<String> {
    let mut found = url.query_pairs().filter(|(key, _)| key == name);
    let (_, value) = found.next()?;
    found.next().is_none().then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn doorstep() -> Doorstep {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let redirect = format!("http://{free}/callback");
        Doorstep::take(&redirect, "https://id.example/a?client_id=x&state=right").await.unwrap()
    }

    fn request(doorstep: &Doorstep, target: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\nAccept: */*", doorstep.host)
    }

    #[tokio::test]
    async fn only_the_answer_of_this_setup_is_read() {
        let doorstep = doorstep().await;
        let read = |target: &str| doorstep.read(&request(&doorstep, target));
        let Read { answer, state, iss } = read("/callback?code=c%2B&state=right&iss=x").unwrap();
        assert_eq!((answer.unwrap().expose(), state.expose()), ("c+", "right"));
        assert_eq!(iss.as_deref(), Some("x"));
        let twice = read("/callback?code=c&state=right&iss=x&iss=y").unwrap();
        assert_eq!(twice.iss.as_deref(), Some(""));
        let denied = read("/callback?error=access_denied&state=right").unwrap();
        assert_eq!((denied.answer.unwrap_err().as_str(), denied.iss), ("access_denied", None));
        let steering = read("/callback?error=%1B%5B31m&state=right").unwrap();
        assert_eq!(steering.answer.unwrap_err(), "an error without a known code");
        for target in [
            "/",
            "/favicon.ico",
            "/callback",
            "/callback?code=c",
            "/callback?code=c&state=wrong",
            "/callback?code=c&state=right&state=wrong",
            "/callback?code=c&code=d&state=right",
            "/callback/x?code=c&state=right",
            "http://evil.example/callback?code=c&state=right",
        ] {
            assert!(read(target).is_none(), "{target}");
        }
        let good = request(&doorstep, "/callback?code=c&state=right");
        for head in [
            good.replace("GET", "POST"),
            good.replace(&doorstep.host, "evil.example"),
            good.replace("Accept: */*", &format!("host: {}", doorstep.host)),
        ] {
            assert!(doorstep.read(&head).is_none(), "{head}");
        }
    }

    #[tokio::test]
    async fn a_visitor_that_says_nothing_or_too_much_does_not_keep_the_redirect_out() {
        let mut doorstep = doorstep().await;
        doorstep.visit = Duration::from_hours(1);
        let host = doorstep.host.clone();
        let knock = async {
            // Nothing is ever said on these, and they stay.
            let mut silent = Vec::new();
            for _ in 0..VISITORS / 2 {
                silent.push(TcpStream::connect(&host).await.unwrap());
            }
            let mut long = TcpStream::connect(&host).await.unwrap();
            drop(long.write_all(&vec![b'x'; 2 * HEAD]).await);
            let mut other = TcpStream::connect(&host).await.unwrap();
            let line = format!("GET /callback?code=c&state=wrong HTTP/1.1\r\nHost: {host}\r\n\r\n");
            other.write_all(line.as_bytes()).await.unwrap();
            let mut told = String::new();
            other.read_to_string(&mut told).await.unwrap();
            assert!(told.starts_with("HTTP/1.1 404"), "{told}");
            let mut right = TcpStream::connect(&host).await.unwrap();
            let line = format!("GET /callback?code=c&state=right HTTP/1.1\r\nHost: {host}\r\n\r\n");
            right.write_all(line.as_bytes()).await.unwrap();
            let mut told = String::new();
            right.read_to_string(&mut told).await.unwrap();
            told
        };
        let wait = async {
            let Arrived { answer, state: _, iss: _, page } = doorstep.arrival().await.unwrap();
            page.say("Done", "You can close this page.").await;
            answer.unwrap()
        };
        let (told, code) = tokio::join!(knock, wait);
        assert_eq!(code.expose(), "c");
        assert!(told.contains("<h1>Done</h1>") && told.contains("no-store"), "{told}");
    }

    #[tokio::test]
    async fn no_other_machine_is_listened_for() {
        for redirect in ["http://0.0.0.0:9/callback", "http://a.example:9/callback", "x"] {
            assert!(Doorstep::take(redirect, "https://id.example/?state=s").await.is_err());
        }
    }
}
