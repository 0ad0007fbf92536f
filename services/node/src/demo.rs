//! Sample servers for `aileron demo`: a notes API and a package source, both HTTPS on loopback
//! with a certificate authority made for the run. They end with the value that holds them.

mod https;
mod notes;
mod pack;
mod source;

use std::{net::SocketAddr, path::Path};

use aileron_contract::{Error, Result};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use pack::{OWNER, REPOSITORY, VERSION};

/// The running servers and what a person needs to use them.
#[derive(Debug)]
pub struct Servers {
    /// PEM of the run's certificate authority, for egress.
    pub authority_pem: String,
    /// `localhost:<port>` under which the starter pack knows the notes API.
    pub notes_host: String,
    /// Where the notes API listens.
    pub notes_address: SocketAddr,
    /// The API key the notes API asks for.
    pub notes_key: String,
    /// `https://localhost:<port>` of the package source.
    pub source_url: String,
    /// `localhost:<port>` of the package source.
    pub source_host: String,
    notes: notes::Notes,
    source: source::Source,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Servers {
    /// Starts both servers on ephemeral ports; the starter pack is packed and signed for this run.
    pub async fn start() -> Result<Self> {
        Self::launch(None).await
    }

    /// The same, with a notes API that is reached through something at `host` (`host:port`):
    /// the starter pack names that.
    pub async fn start_behind(host: &str) -> Result<Self> {
        Self::launch(Some(host)).await
    }

    async fn launch(front: Option<&str>) -> Result<Self> {
        let authority = https::Authority::new()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let notes_key = format!("notes_{}", hex::encode(crate::services::random::<24>()?));
        let notes = notes::Notes::new(&notes_key);
        let (notes_listener, own_host) = listen().await?;
        let notes_address = notes_listener.local_addr().map_err(Error::internal)?;
        let notes_host = front.map_or(own_host, str::to_owned);
        let (source_listener, source_host) = listen().await?;
        let source = source::Source::new(pack::packages(&notes_host)?);
        let tls = authority.server()?;
        let serving = [(notes_listener, notes.router()), (source_listener, source.router())];
        for (listener, router) in serving {
            tasks.spawn(https::serve(listener, tls.clone(), router, stop.clone()));
        }
        tasks.close();
        Ok(Self {
            authority_pem: authority.pem(),
            source_url: format!("https://{source_host}"),
            notes_host,
            notes_address,
            notes_key,
            source_host,
            notes,
            source,
            stop,
            tasks,
        })
    }

    /// Serves one more file, at a path as a request escapes it.
    pub fn publish(&self, path: impl Into<String>, bytes: impl Into<bytes::Bytes>) {
        self.source.publish(path.into(), bytes.into());
    }

    /// Titles of the notes the API holds.
    pub fn titles(&self) -> Vec<String> {
        self.notes.titles()
    }

    /// Stops the servers and waits for them.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

/// Plays somebody who holds the log's key: signs a changed copy of a log anew, as if it had always
/// been so. `home` is the folder that holds the copy's `audit/`.
pub async fn resign(home: &Path) -> Result<()> {
    let log = home.join("audit");
    for entry in std::fs::read_dir(&log).map_err(Error::internal)? {
        let path = entry.map_err(Error::internal)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines = path.extension().is_some_and(|extension| extension == "jsonl");
        let removed = if lines || name.starts_with("log.") {
            Ok(())
        } else if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        removed.map_err(Error::internal)?;
    }
    // A log that is still being made signs the lines it finds, with the key that lies there.
    std::fs::rename(log.join("log.key"), log.join("log.key.new")).map_err(Error::internal)?;
    let service = aileron_audit::Service::open(aileron_audit::Options {
        home: home.to_owned(),
        origin: crate::config::AUDIT_ORIGIN.to_owned(),
        database: None,
        clock: crate::services::now,
    })
    .await?;
    service.shutdown().await;
    Ok(())
}

async fn listen() -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::internal)?;
    let port = listener.local_addr().map_err(Error::internal)?.port();
    Ok((listener, format!("localhost:{port}")))
}
