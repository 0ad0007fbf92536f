//! Connections: resolved, checked, dialled, encrypted and kept for the next request.

use std::{io, pin::pin, sync::Arc};

use aileron_contract::{egress::Sent, limits, names::HostPort};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, BufReader},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;

use super::{
    deadline::Deadline,
    policy::Permit,
    problem::Problem,
    resolver::{Resolver, checked, connected},
    target::Target,
};

mod connection;
mod owned;
mod pool;
mod tasks;
pub(crate) use connection::Draft;
use connection::{Connection, Lost};
use owned::Work;
pub(crate) use pool::Owner;
use pool::{Key, Pool, Sought};
use tasks::Tasks;

/// Everything that opens connections. No proxy: nothing here reads an environment.
pub(crate) struct Network {
    resolver: Arc<dyn Resolver>,
    tls: TlsConnector,
    pool: Arc<Pool>,
    tasks: Tasks,
}

/// A connection that answers a request, to be given back once the answer has been read.
pub(crate) struct Lease {
    network: Arc<Network>,
    key: Arc<Key>,
    connection: Connection,
}

/// How much of an encrypted answer is taken from the system at once: two records and what
/// surrounds them.
const READ: usize = 33 * 1024;

impl Lease {
    /// The answer was read to its end: the connection may serve the next request.
    pub(crate) fn give_back(self) {
        let Network { pool, tasks, .. } = &*self.network;
        if pool.put(self.key, self.connection, Instant::now()) {
            tasks.run(Arc::clone(pool).sweep());
        }
    }
}

impl Network {
    pub(crate) fn new(resolver: Arc<dyn Resolver>, tls: Arc<ClientConfig>) -> Self {
        let tasks = Tasks::default();
        Self { resolver, tls: TlsConnector::from(tls), pool: Arc::default(), tasks }
    }

    /// Runs a request to its end even when its caller has gone. None when the house shuts down
    /// first: what became of the request is then unknown.
    pub(crate) async fn owned<T: Send + 'static>(&self, work: Work<T>) -> Option<T> {
        if self.tasks.stop.is_cancelled() {
            return None;
        }
        owned::owned(work, &self.tasks).await
    }

    /// Ends every connection and waits for the tasks that serve them.
    pub(crate) async fn shutdown(&self) {
        self.tasks.end();
        self.pool.clear();
        self.tasks.ended().await;
    }

    /// Ends the connections that serve nobody: what was sent on them is still in their buffers.
    pub(crate) fn rest(&self) {
        self.pool.clear();
    }

    /// Sends one request and waits for the head of its answer. A kept connection that turns out
    /// to be closed is replaced only while not one byte of the request has left.
    pub(crate) async fn exchange(
        self: &Arc<Self>,
        mut draft: Box<Draft>,
        owner: &Owner,
        permit: Permit,
        deadline: &mut Deadline,
    ) -> Result<(http::Response<Incoming>, Lease), (Sent, Problem)> {
        let target = draft.target.clone();
        let host = || target.host().clone();
        let sought = Sought { target: &target, permit, owner };
        let mut kept = true;
        loop {
            let taken = self.pool.take(sought, Instant::now()).await;
            let (key, mut connection) = if let Some(taken) = taken {
                taken
            } else {
                kept = false;
                let dialled = deadline.within(Box::pin(self.dial(&target, permit))).await;
                let dialled = dialled
                    .ok_or_else(|| (Sent::NotSent, Problem::Late { host: host() }))?
                    .map_err(|problem| (Sent::NotSent, problem))?;
                (sought.key(), dialled)
            };
            let request = draft.request(&connection).map_err(|problem| (Sent::NotSent, problem))?;
            match deadline.within(pin!(connection.send(request))).await {
                None => return Err((Sent::MaybeSent, Problem::Late { host: host() })),
                Some(Ok(response)) => {
                    let lease = Lease { network: Arc::clone(self), key, connection };
                    return Ok((response, lease));
                }
                Some(Err(Lost::Unsent(_, unsent))) if kept => {
                    self.pool.forget(sought);
                    draft.take_back(*unsent);
                }
                Some(Err(Lost::Unsent(lost, _))) => {
                    return Err((Sent::NotSent, broken(host(), &lost)));
                }
                Some(Err(Lost::Head)) => {
                    let why = "the head of its answer is too long".to_owned();
                    return Err((Sent::MaybeSent, Problem::Broken { host: host(), why }));
                }
                Some(Err(Lost::Sent(lost))) => {
                    self.pool.forget(sought);
                    return Err((Sent::MaybeSent, broken(host(), &lost)));
                }
            }
        }
    }

    async fn dial(&self, target: &Target, permit: Permit) -> Result<Connection, Problem> {
        let host = target.host();
        let unreachable = |why: String| Problem::Unreachable { host: host.clone(), why };
        let slow = |_| unreachable("it takes too long to connect".to_owned());
        let opening = async {
            let addresses = checked(&self.resolver, host, permit).await?;
            let stream =
                connected(addresses).await.map_err(|error| unreachable(error.to_string()))?;
            if !target.secure() {
                return self.handshake(stream, false).await.map_err(unreachable);
            }
            let stream = self
                .encrypted(target, stream)
                .await
                .map_err(|error| unreachable(format!("no secure connection: {}", chain(&error))))?;
            let (_, session) = stream.get_ref();
            let second = session.alpn_protocol() == Some(b"h2");
            self.handshake(stream, second).await.map_err(unreachable)
        };
        timeout(limits::CONNECT_WALL, Box::pin(opening)).await.map_err(slow)?
    }

    async fn encrypted(
        &self,
        target: &Target,
        stream: TcpStream,
    ) -> io::Result<tokio_rustls::client::TlsStream<BufReader<TcpStream>>> {
        let name = ServerName::try_from(target.host().host().to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        // By itself TLS asks the system for 4 KiB at a time.
        self.tls.connect(name, BufReader::with_capacity(READ, stream)).await
    }

    async fn handshake<S>(&self, stream: S, second: bool) -> Result<Connection, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(stream);
        let opened = if second {
            Connection::second(stream, &self.tasks).await
        } else {
            Connection::first(stream, &self.tasks).await
        };
        opened.map_err(|error| chain(&error))
    }
}

fn broken(host: HostPort, lost: &dyn std::error::Error) -> Problem {
    Problem::Broken { host, why: chain(lost) }
}

/// An error with its causes, which say what really happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
