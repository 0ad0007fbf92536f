//! Reading documents from a source, through egress and within bounds.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Context, Reason, Timestamp,
    egress::{Authorization, Fetch, Handle, Outcome, Response},
    limits,
    names::HostPort,
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use url::Url;

use super::underway::Watched;

mod problem;
mod tree;

pub(super) use problem::FetchError;
use problem::Pause;
pub(super) use tree::Tree;

/// Fetches through egress; no other part of this service reaches the network.
#[derive(Clone)]
pub(super) struct Fetcher {
    egress: Handle,
    token: Option<Authorization>,
    asset_hosts: Arc<[HostPort]>,
    clock: fn() -> Timestamp,
}

/// A page of a listing, or the news that it is still the known one.
#[derive(Debug)]
pub(super) enum Listed {
    Same,
    Fresh { body: Bytes, etag: Option<String>, link: Option<String> },
}

impl Fetcher {
    pub(super) fn new(
        egress: Handle,
        token: Option<Authorization>,
        asset_hosts: Vec<HostPort>,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self { egress, token, asset_hosts: asset_hosts.into(), clock }
    }

    /// The same for somebody who may not see what only the person's token shows.
    pub(super) fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// Has the source a token of the person's?
    pub(super) fn with_token(&self) -> bool {
        self.token.is_some()
    }

    /// A package's archive on its public page; it may be on an asset host.
    pub(super) async fn archive(&self, url: Url, watched: &Watched) -> Result<Bytes, FetchError> {
        let fetch = self.large(&url);
        self.ask(url, fetch, Some(watched)).await.map(|answered| answered.body)
    }

    /// A package's archive through the API, for those with a token. The token goes no further
    /// than the API; the archive itself may be on an asset host.
    pub(super) async fn asset(&self, url: Url, watched: &Watched) -> Result<Bytes, FetchError> {
        let fetch = Fetch {
            accept: Some("application/octet-stream".to_owned()),
            authorization: self.token.clone(),
            ..self.large(&url)
        };
        self.ask(url, fetch, Some(watched)).await.map(|answered| answered.body)
    }

    /// A small public document.
    pub(super) async fn public(&self, url: Url, max: u64) -> Result<Bytes, FetchError> {
        let fetch = small(&url, max);
        self.fetch(url, fetch).await
    }

    /// A small document of the API, asked for with the token if there is one.
    pub(super) async fn api(&self, url: Url, accept: &str, max: u64) -> Result<Bytes, FetchError> {
        let fetch = Fetch {
            accept: Some(accept.to_owned()),
            authorization: self.token.clone(),
            ..small(&url, max)
        };
        self.fetch(url, fetch).await
    }

    /// A page of releases, unless it is still the one with the tag `etag`.
    pub(super) async fn listing(&self, url: Url, etag: Option<&str>) -> Result<Listed, FetchError> {
        let fetch = Fetch {
            accept: Some("application/vnd.github+json".to_owned()),
            if_none_match: etag.map(str::to_owned),
            authorization: self.token.clone(),
            ..small(&url, limits::RELEASE_PAGE)
        };
        let answered = self.ask(url, fetch, None).await?;
        if answered.status == NOT_MODIFIED {
            return Ok(Listed::Same);
        }
        let (etag, link) = (answered.header("etag"), answered.header("link"));
        Ok(Listed::Fresh { body: answered.body, etag, link })
    }

    fn large(&self, url: &Url) -> Fetch {
        Fetch {
            redirects: self.asset_hosts.to_vec(),
            timeout: limits::FETCH_PACKAGE_WALL,
            ..small(url, limits::PACKAGE_COMPRESSED)
        }
    }

    async fn fetch(&self, url: Url, fetch: Fetch) -> Result<Bytes, FetchError> {
        self.ask(url, fetch, None).await.map(|answered| answered.body)
    }

    async fn ask(
        &self,
        url: Url,
        fetch: Fetch,
        watched: Option<&Watched>,
    ) -> Result<Answered, FetchError> {
        let (max, wall) = (fetch.max_response, fetch.timeout);
        let known = fetch.if_none_match.is_some();
        let context = Context::service("executor");
        let answer = async {
            match self.egress.fetch(&context, fetch).await? {
                Outcome::Answered(response) if known && response.status == NOT_MODIFIED => {
                    let Response { status, headers, .. } = response;
                    Ok(Answered { status, headers, body: Bytes::new() })
                }
                Outcome::Answered(response) => self.read(&url, response, max, watched).await,
                Outcome::Failed(failed) => Err(FetchError::Broken {
                    url: url.clone(),
                    message: failed.failure.message,
                    retriable: failed.failure.retriable,
                }),
            }
        };
        // Egress keeps the deadline too; this one also covers a lost egress.
        match tokio::time::timeout(wall + Duration::from_secs(5), answer).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Broken {
                url: url.clone(),
                message: format!("no complete answer within {} s", wall.as_secs()),
                retriable: true,
            }),
        }
    }

    async fn read(
        &self,
        url: &Url,
        response: Response,
        max: u64,
        watched: Option<&Watched>,
    ) -> Result<Answered, FetchError> {
        let Response { status, headers, mut body, .. } = response;
        if !(200..300).contains(&status) {
            let pause = Pause::of(status, &headers, (self.clock)());
            return Err(FetchError::Status { url: url.clone(), status, pause });
        }
        if let Some(watched) = watched {
            watched.begins(header(&headers, "content-length").and_then(|text| text.parse().ok()));
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| FetchError::Broken {
                url: url.clone(),
                message: error.public().to_owned(),
                retriable: error.reason() != Reason::BodyTooLarge,
            })?;
            let length = bytes.len().saturating_add(chunk.len());
            if u64::try_from(length).unwrap_or(u64::MAX) > max {
                return Err(FetchError::TooLong(url.clone(), max));
            }
            bytes.extend_from_slice(&chunk);
            if let Some(watched) = watched {
                watched.received(chunk.len());
            }
        }
        Ok(Answered { status, headers, body: bytes.freeze() })
    }
}

const NOT_MODIFIED: u16 = 304;

/// A whole answer.
struct Answered {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Answered {
    fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name).map(str::to_owned)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn small(url: &Url, max: u64) -> Fetch {
    Fetch {
        url: url.as_str().to_owned(),
        accept: None,
        if_none_match: None,
        authorization: None,
        redirects: Vec::new(),
        max_response: max,
        timeout: limits::FETCH_SMALL_WALL,
    }
}
