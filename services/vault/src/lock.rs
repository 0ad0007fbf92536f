//! Locking: everything that lives by the keys ends with them.

use std::sync::Arc;

use aileron_contract::{
    Context, Result,
    audit::{Actor, Event, EventKind},
    vault::{State, Status},
};

use crate::{access::Sessions, egress::Network, keeper::Keeper, oauth::Waiting};

/// What a lock ends, whoever locks.
#[derive(Clone)]
pub(crate) struct Lock {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) network: Arc<Network>,
}

impl Lock {
    /// The keys, all person sessions and all setups that wait for a person go first, and go even
    /// when the log cannot be written.
    pub(crate) async fn lock(&self, context: &Context) -> Result<Status> {
        let Self { keeper, sessions, waiting, network } = self;
        if keeper.view().await?.status().state == State::Unlocked
            && let Err(error) = keeper.flush_uses().await
        {
            tracing::warn!(%error, "when bindings were last used could not be written");
        }
        let mut events = sessions.close_all(context);
        let had_keys = keeper.forget().await;
        // After the keys: what is begun meanwhile finds the vault locked.
        waiting.end();
        network.rest();
        if had_keys {
            events.push(Event::new(EventKind::VaultLocked, Actor::of(context)));
        }
        keeper.record(context, &events).await?;
        Ok(keeper.view().await?.status())
    }
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").field("keeper", &self.keeper).finish_non_exhaustive()
    }
}
