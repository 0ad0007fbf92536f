//! `action-state.json`: which actions are switched off. All functions block.

use std::{collections::HashMap, io, path::Path};

use aileron_contract::{Error, Reason, Result, limits, names::ActionName};
use aileron_store::files;
use serde_json::{Map, Value};

/// What the file says.
#[derive(Debug)]
pub(super) enum Switches {
    /// By name; a name that is missing is enabled.
    Known(HashMap<String, bool>),
    /// Nobody can tell what was switched off, so everything is.
    Unreadable(String),
}

impl Switches {
    pub(super) fn enabled(&self, name: &ActionName) -> bool {
        match self {
            Self::Known(switches) => switches.get(name.as_str()).copied().unwrap_or(true),
            Self::Unreadable(_) => false,
        }
    }
}

pub(super) fn read(path: &Path) -> Switches {
    let entries = match entries(path) {
        Ok(entries) => entries,
        Err(cause) => return Switches::Unreadable(cause),
    };
    let mut switches = HashMap::new();
    for (name, entry) in entries {
        let Value::Object(fields) = entry else {
            return Switches::Unreadable(format!("{name:?} is not an object"));
        };
        let enabled = match fields.get("enabled") {
            None => true,
            Some(Value::Bool(enabled)) => *enabled,
            Some(_) => {
                return Switches::Unreadable(format!("{name:?}: enabled is not true or false"));
            }
        };
        switches.insert(name, enabled);
    }
    Switches::Known(switches)
}

/// Sets one switch and keeps everything else in the file.
pub(super) fn write(path: &Path, name: &ActionName, enabled: bool) -> Result<()> {
    let mut entries = entries(path).map_err(|_| unavailable(path))?;
    let entry = entries.entry(name.as_str()).or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(fields) = entry else { return Err(unavailable(path)) };
    fields.insert("enabled".to_owned(), Value::Bool(enabled));
    let text = serde_json::to_string_pretty(&entries).map_err(Error::internal)?;
    let write = || {
        if let Some(home) = path.parent() {
            files::create_private_dir(home)?;
        }
        files::write_atomic(path, text.as_bytes(), 0o600)
    };
    write().map_err(|cause: io::Error| unavailable(path).caused_by(cause))
}

pub(super) fn unavailable(path: &Path) -> Error {
    let text = format!(
        "{} cannot be read or written, so no action can be switched: repair or remove it",
        path.display()
    );
    Error::new(Reason::ActionStateUnavailable, text)
}

/// The file's object; a missing or empty file has no entries.
fn entries(path: &Path) -> Result<Map<String, Value>, String> {
    let bytes = match files::read_regular(path, limits::ACTION_SWITCHES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(error.to_string()),
    };
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}
