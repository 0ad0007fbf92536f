//! What is fetched and compiled right now, for whoever waits for it. Kept in memory alone, and
//! told to the caller it is done for, nobody else.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Principal, limits,
    names::PackageRef,
    packages::{Progress, Step},
};

/// Steps under way, and for whom further ones are. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Underway {
    steps: Arc<Mutex<Steps>>,
    caller: Option<Principal>,
}

#[derive(Default)]
struct Steps {
    next: u64,
    begun: BTreeMap<u64, (Principal, Progress)>,
}

impl Underway {
    /// The same, for this caller.
    pub(super) fn of(&self, caller: &Principal) -> Self {
        Self { caller: Some(caller.clone()), ..self.clone() }
    }

    /// A package's archive is fetched from now on.
    pub(super) fn fetching(&self, package: &PackageRef) -> Watched {
        self.begin(package, Step::Fetching { received: 0, total: None })
    }

    /// A connector is compiled from now on.
    pub(super) fn compiling(&self, package: &PackageRef) -> Watched {
        self.begin(package, Step::Compiling)
    }

    /// What is done for this caller, in the order it began.
    pub(super) fn seen_by(&self, caller: &Principal) -> Vec<Progress> {
        let steps = locked(&self.steps);
        let own = steps.begun.values().filter(|(of, _)| of == caller);
        own.map(|(_, progress)| progress.clone()).collect()
    }

    fn begin(&self, package: &PackageRef, step: Step) -> Watched {
        let number = self.caller.as_ref().and_then(|caller| {
            let mut steps = locked(&self.steps);
            if steps.begun.len() >= limits::PACKAGE_STEPS {
                return None;
            }
            let number = steps.next;
            steps.next = number.wrapping_add(1);
            let progress = Progress { package: package.clone(), step };
            steps.begun.insert(number, (caller.clone(), progress));
            Some(number)
        });
        Watched { steps: Arc::clone(&self.steps), number }
    }
}

/// A step under way: over when this is dropped.
pub(super) struct Watched {
    steps: Arc<Mutex<Steps>>,
    /// None when nobody is told.
    number: Option<u64>,
}

impl Watched {
    /// A body begins, of so many bytes if the source says so.
    pub(super) fn begins(&self, total: Option<u64>) {
        self.now(|step| *step = Step::Fetching { received: 0, total });
    }

    /// More of it has come.
    pub(super) fn received(&self, bytes: usize) {
        self.now(|step| {
            if let Step::Fetching { received, total } = step {
                *received = received.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
                // A source that sends more than it announced did not know.
                *total = total.filter(|total| *received <= *total);
            }
        });
    }

    fn now(&self, change: impl FnOnce(&mut Step)) {
        let Some(number) = self.number else { return };
        if let Some((_, progress)) = locked(&self.steps).begun.get_mut(&number) {
            change(&mut progress.step);
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            locked(&self.steps).begun.remove(&number);
        }
    }
}

fn locked(steps: &Mutex<Steps>) -> MutexGuard<'_, Steps> {
    // Entries are put in and taken out whole: a panic elsewhere leaves nothing half done here.
    steps.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> PackageRef {
        format!("github://acme/{name}@1.0.0").parse().unwrap()
    }

    fn person(id: &str) -> Principal {
        Principal::Person(id.into())
    }

    #[test]
    fn each_caller_sees_its_own_steps_for_as_long_as_they_take() {
        let underway = Underway::default();
        let (one, other) = (person("one"), person("other"));
        let first = underway.of(&one).fetching(&package("a"));
        let second = underway.of(&one).compiling(&package("b"));
        let _others = underway.of(&other).compiling(&package("c"));
        let _nobodys = underway.fetching(&package("d"));
        first.begins(Some(30));
        first.received(20);
        let names = |caller: &Principal| -> Vec<String> {
            let seen = underway.seen_by(caller);
            seen.into_iter().map(|step| step.package.fqn.repo().to_owned()).collect()
        };
        assert_eq!(names(&one), ["a", "b"]);
        assert_eq!(names(&other), ["c"]);
        assert_eq!(names(&person("nobody")), Vec::<String>::new());
        let step = Step::Fetching { received: 20, total: Some(30) };
        assert_eq!(underway.seen_by(&one)[0].step, step);
        drop(first);
        assert_eq!(names(&one), ["b"]);
        drop(second);
        assert_eq!(names(&one), Vec::<String>::new());
    }

    #[test]
    fn a_source_that_sends_more_than_it_announced_is_not_believed_any_more() {
        let underway = Underway::default().of(&person("one"));
        let watched = underway.fetching(&package("a"));
        watched.begins(Some(10));
        watched.received(10);
        let step = |received, total| Step::Fetching { received, total };
        assert_eq!(underway.seen_by(&person("one"))[0].step, step(10, Some(10)));
        watched.received(1);
        assert_eq!(underway.seen_by(&person("one"))[0].step, step(11, None));
        // Asked for anew, behind the API.
        watched.begins(None);
        assert_eq!(underway.seen_by(&person("one"))[0].step, step(0, None));
    }

    #[test]
    fn what_is_beyond_the_bound_goes_on_unseen() {
        let underway = Underway::default().of(&person("one"));
        let all: Vec<_> =
            (0..=limits::PACKAGE_STEPS).map(|_| underway.fetching(&package("a"))).collect();
        assert_eq!(underway.seen_by(&person("one")).len(), limits::PACKAGE_STEPS);
        all.last().unwrap().received(1);
        drop(all);
        assert!(underway.seen_by(&person("one")).is_empty());
    }
}
