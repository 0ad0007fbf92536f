//! Accepting what was shown, and nothing else.

use std::collections::BTreeMap;

use aileron_contract::{
    Context, Error, Reason, Result, audit,
    names::{ActionName, PackageRef, Sha256Hash},
    packages::{Acceptance, Accepted, DriftOf, DriftState},
};

use super::{Facts, connectors, facts, lock_digest};
use crate::{
    formats::action::ActionFile,
    packages::{
        Parts,
        catalog::{Catalog, Changed},
        install::events,
        missing,
        pins::{Kind, Move},
        records::{ActionRecord, ConnectorRecord},
        tool::Tool,
        verify::{self, VerifiedConnector},
    },
};

/// Accepts; the log is told before anything counts. `consent_changed` when it is not what was
/// shown any more.
pub(in crate::packages) async fn accept(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    acceptance: Acceptance,
) -> Result<Accepted> {
    let _changing = parts.changing.lock().await;
    let Acceptance { of, digest } = acceptance;
    match of {
        DriftOf::Action(name) => action(parts, catalog, context, (&name, digest)).await,
        DriftOf::Connector(package) => connector(parts, catalog, context, (&package, digest)).await,
        DriftOf::Lock => lock(parts, context, digest).await,
    }
}

async fn action(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    (name, shown): (&ActionName, Sha256Hash),
) -> Result<Accepted> {
    let found = match catalog.changed(Some(name)).await?.pop() {
        Some(changed) => facts(&changed).await?.map(|facts| (changed, facts)),
        None => None,
    };
    let Some((changed, facts)) = found else {
        let known = catalog.get(name).await?.is_some();
        return if known { Ok(as_before()) } else { Err(nothing(name.as_str())) };
    };
    let Some(digest) = facts.digest(name)? else { return Err(no_action(&changed)) };
    if digest != shown {
        return Err(changed_again(name.as_str()));
    }
    let event = event(context, &changed, &facts).with("aileron.drift.digest", digest.to_string());
    let (moves, missing) = if let (Some(parsed), Some(bytes)) = (&changed.parsed, &facts.bytes) {
        moves(parts, context, (&parsed.file, bytes), (event, None)).await?
    } else {
        let text = ActionRecord::gone(name, (parts.clock)())?;
        let row = parts.pins.seal(Kind::Action, name.to_string(), text).await?;
        (vec![Move { row, event, enabled: None }], BTreeMap::new())
    };
    commit(parts, context, moves).await?;
    catalog.reload().await?;
    Ok(Accepted { already: false, missing: missing.into_keys().collect() })
}

/// What makes a file as it is the accepted one, told with an event that may also switch it on or
/// off. Connectors it needs come along from store entries whose signatures verify; the others are
/// returned, each with what is the matter with its entry.
pub(in crate::packages) async fn moves(
    parts: &Parts,
    context: &Context,
    (file, bytes): (&ActionFile, &[u8]),
    (event, enabled): (audit::Event, Option<bool>),
) -> Result<(Vec<Move>, BTreeMap<PackageRef, Option<Error>>)> {
    let (mut moves, mut missing) = (Vec::new(), BTreeMap::new());
    for required in &file.requires {
        if parts.store.record(required.hash).await?.is_some() {
            continue;
        }
        match verify::stored_connector(parts, &required.package, required.hash).await {
            Ok(Some(verified)) => moves.push(recorded(parts, context, verified).await?),
            Ok(None) => drop(missing.insert(required.package.clone(), None)),
            Err(error) => drop(missing.insert(required.package.clone(), Some(error))),
        }
    }
    let tool = Tool::of(file);
    let record = ActionRecord {
        name: file.name.clone(),
        hash: Sha256Hash::of(&[bytes]),
        source: file.source.clone(),
        signer: None,
        installed_at: (parts.clock)(),
        brings: BTreeMap::new(),
        tool: Some(tool.record()?),
    };
    let row = record.sealed(&parts.pins, &tool, bytes).await?;
    moves.push(Move { row, event, enabled });
    Ok((moves, missing))
}

/// A connector whose entry was there before: its signature is checked as if it had been fetched.
async fn connector(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    (package, shown): (&PackageRef, Sha256Hash),
) -> Result<Accepted> {
    let required = missing::required(catalog).await?.connectors;
    let mut known = false;
    for required in required.into_iter().filter(|required| required.package == *package) {
        known = true;
        let Some(state) = connectors::state(parts, &required).await? else { continue };
        if state != DriftState::Unaccepted || connectors::digest(&required, state)? != shown {
            continue;
        }
        let stored = verify::stored_connector(parts, package, required.hash).await?;
        let Some(verified) = stored else { break };
        let change = recorded(parts, context, verified).await?;
        commit(parts, context, vec![change]).await?;
        return Ok(Accepted { already: false, missing: Vec::new() });
    }
    if known {
        Err(changed_again(&package.to_string()))
    } else {
        Err(nothing(&package.to_string()))
    }
}

async fn lock(parts: &Parts, context: &Context, shown: Sha256Hash) -> Result<Accepted> {
    let Some(seen) = parts.lock.look().await? else {
        let text = "the vault is locked, and only it can tell what the lockfile should say: unlock \
                    it first (aileron vault unlock)";
        return Err(Error::new(Reason::VaultLocked, text));
    };
    if seen.is_intact() {
        return Ok(as_before());
    }
    if lock_digest(&seen)? != shown {
        return Err(changed_again("the lockfile"));
    }
    let event = audit::Event::new(audit::EventKind::LockRenewed, audit::Actor::of(context))
        .with("aileron.lock.path", parts.lock.path().display().to_string())
        .with("aileron.lock.digest", seen.digest().to_string())
        .with("aileron.drift.digest", shown.to_string());
    parts.audit.append(context, event).await?;
    parts.lock.renew(&seen).await?;
    Ok(Accepted { already: false, missing: Vec::new() })
}

async fn commit(parts: &Parts, context: &Context, moves: Vec<Move>) -> Result<()> {
    parts.journal.commit(context, moves).await?;
    // The index is a cache for others.
    if let Err(error) = parts.store.write_index().await {
        tracing::warn!(%error, "the store's index is behind");
    }
    Ok(())
}

async fn recorded(parts: &Parts, context: &Context, verified: VerifiedConnector) -> Result<Move> {
    let record = ConnectorRecord {
        package: verified.package,
        hash: verified.hash,
        signer: verified.fingerprint,
        installed_at: (parts.clock)(),
    };
    let row = parts.pins.seal(Kind::Connector, record.hash.to_string(), record.text()?).await?;
    let event = events::connector(context, &record, false);
    Ok(Move { row, event, enabled: None })
}

fn event(context: &Context, changed: &Changed, facts: &Facts) -> audit::Event {
    let event = audit::Event::new(audit::EventKind::ActionAccepted, audit::Actor::of(context))
        .with("aileron.action.name", changed.name.as_str())
        .with("aileron.action.path", changed.path.display().to_string())
        .with("aileron.drift.state", facts.state.text());
    let Some(parsed) = &changed.parsed else { return event };
    event
        .with("aileron.action.hash", parsed.hash.to_string())
        .with("aileron.action.fqn", parsed.file.source.fqn.as_str())
        .with("aileron.action.version", parsed.file.version.to_string())
        .with("aileron.action.source", parsed.file.source.to_string())
}

fn as_before() -> Accepted {
    Accepted { already: true, missing: Vec::new() }
}

fn nothing(name: &str) -> Error {
    let text = format!("there is no {name} to accept: aileron action drift lists what waits");
    Error::new(Reason::NotFound, text)
}

fn no_action(changed: &Changed) -> Error {
    let why = changed.problem.as_ref().map_or("it cannot be read", |it| &it.message);
    let text = format!(
        "{} is no action and cannot be accepted: {why}. Repair it, or install {} again",
        changed.path.display(),
        changed.name
    );
    Error::new(Reason::Quarantined, text)
}

fn changed_again(what: &str) -> Error {
    let text = format!(
        "{what} is not as it was shown any more: look again (aileron action drift), then accept \
         what is there now"
    );
    Error::new(Reason::ConsentChanged, text)
}
