use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use aileron_contract::{
    Context, Egress, Result,
    egress::{Fetch, Outcome, Request, Response, SendFailure, Sent},
    failure::{Boundary, Class, Failure},
};
use async_trait::async_trait;
use bytes::Bytes;

use super::unused;

/// Serves bytes from memory.
#[derive(Default)]
pub(in crate::packages::tests) struct FakeWeb {
    pages: Mutex<HashMap<String, (u16, Bytes)>>,
    headers: Mutex<HashMap<String, Vec<(String, String)>>>,
    /// Gives no answer at all.
    pub(in crate::packages::tests) silent: AtomicBool,
    pub(in crate::packages::tests) asked: AtomicU64,
    pub(in crate::packages::tests) requests: Mutex<BTreeMap<String, Fetch>>,
}

impl FakeWeb {
    pub(in crate::packages::tests) fn put(&self, url: &str, status: u16, body: impl Into<Bytes>) {
        self.pages.lock().unwrap().insert(url.to_owned(), (status, body.into()));
    }

    /// What is said beside the page. Who asks with its `etag` is told that it is still that one.
    pub(in crate::packages::tests) fn say(&self, url: &str, headers: &[(&str, &str)]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(owned).collect();
        self.headers.lock().unwrap().insert(url.to_owned(), headers);
    }

    /// The page at this address.
    pub(in crate::packages::tests) fn page(&self, url: &str) -> Bytes {
        self.pages.lock().unwrap()[url].1.clone()
    }

    /// The last request for this address.
    pub(in crate::packages::tests) fn asked_for(&self, url: &str) -> Option<Fetch> {
        self.requests.lock().unwrap().get(url).cloned()
    }
}

#[async_trait]
impl Egress for FakeWeb {
    async fn send(&self, _: &Context, _: Request) -> Result<Outcome> {
        unused()
    }
    async fn fetch(&self, _: &Context, request: Fetch) -> Result<Outcome> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.silent.load(Ordering::SeqCst) {
            let class = Class::NetworkError;
            let failure = Failure::new(class, Boundary::External, "no route").retriable(true);
            return Ok(Outcome::Failed(SendFailure { sent: Sent::NotSent, failure }));
        }
        let page = self.pages.lock().unwrap().get(&request.url).cloned();
        let (mut status, mut body) = page.unwrap_or((404, Bytes::new()));
        let headers = self.headers.lock().unwrap().get(&request.url).cloned().unwrap_or_default();
        let etag = headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value);
        if etag.is_some() && etag == request.if_none_match.as_ref() {
            (status, body) = (304, Bytes::new());
        }
        self.requests.lock().unwrap().insert(request.url.clone(), request);
        // In small pieces, as networks do.
        let chunks: Vec<_> =
            body.chunks(1000).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        let body = Box::pin(futures::stream::iter(chunks));
        Ok(Outcome::Answered(Response { status, headers, body, binding: None }))
    }
}
