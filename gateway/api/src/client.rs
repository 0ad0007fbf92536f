//! A typed client of the REST API.
//!
//! It sends its token nowhere but to the address it was given: no proxy, no redirects, and HTTPS
//! unless the address is on this machine.

mod access;
mod actions;
mod approvals;
mod audit;
mod batch;
mod bindings;
mod call;
mod connect;
mod custody;
mod discover;
mod error;
mod events;
mod grants;
mod hub;
mod packages;
mod releases;
mod sessions;
mod upkeep;
mod vault;
mod watch;

use std::{fmt, path::PathBuf};

use reqwest::{Method, Url, header::HeaderValue};
use serde::de::DeserializeOwned;

pub use actions::RunOutcome;
pub use approvals::{ApprovalChange, ApprovalEvent};
pub use call::Call;
pub use discover::{Undiscovered, discovered};
pub use error::{ApiError, Error};

use crate::status::{Health, Limits, Status};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where the API is, and how to be let in.
#[derive(Clone, Default)]
pub struct Endpoint {
    /// With `/v1`, such as `http://127.0.0.1:54321/v1`.
    pub base_url: String,
    /// The bearer token.
    pub token: Option<String>,
    /// A PEM file with further certificate authorities to trust, besides the system's.
    pub extra_root: Option<PathBuf>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// The client. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    authorization: Option<HeaderValue>,
    session: Option<HeaderValue>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// An answer: its value, and its text exactly as it came.
#[derive(Clone)]
pub struct Answer<T> {
    pub status: u16,
    pub value: T,
    /// The body, unchanged; empty when there is none.
    pub raw: String,
    pub request_id: Option<String>,
}

impl<T: fmt::Debug> fmt::Debug for Answer<T> {
    /// Leaves out the raw text: it may hold a fresh token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Checks the endpoint; connects only with the first call.
    pub fn new(endpoint: Endpoint) -> Result<Self> {
        let base = connect::base(&endpoint.base_url)?;
        let http = connect::client(&base, endpoint.extra_root.as_deref())?;
        let client = Self { http, base, authorization: None, session: None };
        match endpoint.token {
            Some(token) => client.with_token(&token),
            None => Ok(client),
        }
    }

    /// The same client under another token, such as a person session's.
    pub fn with_token(&self, token: &str) -> Result<Self> {
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
            Error::Argument("the token holds characters no header can carry".into())
        })?;
        header.set_sensitive(true);
        Ok(Self { authorization: Some(header), ..self.clone() })
    }

    /// The same client on behalf of an agent session.
    pub fn with_session(&self, session: &str) -> Result<Self> {
        let header = HeaderValue::from_str(session)
            .map_err(|_| Error::Argument(format!("{session:?} is not a session id").into()))?;
        Ok(Self { session: Some(header), ..self.clone() })
    }

    /// The address, with `/v1`.
    pub fn base_url(&self) -> &str {
        self.base.as_str()
    }

    pub async fn health(&self) -> Result<Answer<Health>> {
        self.get(&["health"]).await
    }

    pub async fn status(&self) -> Result<Answer<Status>> {
        self.get(&["status"]).await
    }

    pub async fn limits(&self) -> Result<Answer<Limits>> {
        self.get(&["limits"]).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Answer<T>> {
        self.send(Call::new(Method::GET, path)).await?.json()
    }
}
