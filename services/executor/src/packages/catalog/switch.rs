//! Enabling and disabling, and accepting a file as it is.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result, audit, limits,
    names::{ActionName, Sha256Hash},
};
use aileron_store::files;

use super::{Catalog, Installed, Switches, state};
use crate::packages::{blocking, drift, pins::Move};

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
        if let Switches::Unreadable(_) = *self.look().await?.1 {
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
            let moves = self.accepting(context, &found, event).await?;
            parts.journal.commit(context, moves).await?;
            parts.store.write_index().await?;
        } else {
            parts.pins.switch(context, name.as_str(), event, enabled).await?;
        }
        let (path, switched) = (self.inner.switches.clone(), name.clone());
        blocking(move || state::write(&path, &switched, enabled)).await??;
        self.get(name).await?.ok_or_else(|| unknown(name))
    }

    /// What makes a file as it is the accepted one, with the connectors it needs; told with
    /// `event`.
    async fn accepting(
        &self,
        context: &Context,
        found: &Installed,
        event: audit::Event,
    ) -> Result<Vec<Move>> {
        let path = found.path.clone();
        let most = u64::try_from(limits::ACTION_FILE).unwrap_or(u64::MAX);
        let bytes = blocking(move || files::read_own(&path, most)).await?;
        let bytes = bytes.ok().filter(|bytes| Sha256Hash::of(&[bytes]) == found.hash);
        let Some(bytes) = bytes else {
            let text = format!("{} is being written right now: try again", found.path.display());
            return Err(Error::new(Reason::ConsentChanged, text));
        };
        let parts = &self.inner.parts;
        let file = (&*found.file, bytes.as_slice());
        let (moves, missing) = drift::moves(parts, context, file, (event, Some(true))).await?;
        let list: Vec<_> = missing.keys().map(ToString::to_string).collect();
        if let Some(error) = missing.into_values().flatten().next() {
            return Err(error);
        }
        if list.is_empty() {
            return Ok(moves);
        }
        let text = format!(
            "{} needs connectors that are not installed: {}. Install them first (aileron sync)",
            found.file.name,
            list.join(", ")
        );
        Err(Error::new(Reason::ConnectorsMissing, text))
    }
}

fn unknown(name: &ActionName) -> Error {
    let text = format!("no action is named {name}: `aileron action list` shows those there are");
    Error::new(Reason::NotFound, text)
}
