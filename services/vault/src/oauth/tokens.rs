//! Access tokens for egress: the present one while it lives, a new one in time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aileron_contract::{
    Context, Error, Secret, Timestamp,
    bindings::{Binding, BindingStatus, StaleReason},
    failure::{Boundary, Class, Failure},
    limits,
    names::{BindingName, Sha256Hash},
};
use futures::FutureExt as _;
use tokio::time::timeout;

use super::{
    answer::Answer,
    flights::{Flights, Landing},
    grant::Grant,
    provider::{For, Provider},
    refresh::{Age, Verdict, age, verdict},
    setups::Plan,
    store::{Kept, Store},
    trouble::Trouble,
};
use crate::{egress::Network, keeper::Keeper};

/// Keeps tokens fresh.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) store: Store,
    pub(crate) provider: Provider,
    flights: Arc<Flights>,
    /// New tokens that could not be written: the provider may have ended the old ones already,
    /// so they are kept and written before anything else is done with their binding.
    unsaved: Mutex<HashMap<BindingName, Unsaved>>,
}

#[derive(Debug)]
struct Unsaved {
    mark: String,
    grant: Grant,
}

/// Why a refresh is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The time has come.
    ByAge,
    /// An upstream refused the token of this print.
    Instead(Sha256Hash),
}

impl Tokens {
    pub(crate) fn new(keeper: Arc<Keeper>, network: Arc<Network>) -> Self {
        Self {
            store: Store(keeper),
            provider: Provider { network, wall: limits::OAUTH_WALL },
            flights: Arc::default(),
            unsaved: Mutex::default(),
        }
    }

    /// Waits a while for refreshes under way: their answers are worth more than a quick end.
    pub(crate) async fn drain(&self) {
        let under_way = futures::future::join_all(self.flights.all());
        drop(timeout(limits::DRAIN_WALL, under_way).await);
    }

    /// The access token to send. Waits for a refresh as long as it has to, and only a little
    /// while the present token still lives.
    pub(crate) async fn access(self: &Arc<Self>, name: &BindingName) -> Result<Secret, Failure> {
        let kept = self.read(name).await?;
        let age = self.age(&kept);
        let saved = self.unsaved(name).is_none();
        if age == Age::Fresh && saved {
            return Ok(kept.grant.access());
        }
        if let Some(failure) = self.flights.paused(name, self.store.now()) {
            return if age == Age::Expired { Err(failure) } else { Ok(kept.grant.access()) };
        }
        let refreshed = self.refresh(name, Wanted::ByAge);
        let landing = if age == Age::Expired {
            refreshed.await
        } else {
            match timeout(limits::OAUTH_PATIENCE, refreshed).await {
                Ok(Err(failure)) if failure.retriable => Ok(()),
                Ok(landing) => landing,
                Err(_) => Ok(()),
            }
        };
        landing?;
        let kept = self.read(name).await?;
        if self.age(&kept) != Age::Expired {
            return Ok(kept.grant.access());
        }
        // That one asked for nothing, or what it brought ended while it was written down. Once more,
        // and then the upstream may judge.
        self.refresh(name, Wanted::ByAge).await?;
        Ok(self.read(name).await?.grant.access())
    }

    /// An upstream refused this token: is there another one now?
    pub(crate) async fn replaced(self: &Arc<Self>, name: &BindingName, print: Sha256Hash) -> bool {
        if self.flights.paused(name, self.store.now()).is_some() {
            return false;
        }
        if let Err(failure) = self.refresh(name, Wanted::Instead(print)).await {
            tracing::debug!(binding = %name, %failure, "a refused token could not be replaced");
            return false;
        }
        self.read(name).await.is_ok_and(|kept| kept.grant.print() != print)
    }

    /// Waits for a refresh under way, so that its outcome is not written over what follows.
    pub(crate) async fn quiet(&self, name: &BindingName) {
        if let Some(flight) = self.flights.current(name) {
            drop(flight.await);
        }
    }

    /// Stores what a setup obtained, after whatever is under way for an earlier binding.
    pub(crate) async fn bind(
        &self,
        name: &BindingName,
        plan: &Plan,
        answer: &Answer,
    ) -> aileron_contract::Result<Binding> {
        self.quiet(name).await;
        let binding = self.store.create(plan, answer).await?;
        self.forget(name);
        Ok(binding)
    }

    /// The binding is another one from now on.
    pub(crate) fn forget(&self, name: &BindingName) {
        self.flights.resume(name);
        self.lock().remove(name);
    }

    fn age(&self, kept: &Kept) -> Age {
        age(&kept.grant, kept.record.binding.last_refreshed_at, self.store.now())
    }

    /// A token that was new a moment ago is refused for another reason than its age.
    fn renewed(&self, kept: &Kept) -> bool {
        let since = self.store.now().checked_sub(limits::OAUTH_EARLY).unwrap_or(Timestamp::MIN);
        kept.record.binding.last_refreshed_at.is_some_and(|at| at > since)
    }

    async fn refresh(self: &Arc<Self>, name: &BindingName, wanted: Wanted) -> Landing {
        let tasks = &self.store.0.tasks;
        if tasks.is_closed() {
            return Err(closing());
        }
        let flight = self.flights.join(name, tasks, || {
            let (tokens, name) = (Arc::clone(self), name.clone());
            async move { tokens.fly(&name, wanted).await }.boxed()
        });
        flight.await
    }

    /// The one refresh under way. What it finds may be newer than what made it begin.
    async fn fly(&self, name: &BindingName, wanted: Wanted) -> Landing {
        self.save(name).await?;
        let kept = self.read(name).await?;
        let needed = match wanted {
            Wanted::ByAge => self.age(&kept) != Age::Fresh,
            Wanted::Instead(print) => kept.grant.print() == print && !self.renewed(&kept),
        };
        let refresh_token = kept.grant.refresh_token().map(str::to_owned);
        let Some(refresh_token) = refresh_token.filter(|_| needed) else { return Ok(()) };
        let refresh_token = zeroize::Zeroizing::new(refresh_token);
        let context = Context::service("vault");
        let doubtful = kept.mark.is_some();
        let mark = match &kept.mark {
            Some(mark) => mark.clone(),
            None => {
                self.store.mark(&context, &kept).await.map_err(|error| unwritten(name, &error))?
            }
        };
        let binding = &kept.record.binding;
        let hosts = binding.hosts.clone().unwrap_or_default();
        let asker = For { binding: name, hosts: &hosts };
        match self.provider.refresh(asker, &kept.grant, &refresh_token).await {
            Ok(answer) => {
                let grant = kept.grant.refreshed(&answer, self.store.now());
                self.flights.resume(name);
                self.keep(name, Unsaved { mark, grant });
                self.save(name).await
            }
            Err(trouble) => Err(self.settle(&context, binding, (&mark, doubtful), &trouble).await),
        }
    }

    /// Writes down what a failed refresh means.
    async fn settle(
        &self,
        context: &Context,
        binding: &Binding,
        (mark, doubtful): (&str, bool),
        trouble: &Trouble,
    ) -> Failure {
        let failure = trouble.failure(&binding.name);
        let (written, failure) = match verdict(trouble, doubtful) {
            Verdict::Unknown => (Ok(()), failure),
            Verdict::Unchanged => {
                (self.store.unmark(context, binding, mark, trouble).await, failure)
            }
            Verdict::Stale(reason) => {
                let told = (reason, trouble);
                let written = self.store.stale(context, binding, mark, told).await;
                (written, dead(&binding.name, reason, trouble))
            }
        };
        if let Err(error) = written {
            tracing::warn!(binding = %binding.name, %error, "a failed refresh was not written down");
        }
        tracing::info!(binding = %binding.name, %trouble, "a token was not refreshed");
        self.flights.pause(&binding.name, &failure, self.store.now());
        failure
    }

    /// Writes new tokens that are only in memory so far. A failure to write is one of the caller:
    /// tokens that a crash would lose are not used.
    async fn save(&self, name: &BindingName) -> Landing {
        let Some(Unsaved { mark, grant }) = self.unsaved(name) else { return Ok(()) };
        let kept = self.read(name).await?;
        let context = Context::service("vault");
        let binding = &kept.record.binding;
        let settled = self.store.settle(&context, binding, &mark, &grant).await;
        match settled {
            Ok(written) => {
                if !written {
                    tracing::info!(binding = %name, "new tokens came too late for their binding");
                }
                self.lock().remove(name);
                Ok(())
            }
            Err(error) => Err(unwritten(name, &error)),
        }
    }

    async fn read(&self, name: &BindingName) -> Result<Kept, Failure> {
        let kept = self.store.read(name).await.map_err(|error| unreadable(name, &error))?;
        let kept = kept.filter(|kept| kept.record.binding.status == BindingStatus::Active);
        if kept.is_none() {
            self.lock().remove(name);
        }
        kept.ok_or_else(|| changed(name))
    }

    fn keep(&self, name: &BindingName, unsaved: Unsaved) {
        self.lock().insert(name.clone(), unsaved);
    }

    fn unsaved(&self, name: &BindingName) -> Option<Unsaved> {
        let unsaved = self.lock();
        let Unsaved { mark, grant } = unsaved.get(name)?;
        Some(Unsaved { mark: mark.clone(), grant: grant.clone() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<BindingName, Unsaved>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(name: &BindingName, text: String) -> Failure {
    Failure::new(Class::BindingFailed, Boundary::Runtime, text).detail("binding", name.as_str())
}

fn dead(name: &BindingName, reason: StaleReason, trouble: &Trouble) -> Failure {
    let text = format!(
        "the provider does not honour {name} any more ({trouble}): run `aileron binding \
         reauthorize {name}`"
    );
    failed(name, text).detail("status", "stale").detail("stale_reason", reason.text())
}

fn changed(name: &BindingName) -> Failure {
    failed(name, format!("{name} was changed or cannot be used any more: `aileron binding list`"))
}

fn unreadable(name: &BindingName, error: &Error) -> Failure {
    failed(name, format!("the credential {name} cannot be read: {}", error.public()))
        .detail("reason", error.reason().code())
}

fn unwritten(name: &BindingName, error: &Error) -> Failure {
    let text = format!("the token of {name} cannot be renewed: {}", error.public());
    failed(name, text).retriable(true).detail("reason", error.reason().code())
}

fn closing() -> Failure {
    let text = "the vault is shutting down";
    Failure::new(Class::BindingFailed, Boundary::Runtime, text).retriable(true)
}
