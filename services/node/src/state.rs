//! The operational database of the roles that run here, held so that no other process has them.

use aileron_contract::Result;
use aileron_store::{Database, Location, RoleLock};

use crate::config::{Config, Role};

/// The database, shared by the services that run here; each brings its own tables.
pub(crate) struct State {
    /// None in a process without a role that keeps state in it.
    pub(crate) database: Option<Database>,
    /// To be kept until the last write.
    pub(crate) held: Vec<RoleLock>,
}

impl State {
    /// Opens the database and takes the roles: `state_busy` while another process has one.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let kept: Vec<Role> = config
            .roles
            .iter()
            .copied()
            .filter(|role| match role {
                Role::Gateway => false,
                Role::Executor | Role::Vault | Role::Launcher => true,
                // The index of the log lies beside the log, unless there is a server.
                Role::Audit => config.database_url.is_some(),
            })
            .collect();
        if kept.is_empty() {
            return Ok(Self { database: None, held: Vec::new() });
        }
        let location = match &config.database_url {
            Some(url) => Location::Url(url.clone()),
            None => Location::File(config.home.join("state.db")),
        };
        let database = Database::open(location, &[]).await?;
        let mut held = Vec::new();
        for role in kept {
            held.push(database.hold(role.text()).await?);
        }
        Ok(Self { database: Some(database), held })
    }
}

/// Returns when another process has one of the roles.
pub(crate) async fn lost(held: &mut [RoleLock]) {
    let waiting: Vec<_> = held.iter_mut().map(|held| Box::pin(held.lost())).collect();
    if waiting.is_empty() {
        return std::future::pending().await;
    }
    futures::future::select_all(waiting).await;
}
