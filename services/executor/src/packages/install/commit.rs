//! What is found becomes what is installed: records, store entries and events.

use std::{collections::BTreeMap, slice};

use aileron_contract::{Context, Error, Result};

use super::{events, recover, standing::Standing};
use crate::packages::{
    Parts,
    journal::Change,
    pins::{Kind, Move},
    records::{ActionRecord, ConnectorRecord},
    tool::Tool,
    verify::{VerifiedAction, VerifiedConnector},
};

/// What is installed whole or not at all: an action with the connectors it brings, or a connector.
pub(super) struct Unit<'a> {
    pub(super) action: Option<(&'a VerifiedAction, &'a Standing)>,
    pub(super) connectors: &'a [VerifiedConnector],
}

/// Installs one connector.
pub(super) async fn connector(
    parts: &Parts,
    context: &Context,
    verified: &VerifiedConnector,
) -> Result<()> {
    let unit = Unit { action: None, connectors: slice::from_ref(verified) };
    let outcome = commit(parts, context, &[unit]).await.pop();
    outcome.unwrap_or_else(|| Err(Error::internal("an installation has no outcome")))
}

/// Installs each or leaves no trace of it, whatever becomes of the others; one answer each, in
/// their order. What a failure leaves is undone at once, or at the next start.
pub(super) async fn commit(
    parts: &Parts,
    context: &Context,
    units: &[Unit<'_>],
) -> Vec<Result<()>> {
    let outcomes = match changes(parts, context, units).await {
        Ok(changes) => try_commit(parts, context, units, changes).await,
        Err(error) => units.iter().map(|_| Err(error.clone())).collect(),
    };
    if outcomes.iter().any(Result::is_err)
        && let Err(error) = recover(parts).await
    {
        tracing::warn!(%error, "what an installation left is settled at the next start");
    }
    outcomes
}

async fn try_commit(
    parts: &Parts,
    context: &Context,
    units: &[Unit<'_>],
    mut changes: Vec<Change>,
) -> Vec<Result<()>> {
    parts.journal.prepare(&mut changes).await;
    for (unit, change) in units.iter().zip(&mut changes) {
        for verified in unit.connectors {
            if change.outcome().is_ok()
                && let Err(error) = parts.store.write(verified.hash, verified.files.clone()).await
            {
                change.fail(error);
            }
        }
    }
    parts.journal.tell(context, &mut changes).await;
    parts.journal.place(&mut changes).await;
    // From here on they are installed. The index is a cache for others.
    let mut committed = units.iter().zip(&changes).filter(|(_, change)| change.outcome().is_ok());
    if committed.any(|(unit, _)| !unit.connectors.is_empty())
        && let Err(error) = parts.store.write_index().await
    {
        tracing::warn!(%error, "the store's index is behind");
    }
    changes.iter().map(Change::outcome).collect()
}

async fn changes(parts: &Parts, context: &Context, units: &[Unit<'_>]) -> Result<Vec<Change>> {
    let mut changes = Vec::with_capacity(units.len());
    for unit in units {
        changes.push(Change::new(moves(parts, context, unit).await?));
    }
    Ok(changes)
}

/// The records and their events. The action's comes first: it speaks for the connectors.
async fn moves(parts: &Parts, context: &Context, unit: &Unit<'_>) -> Result<Vec<Move>> {
    let now = (parts.clock)();
    let mut moves = Vec::with_capacity(unit.connectors.len() + 1);
    let mut brings = BTreeMap::new();
    for verified in unit.connectors {
        let record = ConnectorRecord {
            package: verified.package.clone(),
            hash: verified.hash,
            signer: verified.fingerprint.clone(),
            installed_at: now,
        };
        let name = record.hash.to_string();
        let row = parts.pins.seal(Kind::Connector, name, record.text()?).await?;
        brings.insert(record.hash, row.digest());
        // The mark of an entry that goes again when nothing comes of it.
        let fresh = parts.store.files(record.hash).await?.is_none();
        let row = if fresh { row.staging(b"") } else { row };
        let event = events::connector(context, &record, false);
        moves.push(Move { row, event, enabled: None });
    }
    if let Some((action, standing)) = unit.action {
        let (in_place, alone) = (standing.is_in_place(), brings.is_empty());
        let tool = Tool::of(&action.file);
        let record = ActionRecord {
            name: action.file.name.clone(),
            hash: action.hash,
            source: action.file.source.clone(),
            signer: action.fingerprint.clone(),
            installed_at: now,
            brings,
            tool: Some(tool.record()?),
        };
        let row = record.sealed(&parts.pins, &tool, &action.bytes).await?;
        // Staged as long as something is left to do once the log has been told.
        let row = match (in_place, alone) {
            (true, true) => row,
            (true, false) => row.staging(b""),
            (false, _) => row.staging(&action.bytes),
        };
        let event = events::action(parts, context, action);
        moves.insert(0, Move { row, event, enabled: None });
    }
    Ok(moves)
}
