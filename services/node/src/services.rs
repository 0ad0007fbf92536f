//! Puts the services together: each one here, or behind its door.

use std::sync::Arc;

use aileron_contract::{Error, Result, Secret, Timestamp, access, audit, sessions};
use aileron_store::{Database, Location};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Door, Role},
    guard::Guard,
    notify,
};

mod executor;
mod vault;

pub(crate) use executor::Executor;
pub(crate) use vault::Vault;

/// Handles to every service, wherever it runs, and the parts that run here.
pub(crate) struct Services {
    pub(crate) vault: Vault,
    pub(crate) executor: Option<Executor>,
    pub(crate) sessions: Option<sessions::Handle>,
    pub(crate) audit: audit::Handle,
    here: Here,
}

#[derive(Default)]
struct Here {
    vault: Option<aileron_vault::Service>,
    executor: Option<aileron_executor::Service>,
    launcher: Option<aileron_launcher::Service>,
    audit: Option<aileron_audit::Service>,
}

impl Services {
    /// Starts what runs here, in the order in which the parts need each other.
    pub(crate) async fn start(
        config: &Config,
        guard: &Guard,
        database: Option<&Database>,
    ) -> Result<Self> {
        let mut here = Here::default();
        let audit = if config.roles.contains(&Role::Audit) {
            here.audit.insert(audit_here(config).await?).audit()
        } else {
            Arc::new(aileron_wire::audit::Remote::new(guard.channel(config, Role::Audit)?))
        };
        let holds = |role| database.filter(|_| config.roles.contains(&role));
        let vault = match holds(Role::Vault) {
            Some(database) => {
                let parts = (database.clone(), Arc::clone(&audit));
                Vault::here(here.vault.insert(vault::open(config, guard, parts).await?))
            }
            None => Vault::at(guard.channel(config, Role::Vault)?),
        };
        let executor = match holds(Role::Executor) {
            Some(database) => {
                let parts = (database.clone(), &vault, Arc::clone(&audit));
                let service = executor::open(config, parts).await?;
                Some(Executor::here(here.executor.insert(service)))
            }
            None => Executor::elsewhere(config, guard)?,
        };
        let sessions = match holds(Role::Launcher) {
            Some(database) => {
                let parts = (Arc::clone(&vault.access), Arc::clone(&audit));
                let service = launcher_here(config, database.clone(), parts).await?;
                Some(here.launcher.insert(service).sessions())
            }
            None => sessions_elsewhere(config, guard)?,
        };
        Ok(Self { vault, executor, sessions, audit, here })
    }

    /// What the desktop is told of, and where the page is.
    pub(crate) fn notified(&self, page: Option<String>) -> Option<notify::Sources> {
        let executor = Arc::clone(&self.executor.as_ref()?.executor);
        Some(notify::Sources { executor, sessions: self.sessions.clone(), page })
    }

    /// Stops what runs here, last started first: runs finish, keys are forgotten, the log is
    /// flushed.
    pub(crate) async fn stop(self) {
        let Here { vault, executor, launcher, audit } = self.here;
        if let Some(launcher) = launcher {
            launcher.shutdown().await;
        }
        if let Some(executor) = executor {
            executor.shutdown().await;
        }
        if let Some(vault) = vault {
            vault.shutdown().await;
        }
        if let Some(audit) = audit {
            audit.shutdown().await;
        }
    }

    /// Serves each role that runs here at its door, until `stop`.
    pub(crate) async fn serve_doors(
        &self,
        config: &Config,
        guard: &Guard,
        stop: &CancellationToken,
    ) -> Result<Vec<Serving>> {
        let mut serving = Vec::new();
        let Some(token) = &guard.token else { return Ok(serving) };
        for role in &config.roles {
            let server = self.server_of(*role, token.duplicate());
            let stop = stop.clone();
            let part: Serving = match config.services.of(*role) {
                Some(Door::Socket(socket)) => {
                    let listener = aileron_wire::listen(socket).await?;
                    tracing::info!(%role, socket = %socket.display(), "serving");
                    Box::pin(async move { server.serve(listener, stop.cancelled_owned()).await })
                }
                Some(Door::Tls { listen: Some(address), .. }) => {
                    let listener = guard.listen(*address, *role)?;
                    tracing::info!(%role, %address, "serving");
                    Box::pin(
                        async move { server.serve_tls(listener, stop.cancelled_owned()).await },
                    )
                }
                Some(Door::Tls { listen: None, .. }) | None => continue,
            };
            serving.push(part);
        }
        Ok(serving)
    }

    fn server_of(&self, role: Role, token: Secret) -> aileron_wire::Server {
        let server = aileron_wire::Server::new(token);
        match role {
            Role::Gateway => server,
            Role::Audit => server.audit(Arc::clone(&self.audit)),
            Role::Launcher => match &self.sessions {
                Some(sessions) => server.sessions(Arc::clone(sessions)),
                None => server,
            },
            Role::Vault => self.vault.served_by(server),
            Role::Executor => match &self.executor {
                Some(executor) => executor.served_by(server),
                None => server,
            },
        }
    }
}

/// One door being served; ends after its `stop`.
pub(crate) type Serving = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send + 'static>>;

async fn audit_here(config: &Config) -> Result<aileron_audit::Service> {
    aileron_audit::Service::open(aileron_audit::Options {
        home: config.audit_home.clone(),
        origin: config.audit_origin.clone(),
        database: config.database_url.clone().map(Location::Url),
        clock: now,
    })
    .await
}

async fn launcher_here(
    config: &Config,
    database: Database,
    (access, audit): (access::Handle, audit::Handle),
) -> Result<aileron_launcher::Service> {
    aileron_launcher::Service::open(aileron_launcher::Options {
        home: config.home.clone(),
        database,
        access,
        audit,
        clock: now,
    })
    .await
}

/// A split may do without agent sessions.
fn sessions_elsewhere(config: &Config, guard: &Guard) -> Result<Option<sessions::Handle>> {
    if config.services.launcher.is_none() {
        return Ok(None);
    }
    let channel = guard.channel(config, Role::Launcher)?;
    Ok(Some(Arc::new(aileron_wire::sessions::Remote::new(channel))))
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    Ok(bytes)
}

/// The shell's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
