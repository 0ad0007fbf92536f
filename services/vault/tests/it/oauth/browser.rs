//! As much of a browser as a person needs to log in and consent: pages, forms, cookies, redirects.

use std::collections::BTreeMap;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use url::{Url, form_urlencoded};

/// One person's browser: its cookies are its own.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Browser {
    /// Logs in and consents, until the provider sends the browser to `redirect_uri`.
    pub(crate) async fn consents(&mut self, start: &str, redirect_uri: &str) -> String {
        let end = self.interacts(start, Some(redirect_uri)).await;
        end.location.unwrap()
    }

    /// Enters what a device showed, and says yes or no.
    pub(crate) async fn answers_device(&mut self, complete: &str, yes: bool) -> Page {
        let first = self.get(complete).await;
        let at = complete.split('?').next().unwrap().to_owned();
        let (xsrf, code) = (field(&first.body, "xsrf"), field(&first.body, "user_code"));
        let mut form = vec![("xsrf", xsrf.as_str()), ("user_code", code.as_str())];
        let second = self.post(&at, &form).await;
        assert_eq!(second.status, 200, "{}", second.body);
        form.push((if yes { "confirm" } else { "abort" }, "yes"));
        let third = self.post(&at, &form).await;
        match third.location.clone() {
            Some(next) => self.interacts(&absolute(&at, &next), None).await,
            None => third,
        }
    }

    /// Follows redirects and answers interactions, up to `stop` or a page that asks nothing.
    async fn interacts(&mut self, start: &str, stop: Option<&str>) -> Page {
        let mut at = start.to_owned();
        for _ in 0..20 {
            let mut page = self.get(&at).await;
            if page.location.is_none() && page.body.contains("value=\"login\"") {
                page = self
                    .post(&at, &[("prompt", "login"), ("login", "me"), ("password", "x")])
                    .await;
            } else if page.location.is_none() && page.body.contains("value=\"consent\"") {
                page = self.post(&at, &[("prompt", "consent")]).await;
            }
            match &page.location {
                Some(next) if stop.is_some_and(|stop| next.starts_with(stop)) => return page,
                Some(next) => at = absolute(&at, next),
                None => return page,
            }
        }
        panic!("the provider never comes to an end")
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.ask("GET", url, "").await
    }

    pub(crate) async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.ask("POST", url, &body).await
    }

    async fn ask(&mut self, method: &str, url: &str, body: &str) -> Page {
        let url: Url = url.parse().unwrap();
        let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            cookies.join("; "),
            body.len(),
        );
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        self.page(&String::from_utf8_lossy(&answer))
    }

    fn page(&mut self, answer: &str) -> Page {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let (mut location, mut chunked) = (None, false);
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            match name.to_ascii_lowercase().as_str() {
                "location" => location = Some(value.to_owned()),
                "transfer-encoding" => chunked = true,
                "set-cookie" => {
                    let pair = value.split(';').next().unwrap();
                    let (name, value) = pair.split_once('=').unwrap();
                    if value.is_empty() {
                        self.cookies.remove(name);
                    } else {
                        self.cookies.insert(name.to_owned(), value.to_owned());
                    }
                }
                _ => {}
            }
        }
        let body = if chunked { joined(body) } else { body.to_owned() };
        Page { status, location, body }
    }
}

/// A chunked body in one piece; the pages are plain ASCII.
fn joined(mut raw: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = raw.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        raw = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

fn absolute(base: &str, location: &str) -> String {
    base.parse::<Url>().unwrap().join(location).unwrap().into()
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\"")).unwrap();
    let (_, rest) = rest.split_once("value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}
