//! Services in memory that note what they were asked and answer with samples.

mod access;
pub(crate) mod audit;
mod bindings;
mod custody;
mod egress;
mod executor;
mod packages;
mod publishers;
mod sessions;
mod vault;

use std::{
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use aileron_contract::{Error, Result, Secret};

pub(crate) use self::{
    access::FakeAccess, audit::FakeAudit, bindings::FakeBindings, custody::FakeCustody,
    egress::FakeEgress, executor::FakeExecutor, packages::FakePackages, publishers::FakePublishers,
    sessions::FakeSessions, vault::FakeVault,
};

#[derive(Clone, Default)]
pub(crate) struct Fakes {
    pub(crate) vault: Arc<FakeVault>,
    pub(crate) access: Arc<FakeAccess>,
    pub(crate) bindings: Arc<FakeBindings>,
    pub(crate) custody: Arc<FakeCustody>,
    pub(crate) egress: Arc<FakeEgress>,
    pub(crate) executor: Arc<FakeExecutor>,
    pub(crate) packages: Arc<FakePackages>,
    pub(crate) publishers: Arc<FakePublishers>,
    pub(crate) sessions: Arc<FakeSessions>,
    pub(crate) audit: Arc<FakeAudit>,
}

/// What a fake saw, and how it is to answer.
#[derive(Default)]
pub(crate) struct Stage {
    seen: Mutex<Vec<String>>,
    full: AtomicBool,
    refusal: Mutex<Option<Error>>,
}

impl Stage {
    /// Notes a call. Answers whether to return everything a type can hold or as little.
    pub(crate) fn enter(&self, method: &str, arguments: &dyn Debug) -> Result<bool> {
        self.seen.lock().unwrap().push(seen(method, arguments));
        match self.refusal.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(self.full.load(Ordering::SeqCst)),
        }
    }

    pub(crate) fn answer_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    pub(crate) fn refuse_with(&self, error: Option<Error>) {
        *self.refusal.lock().unwrap() = error;
    }

    /// What was seen since the last look.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// One call as text: `Debug` shows every field of a domain type.
pub(crate) fn seen(method: &str, arguments: &dyn Debug) -> String {
    format!("{method} {arguments:?}")
}

/// A test's secret may be looked at.
pub(crate) fn shown(secret: &Secret) -> Vec<u8> {
    secret.expose(<[u8]>::to_vec)
}
