//! Puts the services together: each one here, or at its socket.

use std::{path::Path, sync::Arc};

use aileron_contract::{
    Error, Reason, Result, Secret, Timestamp, access, audit, egress, executor, packages, vault,
};
use aileron_executor::packages::Sources;
use aileron_store::{Database, Location, files};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Role};

/// Handles to every service, wherever it runs, and the parts that run here.
pub(crate) struct Services {
    pub(crate) vault: vault::Handle,
    pub(crate) access: access::Handle,
    pub(crate) egress: egress::Handle,
    pub(crate) executor: Option<executor::Handle>,
    pub(crate) packages: Option<packages::Handle>,
    pub(crate) audit: audit::Handle,
    here: Here,
}

#[derive(Default)]
struct Here {
    vault: Option<aileron_vault::Service>,
    executor: Option<aileron_executor::Service>,
    audit: Option<aileron_audit::Service>,
}

impl Services {
    /// Starts what runs here, in the order in which the parts need each other.
    pub(crate) async fn start(config: &Config, guard: &Guard) -> Result<Self> {
        let mut here = Here::default();
        let database = database(config).await?;
        let audit = if config.roles.contains(&Role::Audit) {
            let service = aileron_audit::Service::open(aileron_audit::Options {
                home: config.audit_home.clone(),
                origin: config.audit_origin.clone(),
                database: config.database_url.clone().map(Location::Url),
                clock: now,
            })
            .await?;
            let handle = service.audit();
            here.audit = Some(service);
            handle
        } else {
            Arc::new(aileron_wire::audit::Remote::new(guard.channel(config, Role::Audit)?))
        };
        let (vault, access, egress) = if config.roles.contains(&Role::Vault) {
            let service = vault_here(config, guard, database.clone(), Arc::clone(&audit)).await?;
            let handles = (service.vault(), service.access(), service.egress());
            here.vault = Some(service);
            handles
        } else {
            vault_elsewhere(guard.channel(config, Role::Vault)?)
        };
        let (executor, packages) = if config.roles.contains(&Role::Executor) {
            let service = aileron_executor::Service::open(aileron_executor::Options {
                home: config.home.clone(),
                database: database.clone(),
                vault: Arc::clone(&vault),
                egress: Arc::clone(&egress),
                audit: Arc::clone(&audit),
                sources: sources(config)?,
                wasm: guest_options(&config.home)?,
                clock: now,
                approval_wall: config.approval_wall,
            })
            .await?;
            let handles = (service.executor(), service.packages());
            here.executor = Some(service);
            (Some(handles.0), Some(handles.1))
        } else if config.services.executor.is_some() {
            let channel = guard.channel(config, Role::Executor)?;
            let executor: executor::Handle =
                Arc::new(aileron_wire::executor::Remote::new(channel.clone()));
            let packages: packages::Handle = Arc::new(aileron_wire::packages::Remote::new(channel));
            (Some(executor), Some(packages))
        } else {
            (None, None)
        };
        Ok(Self { vault, access, egress, executor, packages, audit, here })
    }

    /// Stops what runs here, last started first: runs finish, keys are forgotten, the log is
    /// flushed.
    pub(crate) async fn stop(self) {
        let Here { vault, executor, audit } = self.here;
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

    /// Serves each role that runs here on its socket, until `stop`.
    pub(crate) async fn serve_sockets(
        &self,
        config: &Config,
        guard: &Guard,
        stop: &CancellationToken,
    ) -> Result<Vec<Serving>> {
        let mut serving = Vec::new();
        let Some(token) = &guard.token else { return Ok(serving) };
        for role in &config.roles {
            let socket = match role {
                Role::Gateway => None,
                Role::Executor => config.services.executor.as_deref(),
                Role::Vault => config.services.vault.as_deref(),
                Role::Audit => config.services.audit.as_deref(),
            };
            let Some(socket) = socket else { continue };
            let server = self.server_of(*role, token.duplicate());
            let listener = aileron_wire::listen(socket).await?;
            let stop = stop.clone();
            serving.push(Box::pin(
                async move { server.serve(listener, stop.cancelled_owned()).await },
            ) as Serving);
            tracing::info!(%role, socket = %socket.display(), "serving");
        }
        Ok(serving)
    }

    fn server_of(&self, role: Role, token: Secret) -> aileron_wire::Server {
        let server = aileron_wire::Server::new(token);
        match role {
            Role::Gateway => server,
            Role::Audit => server.audit(Arc::clone(&self.audit)),
            Role::Vault => server
                .vault(Arc::clone(&self.vault))
                .access(Arc::clone(&self.access))
                .egress(Arc::clone(&self.egress)),
            Role::Executor => match (&self.executor, &self.packages) {
                (Some(executor), Some(packages)) => {
                    server.executor(Arc::clone(executor)).packages(Arc::clone(packages))
                }
                _ => server,
            },
        }
    }
}

/// One socket being served; ends after its `stop`.
pub(crate) type Serving = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send + 'static>>;

/// Tokens that guard the doors: the service token of the sockets and the daemon's own.
pub(crate) struct Guard {
    token: Option<Secret>,
    pub(crate) daemon_token: Secret,
}

impl Guard {
    /// In a split the daemon token is derived from the service token, so that the gateway, which
    /// publishes it, and the vault, which checks it, agree; otherwise it is new at every start.
    pub(crate) fn read(config: &Config) -> Result<Self> {
        let token = config.services.token_file.as_deref().map(read_token).transpose()?;
        let seed = match &token {
            Some(token) => token.expose(|token| {
                aileron_contract::names::Sha256Hash::of(&[b"aileron daemon token v1\0", token])
                    .hex()
            }),
            None => hex::encode(random::<32>()?),
        };
        Ok(Self { token, daemon_token: Secret::from(format!("ald_{seed}")) })
    }

    fn channel(&self, config: &Config, role: Role) -> Result<aileron_wire::Channel> {
        let socket = match role {
            Role::Gateway => None,
            Role::Executor => config.services.executor.as_deref(),
            Role::Vault => config.services.vault.as_deref(),
            Role::Audit => config.services.audit.as_deref(),
        };
        let (Some(socket), Some(token)) = (socket, &self.token) else {
            return Err(Error::new(
                Reason::ConfigInvalid,
                format!(
                    "services.{role} and services.token_file are needed: {role} runs elsewhere"
                ),
            ));
        };
        aileron_wire::connect(socket, token.duplicate())
    }
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
        },
        clock: now,
    })
    .await
}

fn vault_elsewhere(
    channel: aileron_wire::Channel,
) -> (vault::Handle, access::Handle, egress::Handle) {
    (
        Arc::new(aileron_wire::vault::Remote::new(channel.clone())),
        Arc::new(aileron_wire::access::Remote::new(channel.clone())),
        Arc::new(aileron_wire::egress::Remote::new(channel)),
    )
}

/// The operational database, shared by the services that run here; each brings its own tables.
async fn database(config: &Config) -> Result<Database> {
    let location = match &config.database_url {
        Some(url) => Location::Url(url.clone()),
        None => Location::File(config.home.join("state.db")),
    };
    Database::open(location, &[]).await
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
    sources.token = github.token.as_ref().map(Secret::duplicate);
    Ok(sources)
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

/// A token file holds at least 32 characters, is ours alone and is read once.
fn read_token(path: &Path) -> Result<Secret> {
    use std::os::unix::fs::PermissionsExt as _;
    let wrong = |what: &str| {
        Error::new(Reason::ConfigInvalid, format!("services.token_file {}: {what}", path.display()))
    };
    let metadata =
        std::fs::metadata(path).map_err(|error| wrong("not readable").caused_by(error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(wrong("others may read it: chmod 600"));
    }
    let text =
        files::read_bounded(path, 4_096).map_err(|error| wrong("not readable").caused_by(error))?;
    let token = String::from_utf8(text).map_err(|_| wrong("not text"))?;
    let token = token.trim();
    if token.len() < 32 || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(wrong("at least 32 visible characters are needed (openssl rand -hex 32)"));
    }
    Ok(Secret::from(token.to_owned()))
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
