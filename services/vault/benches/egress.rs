//! What egress costs: requests through the vault's own service, beside the same requests by bare
//! hyper connections, to one server on loopback over TLS, in one run.
//!
//! The bare side is the least that can be done: each caller holds a connection of its own
//! (HTTP/1.1), or all share one (HTTP/2), and nothing is looked up, recorded or masked. The
//! service opens the binding, records its use in a log that keeps nothing, joins the key, takes a
//! kept connection and looks for the key in the answer. Both sides take turns, so that what else
//! the machine does meets both.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench that cannot go on ends there, and its numbers are for reading"
)]

#[path = "egress/ground.rs"]
mod ground;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aileron_contract::{
    Context,
    credential::{Form, HeaderTemplate},
    egress::{CredentialUse, Handle, Outcome, Request},
};
use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use tokio::task::JoinSet;

use ground::{CONNECTOR, Ground, KEY};

/// Requests of one side's turn, of all callers together.
const TURN: usize = 640;
const TURNS: usize = 40;

fn main() {
    // The upstream works in a thread of its own, as an upstream does.
    let upstreams = runtime(1);
    let callers = runtime(2);
    for protocol in ["http/1.1", "h2"] {
        for size in [1024, 64 * 1024] {
            let ground = upstreams.block_on(Ground::new(protocol, size));
            for together in [1, 32] {
                callers.block_on(compare(&ground, protocol, size, together));
            }
        }
    }
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

async fn compare(ground: &Ground, protocol: &str, size: usize, together: usize) {
    let house = ground.house().await;
    let bare = Bare::open(ground, protocol, together).await;
    let service = Through { egress: house.egress(), host: ground.host.clone(), size };
    // Connections are opened, caches filled.
    turn(together, 3, |caller| bare.caller(caller)).await;
    turn(together, 3, |_| service.clone()).await;
    let (mut of_bare, mut of_service) = (Side::default(), Side::default());
    let each = (TURN / together).max(1);
    for _ in 0..TURNS {
        of_bare.add(turn(together, each, |caller| bare.caller(caller)).await);
        of_service.add(turn(together, each, |_| service.clone()).await);
    }
    let (bare, service) = (of_bare.p50(), of_service.p50());
    println!(
        "{protocol:<8} {:>2} KiB, {together:>2} callers: bare p50 {bare:>9.1?} {:>6.0}/s, \
         egress p50 {service:>9.1?} {:>6.0}/s, {:.2} x",
        size / 1024,
        of_bare.rate(),
        of_service.rate(),
        service.as_secs_f64() / bare.as_secs_f64(),
    );
    house.shutdown().await;
}

/// What one side took.
#[derive(Default)]
struct Side {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Side {
    fn add(&mut self, (mut times, elapsed): (Vec<Duration>, Duration)) {
        self.times.append(&mut times);
        self.elapsed += elapsed;
    }

    fn p50(&mut self) -> Duration {
        self.times.sort_unstable();
        self.times[self.times.len() / 2]
    }

    fn rate(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Somebody who sends one request after another.
trait Caller: Send + 'static {
    /// Returns the length of the answer.
    fn request(&mut self) -> impl Future<Output = usize> + Send;
}

async fn turn<C: Caller>(
    together: usize,
    each: usize,
    caller: impl Fn(usize) -> C,
) -> (Vec<Duration>, Duration) {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..together {
        let mut caller = caller(number);
        tasks.spawn(async move {
            let mut times = Vec::with_capacity(each);
            for _ in 0..each {
                let begun = Instant::now();
                assert!(caller.request().await > 0);
                times.push(begun.elapsed());
            }
            times
        });
    }
    let times = tasks.join_all().await.into_iter().flatten().collect();
    (times, begun.elapsed())
}

#[derive(Clone)]
struct Through {
    egress: Handle,
    host: String,
    size: usize,
}

impl Caller for Through {
    async fn request(&mut self) -> usize {
        let asked = Request {
            connector: CONNECTOR.parse().unwrap(),
            allowed: vec![self.host.parse().unwrap()],
            credential: Some(CredentialUse {
                form: Form::ApiKey(HeaderTemplate::default()),
                binding: None,
            }),
            method: "GET".to_owned(),
            url: format!("https://{}/notes?limit=20", self.host),
            headers: Vec::new(),
            body: Bytes::new(),
            idempotent: false,
            max_response: 1024 * 1024,
            timeout: Duration::from_secs(30),
        };
        let outcome = self.egress.send(&Context::service("bench"), asked).await.unwrap();
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
enum Bare {
    First(Vec<Arc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>>, String),
    Second(http2::SendRequest<Full<Bytes>>, String),
}

impl Bare {
    async fn open(ground: &Ground, protocol: &str, together: usize) -> Self {
        if protocol == "h2" {
            return Self::Second(ground.second().await, ground.host.clone());
        }
        let mut connections = Vec::new();
        for _ in 0..together {
            connections.push(Arc::new(tokio::sync::Mutex::new(ground.first().await)));
        }
        Self::First(connections, ground.host.clone())
    }

    fn caller(&self, number: usize) -> BareCaller {
        match self {
            Self::First(all, host) => BareCaller::First(Arc::clone(&all[number]), host.clone()),
            Self::Second(shared, host) => BareCaller::Second(shared.clone(), host.clone()),
        }
    }
}

enum BareCaller {
    First(Arc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>, String),
    Second(http2::SendRequest<Full<Bytes>>, String),
}

impl Caller for BareCaller {
    async fn request(&mut self) -> usize {
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
