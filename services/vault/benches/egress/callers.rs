//! Those who ask: through egress, and by hyper and nothing else.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Context,
    credential::{Form, HeaderTemplate},
    egress::{CredentialUse, Handle, Outcome, Request},
};
use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};

use crate::ground::{CONNECTOR, Ground, KEY};

/// Somebody who sends one request after another.
pub(crate) trait Caller: Send + 'static {
    /// What it was handed when the clock starts.
    type Handed: Send;

    fn handed(&self) -> Self::Handed;

    /// Returns the length of the answer.
    fn request(&mut self, handed: Self::Handed) -> impl Future<Output = usize> + Send;
}

/// A connector's request as the executor hands it on, with names that were parsed long ago.
#[derive(Clone)]
pub(crate) struct Through {
    egress: Handle,
    context: Arc<Context>,
    asked: Arc<Request>,
    size: usize,
}

impl Through {
    pub(crate) fn new(egress: Handle, host: &str, size: usize) -> Self {
        let asked = Request {
            connector: CONNECTOR.parse().unwrap(),
            allowed: vec![host.parse().unwrap()],
            credential: Some(CredentialUse {
                form: Form::ApiKey(HeaderTemplate::default()),
                binding: None,
            }),
            method: "GET".to_owned(),
            url: format!("https://{host}/notes?limit=20"),
            headers: Vec::new(),
            body: Bytes::new(),
            idempotent: false,
            max_response: 1024 * 1024,
            timeout: Duration::from_secs(30),
        };
        Self { egress, context: Arc::new(Context::service("bench")), asked: Arc::new(asked), size }
    }
}

impl Caller for Through {
    type Handed = Request;

    fn handed(&self) -> Request {
        Request::clone(&self.asked)
    }

    async fn request(&mut self, asked: Request) -> usize {
        let outcome = self.egress.send(&self.context, asked).await.unwrap();
        let Outcome::Answered(mut answer) = outcome else { panic!("{outcome:?}") };
        assert_eq!(answer.status, 200);
        let mut length = 0;
        while let Some(part) = answer.body.next().await {
            length += part.unwrap().len();
        }
        assert_eq!(length, self.size);
        length
    }
}

/// hyper and nothing else.
pub(crate) enum Bare {
    First(Vec<Arc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>>, String),
    Second(http2::SendRequest<Full<Bytes>>, String),
}

impl Bare {
    pub(crate) async fn open(ground: &Ground, protocol: &str, together: usize) -> Self {
        if protocol == "h2" {
            return Self::Second(ground.second().await, ground.host.clone());
        }
        let mut connections = Vec::new();
        for _ in 0..together {
            connections.push(Arc::new(tokio::sync::Mutex::new(ground.first().await)));
        }
        Self::First(connections, ground.host.clone())
    }

    pub(crate) fn caller(&self, number: usize) -> BareCaller {
        match self {
            Self::First(all, host) => BareCaller::First(Arc::clone(&all[number]), host.clone()),
            Self::Second(shared, host) => BareCaller::Second(shared.clone(), host.clone()),
        }
    }
}

pub(crate) enum BareCaller {
    First(Arc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>, String),
    Second(http2::SendRequest<Full<Bytes>>, String),
}

impl Caller for BareCaller {
    type Handed = ();

    fn handed(&self) {}

    async fn request(&mut self, (): ()) -> usize {
        let request = http::Request::get(match self {
            Self::First(..) => "/notes?limit=20".to_owned(),
            Self::Second(_, host) => format!("https://{host}/notes?limit=20"),
        });
        let request = request
            .header("authorization", format!("Bearer {KEY}"))
            .header("accept", "*/*")
            .header("accept-encoding", "gzip")
            .header("user-agent", "bare");
        let answer = match self {
            Self::First(connection, host) => {
                let request = request.header("host", host.as_str()).body(Full::default());
                let mut connection = connection.lock().await;
                connection.ready().await.unwrap();
                connection.send_request(request.unwrap()).await
            }
            Self::Second(connection, _) => {
                connection.ready().await.unwrap();
                connection.send_request(request.body(Full::default()).unwrap()).await
            }
        };
        answer.unwrap().into_body().collect().await.unwrap().to_bytes().len()
    }
}
