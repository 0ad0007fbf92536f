//! A fresh home for one run of the demo.

use std::{
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use aileron_api::Sensitive;
use serde_json::json;

use crate::{
    commands::daemon,
    connection::{Process, Settings},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    runtime::demo::Servers,
};

/// The folder of a daemon of its own, and the passphrase of its vault.
pub(super) struct Home {
    settings: Settings,
    passphrase: Sensitive,
}

impl Home {
    /// The configuration tells egress about this run's authority and package source, and of no
    /// other private address: the notes API is reached by the person's consent alone.
    pub(super) fn create(servers: &Servers, process: Process) -> Result<Self> {
        let word = ulid::Ulid::new().to_string().to_lowercase();
        let path = process.own.temporary.join(format!("aileron-demo-{word}"));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| Failure::file("create", &path, error))?;
        let settings =
            Settings { home: path, api_url: None, token: None, passphrase: None, process };
        let passphrase = Sensitive::new(format!("demo passphrase {word}"));
        let home = Self { settings, passphrase };
        let authority = home.path().join("demo-authority.pem");
        Self::write(&authority, &servers.authority_pem)?;
        let source = &servers.source_url;
        // JSON is YAML.
        let config = json!({
            "sources": { "github": {
                "base_url": source,
                "api_url": format!("{source}/api/v3"),
                "raw_url": format!("{source}/raw"),
            }},
            "egress": { "roots": [authority], "private_hosts": [servers.source_host] },
        });
        Self::write(&home.path().join("config.yaml"), &config.to_string())?;
        Ok(home)
    }

    pub(super) fn path(&self) -> &Path {
        &self.settings.home
    }

    /// As a client of its daemon has them.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn passphrase(&self) -> Sensitive {
        self.passphrase.clone()
    }

    pub(super) async fn stop_daemon(&self, printer: Printer) -> Result<Exit> {
        daemon::stop(&self.settings, printer).await
    }

    pub(super) fn remove(self, keep: bool) {
        if !keep && let Err(error) = std::fs::remove_dir_all(self.path()) {
            // Left for the system to clear: it is a folder for temporary files.
            drop(error);
        }
    }

    pub(super) fn write(path: &Path, text: &str) -> Result<()> {
        use std::io::Write as _;
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Failure::file("write", path, error))
    }
}
