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
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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
pub(crate) use connection::Draft;
use connection::{Connection, Lost, Tasks};
use owned::{Owned, Work};
use pool::Pool;
pub(crate) use pool::{Key, Owner};

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
    key: Key,
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
        let tasks = Tasks { tracker: TaskTracker::new(), stop: CancellationToken::new() };
        Self { resolver, tls: TlsConnector::from(tls), pool: Arc::default(), tasks }
    }

    /// Runs a request to its end even when its caller has gone. None when the house shuts down
    /// first: what became of the request is then unknown.
    pub(crate) async fn owned<T: Send + 'static>(&self, work: Work<T>) -> Option<T> {
        if self.tasks.stop.is_cancelled() {
            return None;
        }
        Owned::new(work, &self.tasks).await
    }

    /// Ends every connection and waits for the tasks that serve them.
    pub(crate) async fn shutdown(&self) {
        self.tasks.stop.cancel();
        self.pool.clear();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
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
        owner: Owner,
        permit: Permit,
        deadline: &mut Deadline,
    ) -> Result<(http::Response<Incoming>, Lease), (Sent, Problem)> {
        let target = &draft.target;
        let key = Key { host: target.host().clone(), secure: target.secure(), permit, owner };
        let mut kept = true;
        loop {
            let taken = self.pool.take(&key, Instant::now()).await;
            let mut connection = if let Some(connection) = taken {
                connection
            } else {
                kept = false;
                deadline
                    .within(Box::pin(self.dial(&draft.target, permit)))
                    .await
                    .ok_or_else(|| (Sent::NotSent, late(key.host.clone())))?
                    .map_err(|problem| (Sent::NotSent, problem))?
            };
            let request = draft.request(&connection).map_err(|problem| (Sent::NotSent, problem))?;
            match deadline.within(pin!(connection.send(request))).await {
                None => return Err((Sent::MaybeSent, late(key.host))),
                Some(Ok(response)) => {
                    let lease = Lease { network: Arc::clone(self), key, connection };
                    return Ok((response, lease));
                }
                Some(Err(Lost::Unsent(_, unsent))) if kept => {
                    self.pool.forget(&key);
                    draft.take_back(*unsent);
                }
                Some(Err(Lost::Unsent(lost, _))) => {
                    return Err((Sent::NotSent, broken(key.host, &lost)));
                }
                Some(Err(Lost::Head)) => {
                    let why = "the head of its answer is too long".to_owned();
                    return Err((Sent::MaybeSent, Problem::Broken { host: key.host, why }));
                }
                Some(Err(Lost::Sent(lost))) => {
                    self.pool.forget(&key);
                    return Err((Sent::MaybeSent, broken(key.host, &lost)));
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

fn late(host: HostPort) -> Problem {
    Problem::Late { host }
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
