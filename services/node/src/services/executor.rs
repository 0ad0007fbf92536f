//! The role that installs and runs: here, or behind its door.

use std::{path::Path, sync::Arc};

use aileron_contract::{Error, Result, Secret, audit, executor, packages, publishers};
use aileron_executor::{Service, packages::Sources};
use aileron_store::{Database, files};
use aileron_wire::Server;

use super::{Vault, now, random};
use crate::{
    config::{Config, Role},
    guard::Guard,
};

/// Handles to all that it offers, wherever it runs.
#[expect(clippy::struct_field_names, reason = "each handle has its contract's name")]
pub(crate) struct Executor {
    pub(crate) executor: executor::Handle,
    pub(crate) packages: packages::Handle,
    pub(crate) publishers: publishers::Handle,
}

impl Executor {
    pub(super) fn here(service: &Service) -> Self {
        Self {
            executor: service.executor(),
            packages: service.packages(),
            publishers: service.publishers(),
        }
    }

    /// A process without a gateway may do without it.
    pub(super) fn elsewhere(config: &Config, guard: &Guard) -> Result<Option<Self>> {
        if config.services.executor.is_none() {
            return Ok(None);
        }
        let door = guard.channel(config, Role::Executor)?;
        Ok(Some(Self {
            executor: Arc::new(aileron_wire::executor::Remote::new(door.clone())),
            packages: Arc::new(aileron_wire::packages::Remote::new(door.clone())),
            publishers: Arc::new(aileron_wire::publishers::Remote::new(door)),
        }))
    }

    pub(super) fn served_by(&self, server: Server) -> Server {
        let Self { executor, packages, publishers } = self;
        server
            .executor(Arc::clone(executor))
            .packages(Arc::clone(packages))
            .publishers(Arc::clone(publishers))
    }
}

/// Opens it in this process.
pub(super) async fn open(
    config: &Config,
    (database, vault, audit): (Database, &Vault, audit::Handle),
) -> Result<Service> {
    Service::open(aileron_executor::Options {
        home: config.home.clone(),
        database,
        vault: Arc::clone(&vault.vault),
        bindings: Arc::clone(&vault.bindings),
        egress: Arc::clone(&vault.egress),
        audit,
        tokens: Arc::new(Arc::clone(&vault.access)),
        sources: sources(config)?,
        wasm: guest_options(&config.home)?,
        clock: now,
        approval_wall: config.approval_wall,
    })
    .await
}

/// Where packages come from.
pub(super) fn sources(config: &Config) -> Result<Sources> {
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
