//! Watching: a stream of events that reconnects by itself and never misses or repeats one.

use std::{collections::VecDeque, time::Duration};

use futures::{Stream, stream};
use reqwest::{Method, Response, header::ACCEPT};
use serde::de::DeserializeOwned;

use super::{
    ApiError, Client, Error, Result,
    events::{EVENT, Event, Reader},
};
use crate::audit::AuditEvent;

/// The server says something at least every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);
/// Attempts in a row without a record before the watch gives up.
const ATTEMPTS: u32 = 6;

impl Client {
    /// Records from `from` on, oldest first, then those to come; without it only those to come.
    /// A broken connection is opened again after the last record seen. Ends with an error when
    /// the server refuses or stays away.
    pub fn watch_audit(
        &self,
        from: Option<u64>,
    ) -> impl Stream<Item = Result<AuditEvent>> + Send + 'static {
        let path = ["audit", "watch"].map(str::to_owned).to_vec();
        let query = from.iter().map(|from| ("from".to_owned(), from.to_string())).collect();
        Watch::new(self, path, query).records()
    }

    /// What the log tells of an agent session, from its beginning; then, when `follow` says so,
    /// what is to come. Ends when there is nothing more to tell.
    pub fn watch_session(
        &self,
        id: &str,
        follow: bool,
    ) -> impl Stream<Item = Result<AuditEvent>> + Send + 'static {
        let path = ["sessions", id, "watch"].map(str::to_owned).to_vec();
        let query = vec![("follow".to_owned(), follow.to_string())];
        Watch::new(self, path, query).records()
    }
}

/// A stream of events, taken up again after the last one seen.
pub(super) struct Watch {
    client: Client,
    path: Vec<String>,
    query: Vec<(String, String)>,
    last: Option<String>,
    connection: Option<(Response, Reader)>,
    ready: VecDeque<Event>,
    failures: u32,
    /// The longest event, in bytes.
    longest: usize,
}

impl Watch {
    pub(super) fn new(client: &Client, path: Vec<String>, query: Vec<(String, String)>) -> Self {
        Self {
            client: client.clone(),
            path,
            query,
            last: None,
            connection: None,
            ready: VecDeque::new(),
            failures: 0,
            longest: EVENT,
        }
    }

    pub(super) fn with_events_up_to(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    fn records(self) -> impl Stream<Item = Result<AuditEvent>> + Send + 'static {
        stream::try_unfold(self, |mut watch| async move {
            while let Some(event) = watch.event().await? {
                if event.kind == "record" {
                    return Ok(Some((watch.read(&event)?, watch)));
                }
            }
            Ok(None)
        })
    }

    /// The next event that tells something, whatever its kind; none at the end.
    pub(super) async fn event(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                match event.kind.as_str() {
                    "end" => return Ok(None),
                    "error" => self.interrupted(&event).await?,
                    _ => {
                        self.last = event.id.clone().or_else(|| self.last.take());
                        self.failures = 0;
                        return Ok(Some(event));
                    }
                }
            } else if let Err(error) = self.fill().await {
                self.connection = None;
                self.failures += 1;
                if self.failures >= ATTEMPTS || matches!(error, Error::Api(_)) {
                    return Err(error);
                }
                tokio::time::sleep(pause(self.failures)).await;
            }
        }
    }

    /// What an event tells.
    pub(super) fn read<T: DeserializeOwned>(&self, event: &Event) -> Result<T> {
        serde_json::from_str(&event.data)
            .map_err(|source| Error::Answer { url: self.url(), source })
    }

    /// The server ended the watch. Having fallen behind is no reason to stop: read on from there.
    async fn interrupted(&mut self, event: &Event) -> Result<()> {
        let error = ApiError::read(200, None, event.data.clone());
        let passing = matches!(error.code.as_str(), "busy" | "service_unavailable");
        self.failures += 1;
        self.connection = None;
        if !passing || self.failures >= ATTEMPTS {
            return Err(error.into());
        }
        tokio::time::sleep(pause(self.failures)).await;
        Ok(())
    }

    /// Waits for the next bytes, connecting first when needed.
    async fn fill(&mut self) -> Result<()> {
        let (mut response, mut reader) = if let Some(connection) = self.connection.take() {
            connection
        } else {
            (self.connect().await?, Reader::new(self.longest))
        };
        let late = |_| Error::Timeout { url: self.url() };
        let chunk = tokio::time::timeout(SILENCE, response.chunk()).await.map_err(late)?;
        if let Some(bytes) = chunk.map_err(|error| self.client.lost(error))? {
            let long = |_| Error::TooLong { url: self.url(), limit: self.longest };
            let events = reader.read(&bytes).map_err(long)?;
            if events.is_empty() {
                // A heartbeat: a quiet log is no failure, and the server ends long watches.
                self.failures = 0;
            }
            self.ready.extend(events);
            self.connection = Some((response, reader));
            return Ok(());
        }
        // The server closed the stream in order, as at its shutdown.
        Err(Error::Timeout { url: self.url() })
    }

    async fn connect(&self) -> Result<Response> {
        let url = self.client.url(&self.path, &self.query)?;
        let mut request = self.client.request(Method::GET, url).header(ACCEPT, "text/event-stream");
        if let Some(last) = &self.last {
            request = request.header("last-event-id", last);
        }
        let late = |_| Error::Timeout { url: self.url() };
        let response = tokio::time::timeout(SILENCE, request.send())
            .await
            .map_err(late)?
            .map_err(|error| self.client.lost(error))?;
        if response.status().as_u16() == 200 {
            return Ok(response);
        }
        Err(self.client.receive(response).await?.refused())
    }

    fn url(&self) -> String {
        self.client.base_url().to_owned()
    }
}

/// 100 ms, doubling, at most 3.2 s.
fn pause(failures: u32) -> Duration {
    Duration::from_millis(50_u64.saturating_mul(1 << failures.min(6)))
}
