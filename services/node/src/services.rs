//! Puts the services together: each one here, or behind its door.

use std::{net::SocketAddr, path::Path, sync::Arc};

use aileron_contract::{
    Error, Result, Secret, Timestamp, access, audit, bindings, custody, egress, executor,
    names::HostPort, packages, publishers, sessions, vault,
};
use aileron_executor::packages::Sources;
use aileron_store::{Database, Location, files};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Door, Role},
    guard::Guard,
    notify,
};

/// Handles to every service, wherever it runs, and the parts that run here.
pub(crate) struct Services {
    pub(crate) vault: vault::Handle,
    pub(crate) access: access::Handle,
    pub(crate) bindings: bindings::Handle,
    pub(crate) custody: custody::Handle,
    pub(crate) egress: egress::Handle,
    pub(crate) executor: Option<executor::Handle>,
    pub(crate) packages: Option<packages::Handle>,
    pub(crate) publishers: Option<publishers::Handle>,
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
        let (vault, access, bindings, custody, egress) = if let Some(database) = holds(Role::Vault)
        {
            let service = vault_here(config, guard, database.clone(), Arc::clone(&audit)).await?;
            let (vault, access) = (service.vault(), service.access());
            let handles = (vault, access, service.bindings(), service.custody(), service.egress());
            here.vault = Some(service);
            handles
        } else {
            vault_elsewhere(guard.channel(config, Role::Vault)?)
        };
        let (executor, packages, publishers) = if let Some(database) = holds(Role::Executor) {
            let service = aileron_executor::Service::open(aileron_executor::Options {
                home: config.home.clone(),
                database: database.clone(),
                vault: Arc::clone(&vault),
                bindings: Arc::clone(&bindings),
                egress: Arc::clone(&egress),
                audit: Arc::clone(&audit),
                sources: sources(config)?,
                wasm: guest_options(&config.home)?,
                clock: now,
                approval_wall: config.approval_wall,
            })
            .await?;
            let handles = (service.executor(), service.packages(), service.publishers());
            here.executor = Some(service);
            (Some(handles.0), Some(handles.1), Some(handles.2))
        } else {
            executor_elsewhere(config, guard)?
        };
        let sessions = match holds(Role::Launcher) {
            Some(database) => {
                let parts = (Arc::clone(&access), Arc::clone(&audit));
                let service = launcher_here(config, database.clone(), parts).await?;
                Some(here.launcher.insert(service).sessions())
            }
            None => sessions_elsewhere(config, guard)?,
        };
        Ok(Self {
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
            here,
        })
    }

    /// What the desktop is told of, and where the page is.
    pub(crate) fn notified(&self, address: SocketAddr) -> Option<notify::Sources> {
        let (executor, sessions) = (self.executor.clone()?, self.sessions.clone());
        Some(notify::Sources { executor, sessions, address })
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
            Role::Vault => server
                .vault(Arc::clone(&self.vault))
                .access(Arc::clone(&self.access))
                .bindings(Arc::clone(&self.bindings))
                .custody(Arc::clone(&self.custody))
                .egress(Arc::clone(&self.egress)),
            Role::Executor => match (&self.executor, &self.packages, &self.publishers) {
                (Some(executor), Some(packages), Some(publishers)) => server
                    .executor(Arc::clone(executor))
                    .packages(Arc::clone(packages))
                    .publishers(Arc::clone(publishers)),
                _ => server,
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

async fn vault_here(
    config: &Config,
    guard: &Guard,
    database: Database,
    audit: audit::Handle,
) -> Result<aileron_vault::Service> {
    aileron_vault::Service::open(aileron_vault::Options {
        home: config.home.clone(),
        database,
        audit,
        daemon_token: Some(guard.daemon_token.duplicate()),
        kdf: aileron_vault::Kdf::default(),
        egress: aileron_vault::egress::Options {
            extra_roots: config.egress_roots.clone(),
            private_hosts: config.private_hosts.clone(),
            stored: stored(config)?,
        },
        idle_lock: config.idle_lock,
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

fn vault_elsewhere(
    channel: aileron_wire::Channel,
) -> (vault::Handle, access::Handle, bindings::Handle, custody::Handle, egress::Handle) {
    (
        Arc::new(aileron_wire::vault::Remote::new(channel.clone())),
        Arc::new(aileron_wire::access::Remote::new(channel.clone())),
        Arc::new(aileron_wire::bindings::Remote::new(channel.clone())),
        Arc::new(aileron_wire::custody::Remote::new(channel.clone())),
        Arc::new(aileron_wire::egress::Remote::new(channel)),
    )
}

/// A process without a gateway may do without the executor.
fn executor_elsewhere(
    config: &Config,
    guard: &Guard,
) -> Result<(Option<executor::Handle>, Option<packages::Handle>, Option<publishers::Handle>)> {
    if config.services.executor.is_none() {
        return Ok((None, None, None));
    }
    let channel = guard.channel(config, Role::Executor)?;
    Ok((
        Some(Arc::new(aileron_wire::executor::Remote::new(channel.clone()))),
        Some(Arc::new(aileron_wire::packages::Remote::new(channel.clone()))),
        Some(Arc::new(aileron_wire::publishers::Remote::new(channel))),
    ))
}

fn sources(config: &Config) -> Result<Sources> {
    let github = &config.github;
    let mut sources = match &github.base_url {
        Some(base) => Sources::from_base(&base.parse().map_err(Error::internal)?)?,
        None => Sources::github()?,
    };
    if let Some(api) = &github.api_url {
        sources.api_url = api.parse().map_err(Error::internal)?;
    }
    if let Some(raw) = &github.raw_url {
        sources.raw_url = raw.parse().map_err(Error::internal)?;
    }
    sources.asset_hosts.extend(github.asset_hosts.iter().cloned());
    sources.token.clone_from(&github.token);
    let hub = config.hub_url.as_deref().map(str::parse).transpose();
    sources.hub = hub.map_err(Error::internal)?;
    Ok(sources)
}

/// The secrets of the vault that this configuration refers to, and where each may go.
fn stored(config: &Config) -> Result<Vec<aileron_vault::egress::Stored>> {
    let Some(egress::Authorization::Stored(name)) = &config.github.token else {
        return Ok(Vec::new());
    };
    let api = sources(config)?.api_url;
    let port = api.port_or_known_default().unwrap_or(443);
    let host = HostPort::new(api.host_str().unwrap_or_default(), port)?;
    Ok(vec![aileron_vault::egress::Stored { name: name.clone(), hosts: vec![host] }])
}

/// Compiled modules are cached below the home, authenticated with a key of that home.
fn guest_options(home: &Path) -> Result<aileron_wasmhost::Options> {
    let cache_dir = home.join("cache").join("modules");
    files::create_private_dir(&cache_dir).map_err(Error::internal)?;
    let key_path = home.join("cache").join("modules.key");
    let key = match files::read_bounded(&key_path, 64) {
        Ok(key) if key.len() == 32 => key,
        // Without its key the cache is worthless, and with a new one it fills again.
        _ => {
            let key = random::<32>()?.to_vec();
            files::write_atomic(&key_path, &key, 0o600).map_err(Error::internal)?;
            key
        }
    };
    Ok(aileron_wasmhost::Options { cache_dir, cache_key: Secret::new(key) })
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
