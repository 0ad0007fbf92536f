//! Finds the runtime, starts it when it is not running, and becomes a person when one is needed.

mod discover;
mod gate;
mod held;
mod queue;
#[cfg(feature = "runtime")]
mod spawn;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) use gate::{Person, RecoveryKey, need_terminal};
#[cfg(feature = "runtime")]
pub(crate) use spawn::Hold;

use aileron_api::{
    Sensitive,
    client::{Client, Endpoint},
    discovery::Discovery,
};

use crate::{
    failure::{Failure, Result},
    printer::Printer,
};
use held::Held;

/// What the environment says; read once, by `main`.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) home: PathBuf,
    /// Where the runtime is, with `/v1`; none means the daemon of `home`.
    pub(crate) api_url: Option<String>,
    pub(crate) token: Option<Sensitive>,
    pub(crate) passphrase: Option<Sensitive>,
    pub(crate) process: Process,
}

/// What this process is, and what it was started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process {
    /// The file of its program, where the system says so.
    pub(crate) program: Option<PathBuf>,
    pub(crate) directory: Option<PathBuf>,
    /// Where it would look for programs.
    pub(crate) path: Option<OsString>,
    /// The names of all its variables.
    pub(crate) variables: Vec<OsString>,
    #[cfg(feature = "runtime")]
    pub(crate) own: Own,
}

/// What only the runtime inside this program asks of its process.
#[cfg(feature = "runtime")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    pub(crate) environment: crate::runtime::Environment,
    /// Where cargo keeps its registry.
    pub(crate) crates: PathBuf,
    /// For what need not outlive this process.
    pub(crate) temporary: PathBuf,
}

impl Process {
    pub(crate) fn program(&self) -> Result<&Path> {
        self.program.as_deref().ok_or_else(|| Failure::plain("cannot find this program's file"))
    }
}

/// The way to the runtime.
pub(crate) struct Connection<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) printer: Printer,
    pub(crate) client: Client,
    /// The person sessions that are open.
    pub(crate) held: Arc<Held>,
}

impl<'s> Connection<'s> {
    /// Connects, starting the daemon when it is not running.
    pub(crate) async fn open(settings: &'s Settings, printer: Printer) -> Result<Self> {
        if let Some(url) = &settings.api_url {
            return Self::at(settings, printer, url.clone(), settings.token.clone());
        }
        let found = match discover::running(&settings.home).await? {
            Some(found) => found,
            None => start(settings, printer).await?,
        };
        let token = settings.token.clone().or_else(|| found.token.map(Sensitive::new));
        Self::at(settings, printer, format!("{}/v1", found.url), token)
    }

    /// The way to a daemon of this machine that was found running.
    pub(crate) fn local(
        settings: &'s Settings,
        printer: Printer,
        found: &Discovery,
    ) -> Result<Self> {
        let token = found.token.clone().map(Sensitive::new);
        Self::at(settings, printer, format!("{}/v1", found.url), token)
    }

    fn at(
        settings: &'s Settings,
        printer: Printer,
        base_url: String,
        token: Option<Sensitive>,
    ) -> Result<Self> {
        let client = client(&base_url, token)?;
        Ok(Self { settings, printer, client, held: Arc::default() })
    }

    /// The same runtime, with another token.
    pub(crate) fn with_token(&self, token: Sensitive) -> Result<Client> {
        Ok(self.client.with_token(token.expose())?)
    }
}

fn client(base_url: &str, token: Option<Sensitive>) -> Result<Client> {
    let token = token.map(Sensitive::into_inner);
    let endpoint = Endpoint { base_url: base_url.to_owned(), token, extra_root: None };
    Ok(Client::new(endpoint)?)
}

/// The daemon of `home`, if one answers.
pub(crate) async fn running(home: &Path) -> Result<Option<Discovery>> {
    discover::running(home).await
}

/// Starts the daemon of the home and waits until it answers.
#[cfg(feature = "runtime")]
pub(crate) async fn start(settings: &Settings, printer: Printer) -> Result<Discovery> {
    spawn::start(settings, printer).await
}

/// The same for a daemon that ends when what it is held by is dropped.
#[cfg(feature = "runtime")]
pub(crate) async fn hold(settings: &Settings, printer: Printer) -> Result<(Discovery, Hold)> {
    spawn::hold(settings, printer).await
}

#[cfg(not(feature = "runtime"))]
#[expect(clippy::unused_async, reason = "the same signature as the one that starts a daemon")]
pub(crate) async fn start(settings: &Settings, _printer: Printer) -> Result<Discovery> {
    Err(Failure::plain(format!(
        "no daemon answers for {}, and this build is a client only: set AILERON_API_URL and \
         AILERON_TOKEN, or start the daemon with the full `aileron`",
        settings.home.display()
    )))
}
