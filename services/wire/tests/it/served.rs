//! Fakes behind a real server on a Unix socket.

use std::{path::PathBuf, sync::Arc};

use aileron_contract::Secret;
use aileron_wire::{Channel, Server};
use tempfile::TempDir;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::fakes::Fakes;

pub(crate) const TOKEN: &str = "a-service-token-for-tests-only";

pub(crate) fn token() -> Secret {
    Secret::new(TOKEN.as_bytes().to_vec())
}

/// A server with every contract.
pub(crate) fn server(fakes: &Fakes) -> Server {
    let Fakes {
        vault,
        access,
        bindings,
        custody,
        egress,
        executor,
        packages,
        publishers,
        sessions,
        audit,
    } = fakes.clone();
    Server::new(token())
        .vault(vault)
        .access(access)
        .bindings(bindings)
        .custody(custody)
        .egress(egress)
        .executor(executor)
        .packages(packages)
        .publishers(publishers)
        .sessions(sessions)
        .audit(audit)
}

pub(crate) struct Served {
    pub(crate) fakes: Fakes,
    home: Arc<TempDir>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Served {
    pub(crate) async fn start(fakes: &Fakes) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), fakes).await
    }

    async fn start_in(home: Arc<TempDir>, fakes: &Fakes) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let served = Self { fakes: fakes.clone(), home, tasks, stop };
        let listener = aileron_wire::listen(&served.socket()).await.unwrap();
        let serving = server(fakes).serve(listener, served.stop.clone().cancelled_owned());
        served.tasks.spawn(async move { serving.await.unwrap() });
        served
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.home.path().join("run/service.sock")
    }

    pub(crate) fn channel(&self) -> Channel {
        aileron_wire::connect(&self.socket(), token()).unwrap()
    }

    /// Begins to stop; calls under way may finish.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn stop(self) -> Stopped {
        let Self { fakes, home, tasks, stop } = self;
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        Stopped { fakes, home }
    }
}

/// A service that is gone, whose place is known.
pub(crate) struct Stopped {
    fakes: Fakes,
    home: Arc<TempDir>,
}

impl Stopped {
    pub(crate) async fn start_again(self) -> Served {
        Served::start_in(self.home, &self.fakes).await
    }
}
