//! Archives that a preview fetched, kept for the installation that follows it: what a person
//! agreed to is what is installed, and is fetched once. Kept as they came: whoever takes one
//! verifies it anew, against the keys trusted then.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{Timestamp, limits, names::PackageRef};
use bytes::Bytes;

/// Archives in memory, within bounds. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Archives(Arc<Mutex<VecDeque<Held>>>);

struct Held {
    package: PackageRef,
    archive: Bytes,
    fetched_at: Timestamp,
}

impl Archives {
    /// Keeps an archive, in the place of an earlier one of the package.
    pub(super) fn put(&self, package: &PackageRef, archive: Bytes, now: Timestamp) {
        let mut held = self.held();
        held.retain(|other| other.package != *package);
        held.push_back(Held { package: package.clone(), archive, fetched_at: now });
        let mut bytes: usize = held.iter().map(|other| other.archive.len()).sum();
        while bytes > limits::PREVIEWED_BYTES || held.len() > limits::ACTIONS {
            let Some(oldest) = held.pop_front() else { break };
            bytes = bytes.saturating_sub(oldest.archive.len());
        }
    }

    /// Hands an archive out, once, unless it was fetched too long ago.
    pub(super) fn take(&self, package: &PackageRef, now: Timestamp) -> Option<Bytes> {
        let mut held = self.held();
        held.retain(|other| fresh(other, now));
        let at = held.iter().position(|other| other.package == *package)?;
        held.remove(at).map(|found| found.archive)
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<Held>> {
        // Entries are put in and taken out whole: a panic elsewhere leaves nothing half done here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that was set back makes everything old.
fn fresh(held: &Held, now: Timestamp) -> bool {
    let age = now.duration_since(held.fetched_at);
    std::time::Duration::try_from(age).is_ok_and(|age| age <= limits::PREVIEWED_WALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> PackageRef {
        format!("github://acme/notes/actions/{name}@1.0.0").parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_archive_is_handed_out_once_and_the_newest_one() {
        let archives = Archives::default();
        archives.put(&package("a"), Bytes::from_static(b"old"), at(0));
        archives.put(&package("a"), Bytes::from_static(b"new"), at(1));
        assert_eq!(archives.take(&package("b"), at(1)), None);
        assert_eq!(archives.take(&package("a"), at(1)).unwrap(), "new");
        assert_eq!(archives.take(&package("a"), at(1)), None);
    }

    #[test]
    fn an_old_archive_is_fetched_again() {
        let archives = Archives::default();
        let wall = i64::try_from(limits::PREVIEWED_WALL.as_secs()).unwrap();
        archives.put(&package("a"), Bytes::from_static(b"x"), at(0));
        archives.put(&package("b"), Bytes::from_static(b"x"), at(0));
        assert!(archives.take(&package("a"), at(wall)).is_some());
        assert!(archives.take(&package("b"), at(wall + 1)).is_none());
        archives.put(&package("c"), Bytes::from_static(b"x"), at(10));
        assert!(archives.take(&package("c"), at(9)).is_none(), "the clock was set back");
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        let archives = Archives::default();
        let half = Bytes::from(vec![0; limits::PREVIEWED_BYTES / 2]);
        for name in ["a", "b", "c"] {
            archives.put(&package(name), half.clone(), at(0));
        }
        assert!(archives.take(&package("a"), at(0)).is_none());
        assert!(archives.take(&package("b"), at(0)).is_some());
        archives.put(&package("d"), Bytes::from(vec![0; limits::PREVIEWED_BYTES + 1]), at(0));
        assert!(archives.take(&package("d"), at(0)).is_none(), "one past the bound is not kept");
    }
}
