//! An S3 in a folder: the crate `s3s` with its file backend.

use std::net::SocketAddr;

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

pub(crate) struct Storage {
    port: u16,
    _folder: tempfile::TempDir,
}

impl Storage {
    /// Verifies every request against this key.
    pub(crate) async fn start(id: &str, secret: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(id, secret));
        let service = builder.build();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tracker = TaskTracker::new();
        tracker.clone().spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service.clone();
                tracker.spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    // A client that goes away is no failure of the test.
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { port, _folder: folder }
    }

    pub(crate) fn host(&self, name: &str) -> String {
        format!("{name}:{}", self.port)
    }
}
