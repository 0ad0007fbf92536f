//! What egress costs: requests through the vault's own service, beside the same requests by bare
//! hyper connections, to one server on loopback over TLS, in one run.
//!
//! The bare side is the least that can be done: each caller holds an open connection of its own
//! (HTTP/1.1), or all share one (HTTP/2), and nothing is looked up, recorded or masked. The
//! service looks the binding up, records its use in a log that keeps nothing, joins the key, takes
//! a kept connection and looks for the key in the answer. Both have the same TLS configuration,
//! send the same headers, read the whole answer, and take turns, so that what else the machine
//! does meets both. What is compared is the median of all requests of one side with the other's.
//! Arguments choose among the comparisons: `cargo bench -p aileron-vault --bench egress -- h2`.
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

/// What a request through egress may take, as a multiple of a bare one.
const GOAL: f64 = 1.15;

fn main() {
    // The upstream works in a thread of its own, as an upstream does.
    let upstreams = runtime(1);
    let callers = runtime(2);
    let wanted: Vec<_> = std::env::args().skip(1).filter(|one| !one.starts_with('-')).collect();
    for protocol in ["http/1.1", "h2"] {
        for size in [1024, 64 * 1024] {
            let ground = upstreams.block_on(Ground::new(protocol, size));
            for together in [1, 32] {
                let what = format!("{protocol:<8} {:>2} KiB, {together:>2} callers", size / 1024);
                if wanted.iter().all(|wanted| what.contains(wanted)) {
                    let medians = callers.block_on(compare(&ground, protocol, size, together));
                    report(&what, medians);
                }
            }
        }
    }
}

fn report(what: &str, [mut bare, mut service]: [Side; 2]) {
    let (rates, p50) = ([bare.rate(), service.rate()], [bare.p50(), service.p50()]);
    let ratio = p50[1].as_secs_f64() / p50[0].as_secs_f64();
    let goal = if ratio <= GOAL { "meets" } else { "misses" };
    println!(
        "{what}: bare p50 {:>9.1?} {:>6.0}/s, egress p50 {:>9.1?} {:>6.0}/s, {ratio:.2} x, \
         {goal} the goal of {GOAL} x",
        p50[0], rates[0], p50[1], rates[1],
    );
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

/// Bare hyper, and egress.
async fn compare(ground: &Ground, protocol: &str, size: usize, together: usize) -> [Side; 2] {
    let house = ground.house().await;
    let bare = Bare::open(ground, protocol, together).await;
    let service = Through::new(house.egress(), &ground.host, size);
    // Connections are opened, caches filled.
    turn(together, 3, |caller| bare.caller(caller)).await;
    turn(together, 3, |_| service.clone()).await;
    let mut sides = [Side::default(), Side::default()];
    let each = (TURN / together).max(1);
    for _ in 0..TURNS {
        sides[0].add(turn(together, each, |caller| bare.caller(caller)).await);
        sides[1].add(turn(together, each, |_| service.clone()).await);
    }
    house.shutdown().await;
    sides
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
    /// What it was handed when the clock starts.
    type Handed: Send;

    fn handed(&self) -> Self::Handed;

    /// Returns the length of the answer.
    fn request(&mut self, handed: Self::Handed) -> impl Future<Output = usize> + Send;
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
            let handed: Vec<_> = (0..each).map(|_| caller.handed()).collect();
            for handed in handed {
                let begun = Instant::now();
                assert!(caller.request(handed).await > 0);
                times.push(begun.elapsed());
            }
            times
        });
    }
    let times = tasks.join_all().await.into_iter().flatten().collect();
    (times, begun.elapsed())
}

/// A connector's request as the executor hands it on, with names that were parsed long ago.
#[derive(Clone)]
struct Through {
    egress: Handle,
    context: Arc<Context>,
    asked: Arc<Request>,
    size: usize,
}

impl Through {
    fn new(egress: Handle, host: &str, size: usize) -> Self {
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
