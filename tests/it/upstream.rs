//! A service on loopback that writes down every byte it is sent and answers whatever it is told
//! to, whole or in pieces.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// The pieces of an answer, head included. With [`Upstream::hold`] the last one is kept back.
pub(crate) type Pieces = Vec<Vec<u8>>;

/// The service. Dropping it ends its connections.
pub(crate) struct Upstream {
    /// `localhost:<port>`
    pub(crate) host: String,
    seen: Arc<Mutex<Vec<String>>>,
    hold: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

impl Upstream {
    /// `answer` gets a whole request and says what is sent back.
    pub(crate) async fn start(
        answer: impl Fn(&str) -> Pieces + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        let (seen, hold) = (Arc::new(Mutex::default()), Arc::new(AtomicBool::new(false)));
        let mut tasks = JoinSet::new();
        let (log, holding) = (Arc::clone(&seen), Arc::clone(&hold));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (log, holding) = (Arc::clone(&log), Arc::clone(&holding));
                let answer = answer.clone();
                connections.spawn(async move {
                    drop(serve(stream, &log, &holding, answer).await);
                });
            }
        });
        Self { host, seen, hold, _tasks: tasks }
    }

    /// Every request so far, as it arrived.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on the last piece of each answer is kept back.
    pub(crate) fn hold(&self, hold: bool) {
        self.hold.store(hold, Ordering::SeqCst);
    }
}

/// A whole answer in one piece; the connection is closed after it.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Pieces {
    vec![head(status, headers, body.len()), body.to_vec()]
}

/// The same with a body that arrives in pieces of so many bytes.
pub(crate) fn trickled(body: &[u8], size: usize) -> Pieces {
    let mut pieces = vec![head("200 OK", "", body.len())];
    pieces.extend(body.chunks(size).map(<[u8]>::to_vec));
    pieces
}

fn head(status: &str, headers: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n")
        .into_bytes()
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    hold: &AtomicBool,
    answer: impl Fn(&str) -> Pieces,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    while !whole(&request) {
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let pieces = answer(&request);
    let last = pieces.len() - 1;
    for (place, piece) in pieces.into_iter().enumerate() {
        while place == last && hold.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stream.write_all(&piece).await?;
        stream.flush().await?;
        // So that the pieces arrive as pieces.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stream.shutdown().await
}

/// The head, and as much as it announces.
fn whole(request: &[u8]) -> bool {
    let Some(end) = memchr::memmem::find(request, b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|it| it.trim().parse().ok()).unwrap_or_default();
    request.len() >= end + 4 + length
}
