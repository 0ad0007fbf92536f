//! Reading documents from a source, through egress and within bounds.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Context, Error, Reason, Result,
    egress::{Authorization, Fetch, Handle, Outcome, Response},
    limits,
    names::HostPort,
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use url::Url;

/// Fetches through egress; no other part of this service reaches the network.
#[derive(Clone)]
pub(super) struct Fetcher {
    egress: Handle,
    token: Option<Authorization>,
    asset_hosts: Arc<[HostPort]>,
}

/// Why a document did not arrive.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The source answered, but not with the document.
    #[error("{0} answered {1}")]
    Status(Url, u16),
    /// No answer, or a cut one.
    #[error("{url} could not be fetched: {message}")]
    Broken { url: Url, message: String, retriable: bool },
    #[error("{0} is longer than {1} bytes")]
    TooLong(Url, u64),
    /// Egress itself is not there.
    #[error(transparent)]
    Boundary(#[from] Error),
}

impl FetchError {
    fn retriable(&self) -> bool {
        match self {
            Self::Status(_, status) => *status >= 500 || *status == 429,
            Self::Broken { retriable, .. } => *retriable,
            Self::TooLong(..) => false,
            Self::Boundary(_) => true,
        }
    }

    /// As callers see it: `reason`, with what a caller may do.
    pub(super) fn told(self, reason: Reason, advice: &str) -> Error {
        let retriable = self.retriable();
        let (text, status) = match self {
            Self::Boundary(error) => return error,
            Self::Status(ref url, status) => {
                let meaning = match status {
                    404 => " (not found, or not public)",
                    403 | 429 => " (refused, perhaps too many requests: a token raises the limit)",
                    _ => "",
                };
                (format!("{url} answered {status}{meaning}"), Some(status))
            }
            other => (other.to_string(), None),
        };
        let mut details = serde_json::json!({ "retriable": retriable });
        if let (Some(status), Some(fields)) = (status, details.as_object_mut()) {
            fields.insert("status".to_owned(), status.into());
        }
        Error::new(reason, format!("{text}; {advice}")).with_details(details)
    }
}

impl Fetcher {
    pub(super) fn new(
        egress: Handle,
        token: Option<Authorization>,
        asset_hosts: Vec<HostPort>,
    ) -> Self {
        Self { egress, token, asset_hosts: asset_hosts.into() }
    }

    /// A package's archive; it may be on an asset host.
    pub(super) async fn archive(&self, url: Url) -> Result<Bytes> {
        let fetch = Fetch {
            redirects: self.asset_hosts.to_vec(),
            max_response: limits::PACKAGE_COMPRESSED,
            timeout: limits::FETCH_PACKAGE_WALL,
            ..small(&url, limits::PACKAGE_COMPRESSED)
        };
        self.fetch(url, fetch).await.map_err(|error| match error {
            FetchError::Status(ref url, 404) => {
                let text = format!(
                    "{url} answered 404 (tag or release not found): check name and version"
                );
                let details = serde_json::json!({ "retriable": false, "status": 404 });
                Error::new(Reason::FetchFailed, text).with_details(details)
            }
            other => other.told(Reason::FetchFailed, "nothing was installed"),
        })
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

    async fn fetch(&self, url: Url, fetch: Fetch) -> Result<Bytes, FetchError> {
        let (max, wall) = (fetch.max_response, fetch.timeout);
        let context = Context::service("executor");
        let answer = async {
            match self.egress.fetch(&context, fetch).await? {
                Outcome::Answered(response) => read(&url, response, max).await,
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

async fn read(url: &Url, response: Response, max: u64) -> Result<Bytes, FetchError> {
    if !(200..300).contains(&response.status) {
        return Err(FetchError::Status(url.clone(), response.status));
    }
    let mut body = response.body;
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
    }
    Ok(bytes.freeze())
}
