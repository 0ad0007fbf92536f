//! The room, put together.

use std::{path::PathBuf, sync::Arc, time::Duration};

use aileron_contract::{
    Context, Error, Result, Secret, Timestamp, access as access_contract, audit,
    bindings as bindings_contract, custody as custody_contract, egress as egress_contract,
    vault as vault_contract,
};
use aileron_store::Database;
use tokio_util::sync::CancellationToken;

use crate::{
    Kdf,
    access::{self, Revocations, Sessions, tokens},
    bindings,
    credentials::Bindings,
    custody,
    disk::Disk,
    egress, idle,
    keeper::{Keeper, Parts},
    lock::Lock,
    mark,
    oauth::{Flows, Tokens, Waiting},
    passes::hashed,
    vault,
};

/// What the vault needs.
pub struct Options {
    /// The state folder; `secrets.json` lies in it.
    pub home: PathBuf,
    pub database: Database,
    pub audit: audit::Handle,
    /// The token that `daemon.json` holds.
    pub daemon_token: Option<Secret>,
    /// What a new passphrase costs to check.
    pub kdf: Kdf,
    pub egress: egress::Options,
    /// Lock the vault after this long without a use of a credential and without a person.
    pub idle_lock: Option<Duration>,
    pub clock: fn() -> Timestamp,
}

/// The running vault.
#[derive(Debug)]
pub struct Service {
    keeper: Arc<Keeper>,
    lock: Lock,
    vault: Arc<vault::Door>,
    custody: Arc<custody::Door>,
    access: Arc<access::Door>,
    bindings: Arc<bindings::Door>,
    egress: egress::Service,
    /// Ends what goes on by itself.
    stop: CancellationToken,
}

impl Service {
    /// Takes the vault's lock in the state folder and prepares its tables. Opens without a vault
    /// file as well, in the state `missing`.
    pub async fn open(options: Options) -> Result<Self> {
        let Options { home, database, audit, daemon_token, kdf, egress, idle_lock, clock } =
            options;
        let kdf = kdf.bounded()?;
        database.migrate(&[mark::MIGRATION, mark::DATED, tokens::MIGRATION]).await?;
        let disk = tokio::task::spawn_blocking(move || Disk::open(&home))
            .await
            .map_err(Error::internal)??;
        let parts = Parts { disk, database, audit: Arc::clone(&audit), clock, kdf };
        let keeper = Arc::new(Keeper::new(parts));
        let sessions = Arc::new(Sessions::default());
        let network = egress::network(&egress, Arc::new(egress::System))?;
        let tokens = Arc::new(Tokens::new(Arc::clone(&keeper), Arc::clone(&network)));
        let credentials =
            Arc::new(Bindings { keeper: Arc::clone(&keeper), tokens: Arc::clone(&tokens) });
        let revocations = Arc::new(Revocations::default());
        tokens::settle(&keeper, &revocations).await?;
        let waiting = Arc::new(Waiting::default());
        let lock = Lock {
            keeper: Arc::clone(&keeper),
            sessions: Arc::clone(&sessions),
            waiting: Arc::clone(&waiting),
            network: Arc::clone(&network),
        };
        let stop = keeper.stop.clone();
        if let Some(after) = idle_lock {
            keeper.tasks.spawn(idle::watch(lock.clone(), after, stop.clone()));
        }
        Ok(Self {
            egress: egress::Service::over(network, egress, audit, clock, credentials),
            bindings: Arc::new(bindings::Door {
                keeper: Arc::clone(&keeper),
                flows: Flows { tokens, waiting },
            }),
            vault: Arc::new(vault::Door { keeper: Arc::clone(&keeper), lock: lock.clone() }),
            custody: Arc::new(custody::Door {
                keeper: Arc::clone(&keeper),
                sessions: Arc::clone(&sessions),
            }),
            access: Arc::new(access::Door {
                keeper: Arc::clone(&keeper),
                sessions,
                revocations,
                agents: access::Agents::default(),
                daemon: daemon_token.as_ref().map(hashed),
            }),
            keeper,
            lock,
            stop,
        })
    }

    pub fn vault(&self) -> vault_contract::Handle {
        Arc::clone(&self.vault) as vault_contract::Handle
    }

    pub fn custody(&self) -> custody_contract::Handle {
        Arc::clone(&self.custody) as custody_contract::Handle
    }

    pub fn access(&self) -> access_contract::Handle {
        Arc::clone(&self.access) as access_contract::Handle
    }

    pub fn bindings(&self) -> bindings_contract::Handle {
        Arc::clone(&self.bindings) as bindings_contract::Handle
    }

    pub fn egress(&self) -> egress_contract::Handle {
        self.egress.handle()
    }

    /// Ends connections, finishes changes under way, ends the person sessions and forgets the keys.
    /// To be called while the log can still be written.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.bindings.flows.tokens.drain().await;
        self.egress.shutdown().await;
        self.keeper.tasks.close();
        self.keeper.tasks.wait().await;
        let context = Context::service("vault");
        if let Err(error) = self.lock.lock(&context).await {
            tracing::warn!(%error, "the vault's end could not be recorded");
        }
        self.keeper.release();
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("home", &self.home)
            .field("kdf", &self.kdf)
            .finish_non_exhaustive()
    }
}
