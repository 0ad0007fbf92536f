//! Setups at a provider that began on the page.
//!
//! A provider sends the browser to the address that was registered with it, which is this
//! machine's: `127.0.0.1`. There the browser has nothing that says which setup it began, because
//! a cookie for that name would go to every program of this machine. So it is led on to the
//! page's own name, where its cookie is, and from there back to its place.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{Error, Reason, Result, Timestamp, limits};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri};

use super::{
    answer::{Problem, framed, on_to},
    guard::dressed,
    place::Place,
    text::encoded,
};
use crate::{Shared, answer::Refusal};

/// The setups that browsers of the page began, by the name of the cookie each has.
#[derive(Default)]
pub(crate) struct Setups(Mutex<HashMap<String, Setup>>);

/// One setup: where its browser goes in the end.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    place: Place,
    expires_at: Timestamp,
}

impl Setups {
    pub(super) fn add(
        &self,
        cookie: String,
        place: Place,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let mut held = self.held();
        held.retain(|_, setup| now < setup.expires_at);
        if held.len() >= limits::OAUTH_SETUPS {
            let public = "too many setups wait for their provider (OAUTH_SETUPS): finish one";
            return Err(Error::new(Reason::Busy, public));
        }
        held.insert(cookie, Setup { place, expires_at });
        Ok(())
    }

    /// The setup of this cookie, if the page began it.
    pub(crate) fn find(&self, cookie: &str, now: Timestamp) -> Option<Setup> {
        self.held().get(cookie).filter(|setup| now < setup.expires_at).cloned()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Setup>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Setup {
    /// The page's own name for an address that was asked for under another one.
    pub(crate) fn detour(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
        let origin = shared.pages.origin.as_ref()?;
        if origin.is_asked(uri, headers) {
            return None;
        }
        let rest = uri.path_and_query()?;
        Some(on_to(&format!("{}{rest}", origin.url())))
    }

    /// Bound: back to the bindings.
    pub(crate) fn bound(&self, name: &impl ToString) -> Response {
        let page = format!("bindings?bound={}", encoded(&name.to_string()));
        on_to(&self.place.at(&page))
    }

    /// Not bound: why, and the way back.
    pub(crate) fn refused(&self, refusal: Refusal) -> Response {
        let problem = Problem::from(refusal).back_to("bindings", "Back to the bindings");
        dressed(framed(problem.into_response(), &self.place))
    }
}

impl fmt::Debug for Setups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setups").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_setup_is_known_until_it_ends_and_there_are_only_so_many() {
        let setups = Setups::default();
        let add = |name: String, now| setups.add(name, Place::of_path("/"), at(600), at(now));
        add("one".to_owned(), 0).unwrap();
        assert!(setups.find("one", at(599)).is_some());
        assert!(setups.find("one", at(600)).is_none());
        assert!(setups.find("two", at(1)).is_none());
        for index in 1..limits::OAUTH_SETUPS {
            add(index.to_string(), 0).unwrap();
        }
        assert_eq!(add("more".to_owned(), 1).unwrap_err().reason(), Reason::Busy);
        // Those that are over make room.
        add("more".to_owned(), 600).unwrap();
    }
}
