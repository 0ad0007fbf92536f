//! The daemon: one process that holds all roles, or some of them.
//!
//! Order of start: harden, configuration, lock, log, vault, executor, listener, discovery file.
//! Order of stop: stop accepting, drain, stop tasks, forget keys, flush the log, export the last
//! spans.

use std::{io::ErrorKind, path::Path, sync::Arc, time::Duration};

use aileron_contract::{Error, Reason, Result, limits};
use aileron_gateway::Notifying;
use aileron_store::{Database, files, lock::FolderLock};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{self, Config, Flags, Role},
    discovery::Published,
    environment::Environment,
    guard::Guard,
    listener,
    notify::Notifier,
    services::{Services, Serving, now},
    signals,
    state::{self, State},
    telemetry::{Lines, Settings, Telemetry},
    tether::Tether,
};

/// Runs until the process is asked to stop.
pub async fn run(environment: &Environment, flags: &Flags) -> Result<()> {
    aileron_vault::harden_process()?;
    signals::outlive_file_limits().map_err(Error::internal)?;
    let lines = Lines::of_process(&environment.home());
    let config = configure(environment, flags)?;
    let tether = flags.until_input_ends.then(Tether::standard_input).transpose()?;
    let settings = Settings::read(environment);
    let telemetry = Telemetry::start((&config.log, lines), settings, &config.roles, now);
    let ended = Box::pin(work(environment, config, tether)).await;
    telemetry.stop().await;
    ended
}

async fn work(environment: &Environment, config: Config, tether: Option<Tether>) -> Result<()> {
    for name in environment.unknown() {
        tracing::warn!(name, "unknown variable ignored: is it misspelt?");
    }
    files::create_private_dir(&config.home).map_err(|error| {
        Error::new(
            Reason::ConfigInvalid,
            format!("{} cannot be the state folder: {error}", config.home.display()),
        )
    })?;
    let locks = Locks::acquire(&config)?;
    if config.roles.contains(&Role::Gateway) {
        Published::forget(&config.home);
    }
    let guard = Guard::read(&config)?;
    let State { database, mut held } = State::open(&config).await?;
    let services = Services::start(&config, &guard, database.as_ref()).await?;
    let stop = CancellationToken::new();
    let let_go = async {
        match tether {
            Some(tether) => tether.let_go().await,
            None => std::future::pending().await,
        }
    };
    let served = serve(&config, &guard, &services, &stop, async {
        tokio::select! {
            asked = signals::stop_requested(locks.watched()) => asked,
            () = state::lost(&mut held) => Ok("another process holds a role on the database"),
            () = let_go => Ok("whoever started it is gone"),
        }
    })
    .await;
    services.stop().await;
    if let Some(database) = database {
        close(&database).await;
    }
    drop(held);
    served
}

/// A file is folded into one whole again when its last connection closes. Work that did not end in
/// time may have one still: what it wrote is safe beside the file.
async fn close(database: &Database) {
    if tokio::time::timeout(limits::DRAIN_WALL, database.close()).await.is_err() {
        tracing::warn!("the state database was still in use and was not closed");
    }
}

async fn serve(
    config: &Config,
    guard: &Guard,
    services: &Services,
    stop: &CancellationToken,
    asked: impl Future<Output = std::io::Result<&'static str>>,
) -> Result<()> {
    let mut parts = services.serve_doors(config, guard, stop).await?;
    let mut published = None;
    let tasks = TaskTracker::new();
    if config.roles.contains(&Role::Gateway) {
        let notifier = Notifier::new(&config.notifications, now)?;
        let (listener, router, address, page) =
            gateway(config, services, (stop, &tasks, &notifier)).await?;
        published = Some(Published::write(&config.home, address, &guard.daemon_token, now())?);
        let (sources, until) = (services.notified(page), stop.clone());
        parts.extend(sources.map(|sources| -> Serving {
            Box::pin(async move {
                notifier.follow(sources, until).await;
                Ok(())
            })
        }));
        let stop = stop.clone();
        parts.push(Box::pin(async move {
            listener::serve(listener, router, stop).await;
            Ok(())
        }));
        tracing::info!(%address, "listening");
    }
    let parts = futures::future::join_all(parts);
    tokio::pin!(parts);
    let reason = tokio::select! {
        reason = asked => reason.map_err(Error::internal)?,
        results = &mut parts => {
            results.into_iter().collect::<Result<Vec<()>>>()?;
            return Ok(());
        }
    };
    tracing::info!(reason, "stopping");
    stop.cancel();
    drop(published);
    if tokio::time::timeout(limits::DRAIN_WALL * 2, parts).await.is_err() {
        tracing::warn!("a listener did not drain in time");
    }
    tasks.close();
    if tokio::time::timeout(limits::DRAIN_WALL, tasks.wait()).await.is_err() {
        tracing::warn!("a request's work did not end in time");
    }
    Ok(())
}

async fn gateway(
    config: &Config,
    services: &Services,
    (stop, tasks, notifier): (&CancellationToken, &TaskTracker, &Notifier),
) -> Result<(tokio::net::TcpListener, axum::Router, std::net::SocketAddr, Option<String>)> {
    let Services { vault, executor, sessions, audit, .. } = services;
    let Some(executor) = executor else {
        return Err(Error::new(
            Reason::ConfigInvalid,
            "services.executor: the gateway needs its door",
        ));
    };
    let listener = listener::bind(config.listen).await?;
    let address = listener.local_addr().map_err(Error::internal)?;
    let handles = aileron_gateway::Services {
        vault: Arc::clone(&vault.vault),
        access: Arc::clone(&vault.access),
        bindings: Arc::clone(&vault.bindings),
        custody: Arc::clone(&vault.custody),
        executor: Arc::clone(&executor.executor),
        packages: Arc::clone(&executor.packages),
        publishers: Arc::clone(&executor.publishers),
        sessions: sessions.clone(),
        audit: Arc::clone(audit),
    };
    let mut options = aileron_gateway::Options::new(env!("CARGO_PKG_VERSION"), address, now);
    options.extra_hosts.clone_from(&config.hosts);
    options.gateway_url.clone_from(&config.gateway_url);
    let page = options.page_address();
    options.tasks = tasks.clone();
    options.shutdown = stop.clone();
    let notifier = notifier.clone();
    options.notifications = Some(Notifying::new(move || notifier.status()));
    Ok((listener, aileron_gateway::Gateway::router(handles, options), address, page))
}

fn configure(environment: &Environment, flags: &Flags) -> Result<Config> {
    let path = flags.config.clone().unwrap_or_else(|| environment.home().join("config.yaml"));
    let text = read_config(&path, flags.config.is_some())?;
    config::load(&text, environment, flags).map_err(|problems| {
        Error::new(
            Reason::ConfigInvalid,
            format!("{} cannot be used:\n  {}", path.display(), problems.join("\n  ")),
        )
    })
}

/// A file that was named must be there; the default one need not.
fn read_config(path: &Path, named: bool) -> Result<String> {
    let unusable =
        |what: String| Error::new(Reason::ConfigInvalid, format!("{}: {what}", path.display()));
    match files::read_bounded(path, limits::CONFIG_FILE) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| unusable("not UTF-8 text".to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound && !named => Ok(String::new()),
        Err(error) => Err(unusable(error.to_string())),
    }
}

/// Each role is held once. The vault and the log take their own locks; the process clients look
/// for holds `daemon.lock`, the one with the ledger `executor.lock`, the one with the agents'
/// sessions `launcher.lock`.
struct Locks(Vec<FolderLock>);

/// A client that looks whether a daemon holds its lock has that lock for a moment: it is tried this
/// often, with this pause.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

impl Locks {
    fn acquire(config: &Config) -> Result<Self> {
        let wanted = [
            (Role::Gateway, aileron_api::discovery::LOCK),
            (Role::Executor, "executor.lock"),
            (Role::Launcher, "launcher.lock"),
        ];
        let held = wanted
            .into_iter()
            .filter(|(role, _)| config.roles.contains(role))
            .map(|(_, name)| patiently(|| FolderLock::acquire(&config.home, name)))
            .collect::<Result<_>>()?;
        Ok(Self(held))
    }

    /// Files that stop the daemon when they are replaced: its state folder is then another.
    fn watched(&self) -> Vec<&Path> {
        self.0.iter().map(FolderLock::path).collect()
    }
}

fn patiently<T>(acquire: impl Fn() -> Result<T>) -> Result<T> {
    for _ in 1..LOCK_TRIES {
        match acquire() {
            Err(error) if error.reason() == Reason::StateBusy => std::thread::sleep(LOCK_PAUSE),
            done => return done,
        }
    }
    acquire()
}
