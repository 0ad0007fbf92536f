//! The role that keeps credentials: here, or behind its door.

use std::sync::Arc;

use aileron_contract::{Result, access, audit, bindings, custody, egress, names::HostPort, vault};
use aileron_store::Database;
use aileron_vault::Service;
use aileron_wire::{Channel, Server};

use super::{executor::sources, now};
use crate::{config::Config, guard::Guard};

/// Handles to all that it offers, wherever it runs.
#[expect(clippy::struct_field_names, reason = "each handle has its contract's name")]
pub(crate) struct Vault {
    pub(crate) vault: vault::Handle,
    pub(crate) access: access::Handle,
    pub(crate) bindings: bindings::Handle,
    pub(crate) custody: custody::Handle,
    pub(crate) egress: egress::Handle,
}

impl Vault {
    pub(super) fn here(service: &Service) -> Self {
        Self {
            vault: service.vault(),
            access: service.access(),
            bindings: service.bindings(),
            custody: service.custody(),
            egress: service.egress(),
        }
    }

    pub(super) fn at(door: Channel) -> Self {
        Self {
            vault: Arc::new(aileron_wire::vault::Remote::new(door.clone())),
            access: Arc::new(aileron_wire::access::Remote::new(door.clone())),
            bindings: Arc::new(aileron_wire::bindings::Remote::new(door.clone())),
            custody: Arc::new(aileron_wire::custody::Remote::new(door.clone())),
            egress: Arc::new(aileron_wire::egress::Remote::new(door)),
        }
    }

    pub(super) fn served_by(&self, server: Server) -> Server {
        let Self { vault, access, bindings, custody, egress } = self;
        server
            .vault(Arc::clone(vault))
            .access(Arc::clone(access))
            .bindings(Arc::clone(bindings))
            .custody(Arc::clone(custody))
            .egress(Arc::clone(egress))
    }
}

/// Opens it in this process.
pub(super) async fn open(
    config: &Config,
    guard: &Guard,
    (database, audit): (Database, audit::Handle),
) -> Result<Service> {
    Service::open(aileron_vault::Options {
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
