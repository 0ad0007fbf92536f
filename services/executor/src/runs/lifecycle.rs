//! A run's record while the run is carried out: every move is pinned and durable before what it
//! announces happens.

use std::sync::Arc;

use aileron_contract::{Error, Reason, Result};
use tokio::sync::Mutex;

use super::{
    Record,
    engine::Engine,
    record::{Phase, Refusal},
};
use crate::seals::closed;

/// The one place that moves a running record on.
pub(super) struct Journal {
    engine: Arc<Engine>,
    current: Mutex<Record>,
}

impl Journal {
    pub(super) fn new(engine: Arc<Engine>, record: Record) -> Self {
        Self { engine, current: Mutex::new(record) }
    }

    pub(super) async fn record(&self) -> Record {
        self.current.lock().await.clone()
    }

    /// The run goes on to its next step.
    pub(super) async fn enter(&self, step: &str) -> Result<()> {
        let mut current = self.current.lock().await;
        let next = current.clone().enter(step).map_err(out_of_turn)?;
        *current = self.engine.advance(next).await?;
        Ok(())
    }

    /// A request that may change something is about to be sent. Once per step.
    pub(super) async fn about_to_send(&self) -> Result<()> {
        let mut current = self.current.lock().await;
        if matches!(current.phase, Phase::Running { sending: true, .. }) {
            return Ok(());
        }
        let next = current.clone().about_to_send().map_err(out_of_turn)?;
        *current = self.engine.advance(next).await?;
        Ok(())
    }

    /// The run ends. An end that cannot be written now is kept and written later.
    pub(super) async fn settle(
        &self,
        end: impl FnOnce(Record) -> Result<Record, Refusal> + Send,
    ) -> Result<Record> {
        let mut current = self.current.lock().await;
        let next = end(current.clone()).map_err(out_of_turn)?;
        *current = self.engine.settle(next).await;
        Ok(current.clone())
    }
}

impl Engine {
    /// Pins and writes the next version of a record; durable once this returns.
    pub(super) async fn advance(&self, next: Record) -> Result<Record> {
        let pinned = self.pins.seal(next.clone()).await?;
        if self.ledger.advance(pinned).await? {
            return Ok(next);
        }
        Err(Error::new(
            Reason::Quarantined,
            "the record of this run was changed by something else while it ran; it was stopped. \
             Look at who can write the state database",
        ))
    }

    /// Writes an end. It happened, whatever the table says: when it cannot be written it is kept
    /// in memory, shown from there, and written when the vault is open again.
    pub(super) async fn settle(&self, end: Record) -> Record {
        match self.advance(end.clone()).await {
            Ok(_) => self.forget_unwritten(&end.id),
            Err(error) => {
                if closed(&error) {
                    tracing::warn!(run = %end.id, "the vault is locked; a run's end waits for it");
                } else {
                    tracing::error!(run = %end.id, ?error, "a run's end cannot be written yet");
                }
                self.keep_unwritten(end.clone());
            }
        }
        end
    }
}

pub(super) fn out_of_turn(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Decided => Error::new(
            Reason::ApprovalDecided,
            "this approval has been decided already; a decision cannot be changed",
        ),
        Refusal::Expired => Error::new(
            Reason::ApprovalExpired,
            "nobody decided this approval in time: ask for the action again",
        ),
        Refusal::OutOfTurn => Error::internal(refusal),
    }
}
