//! Enabling and disabling, and accepting a file as it is.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result, audit,
    names::{ActionName, Sha256Hash},
};

use super::{Catalog, Installed, Switches, state};
use crate::packages::{
    blocking,
    install::events,
    pins::{Kind, Move},
    records::{ActionRecord, ConnectorRecord},
    verify,
};

impl Catalog {
    /// Shows or hides an action; the log is told before. When a person enables an action whose
    /// file is not the one that was installed, they accept it as it is. `not_found`;
    /// `connectors_missing` when such a file needs connectors that are not installed. The change
    /// is made even when the caller is gone.
    pub async fn set_enabled(
        &self,
        context: &Context,
        name: &ActionName,
        enabled: bool,
    ) -> Result<Arc<Installed>> {
        let (catalog, context, name) = (self.clone(), context.clone(), name.clone());
        let tasks = &self.inner.parts.tasks;
        let task = tasks.spawn(async move { catalog.switch(&context, &name, enabled).await });
        task.await.map_err(Error::internal)?
    }

    async fn switch(
        &self,
        context: &Context,
        name: &ActionName,
        enabled: bool,
    ) -> Result<Arc<Installed>> {
        let parts = &self.inner.parts;
        let _changing = parts.changing.lock().await;
        let found = self.get(name).await?.ok_or_else(|| unknown(name))?;
        if let Switches::Unreadable(_) = self.look().await?.1 {
            return Err(state::unavailable(&self.inner.switches));
        }
        let accepts = enabled && found.pinned == Some(false) && context.principal.is_person();
        let kind = if enabled {
            audit::EventKind::ActionEnabled
        } else {
            audit::EventKind::ActionDisabled
        };
        let event = audit::Event::new(kind, audit::Actor::of(context))
            .with("aileron.action.name", name.as_str())
            .with("aileron.action.hash", found.hash.to_string())
            .with("aileron.action.fqn", found.file.source.fqn.as_str())
            .with("aileron.action.accepted", accepts.then_some(true));
        if accepts {
            let moves = self.accept(context, &found, event).await?;
            parts.journal.commit(context, moves).await?;
            parts.store.write_index().await?;
        } else {
            parts.pins.switch(context, name.as_str(), event, enabled).await?;
        }
        let (path, switched) = (self.inner.switches.clone(), name.clone());
        blocking(move || state::write(&path, &switched, enabled)).await??;
        self.get(name).await?.ok_or_else(|| unknown(name))
    }

    /// What makes a file as it is the installed one, told with `event`. Connectors it needs may
    /// come from store entries whose signatures verify.
    async fn accept(
        &self,
        context: &Context,
        found: &Installed,
        event: audit::Event,
    ) -> Result<Vec<Move>> {
        let parts = &self.inner.parts;
        let mut moves = Vec::new();
        let mut missing: Vec<(String, Sha256Hash)> = Vec::new();
        for required in &found.file.requires {
            if parts.store.record(required.hash).await?.is_some() {
                continue;
            }
            match verify::stored_connector(parts, &required.package, required.hash).await? {
                Some(connector) => {
                    let record = ConnectorRecord {
                        package: connector.package,
                        hash: connector.hash,
                        signer: connector.fingerprint,
                        installed_at: (parts.clock)(),
                    };
                    let (name, text) = (record.hash.to_string(), record.text()?);
                    let row = parts.pins.seal(Kind::Connector, name, text).await?;
                    let event = events::connector(context, &record, false);
                    moves.push(Move { row, event, enabled: None });
                }
                None => missing.push((required.package.to_string(), required.hash)),
            }
        }
        if !missing.is_empty() {
            let list: Vec<_> = missing.iter().map(|(package, _)| package.as_str()).collect();
            let text = format!(
                "{} needs connectors that are not installed: {}. Install them first (aileron \
                 connector install)",
                found.file.name,
                list.join(", ")
            );
            return Err(Error::new(Reason::ConnectorsMissing, text));
        }
        let record = ActionRecord {
            name: found.file.name.clone(),
            hash: found.hash,
            source: found.file.source.clone(),
            signer: None,
            installed_at: (parts.clock)(),
        };
        let name = record.name.to_string();
        let row = parts.pins.seal(Kind::Action, name, record.text()?).await?;
        moves.push(Move { row, event, enabled: Some(true) });
        Ok(moves)
    }
}

fn unknown(name: &ActionName) -> Error {
    let text = format!("no action is named {name}: `aileron action list` shows those there are");
    Error::new(Reason::NotFound, text)
}
