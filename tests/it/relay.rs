//! A relay in front of the notes API that can lose things, as networks do. It passes bytes on
//! without understanding them: TLS goes through.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::house::until;

/// The relay. Dropping it ends its connections.
pub(crate) struct Relay {
    hold_answers: Arc<AtomicBool>,
    /// Is an answer held back now?
    held: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// Listens; `upstream` is told later, since the upstream's certificate and pack need the
    /// relay's address first.
    pub(crate) async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        (listener, host)
    }

    pub(crate) fn start(listener: TcpListener, upstream: String) -> Self {
        let (hold_answers, held) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        let door = (Arc::clone(&hold_answers), Arc::clone(&held));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&upstream).await else { continue };
                connections.spawn(pass(near, far, door.clone()));
            }
        });
        Self { hold_answers, held, _tasks: tasks }
    }

    /// From now on requests get through and answers do not.
    pub(crate) fn hold_answers(&self, hold: bool) {
        self.held.store(false, Ordering::SeqCst);
        self.hold_answers.store(hold, Ordering::SeqCst);
    }

    /// Waits until an answer came that is held back.
    pub(crate) async fn holds(&self) {
        until("an answer comes", async || self.held.load(Ordering::SeqCst).then_some(())).await;
    }
}

async fn pass(
    near: TcpStream,
    far: TcpStream,
    (hold, reached): (Arc<AtomicBool>, Arc<AtomicBool>),
) {
    let (mut near_read, mut near_write) = near.into_split();
    let (mut far_read, mut far_write) = far.into_split();
    let there = async move {
        drop(tokio::io::copy(&mut near_read, &mut far_write).await);
        drop(far_write.shutdown().await);
    };
    let back = async move {
        let mut buffer = vec![0_u8; 16 * 1024];
        while let Ok(read) = far_read.read(&mut buffer).await {
            while hold.load(Ordering::SeqCst) {
                reached.store(true, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            if read == 0 || near_write.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(there, back);
}
