//! Who is signed in at the page, in memory only.
//!
//! A browser holds a random cookie, and here stands which person session it stands for. The cookie
//! is no bearer token: it opens nothing at the REST API, and a bearer token is no cookie.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{Error, Reason, Result, Secret, Timestamp, limits, names::Sha256Hash};

use super::place::Place;

/// The browsers that are signed in, and the one-time codes that sign one in.
#[derive(Default)]
pub(crate) struct Keep(Mutex<Held>);

#[derive(Default)]
struct Held {
    browsers: HashMap<Sha256Hash, Browser>,
    codes: HashMap<Sha256Hash, Code>,
}

/// One signed-in browser.
struct Browser {
    bearer: Secret,
    /// Of its place in the address.
    key: String,
    csrf: String,
    expires_at: Timestamp,
}

struct Code {
    id: String,
    /// Gone once it was used.
    bearer: Option<Secret>,
    session_ends: Timestamp,
    expires_at: Timestamp,
    /// Whom it signed in.
    browser: Option<Sha256Hash>,
    /// It came once more after that.
    replayed: bool,
}

/// What a request with a cookie stands for.
pub(super) struct Known {
    pub(super) cookie: Sha256Hash,
    pub(super) bearer: Secret,
    pub(super) csrf: String,
    pub(super) expires_at: Timestamp,
}

/// A code as it is given to who asked for it.
pub(crate) struct Ticket {
    pub(crate) id: String,
    pub(crate) code: Secret,
    pub(crate) expires_at: Timestamp,
}

/// How far a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Waiting,
    Used,
    /// More than once: somebody else has seen it.
    Replayed,
    Gone,
}

/// What a browser that was signed in gets.
pub(super) struct Admitted {
    pub(super) cookie: Secret,
    /// Where it finds its pages, and where alone it sends the cookie.
    pub(super) place: Place,
    pub(super) ends: Timestamp,
}

/// What came of presenting a code.
pub(super) enum Redeemed {
    SignedIn(Admitted),
    /// It was used before: somebody else has seen it. Whoever it signed in is signed out again,
    /// and this was the bearer.
    Replayed(Option<Secret>),
    Unknown,
}

impl Keep {
    /// Signs a browser in.
    pub(super) fn admit(&self, bearer: Secret, ends: Timestamp, now: Timestamp) -> Admitted {
        self.held().admit(bearer, ends, now).1
    }

    /// Whom one of these cookies signs in at the place of this key. A browser may bring several
    /// of one name: other programs of this machine can plant some. One that is not ours, or is
    /// another place's, signs nobody in.
    pub(super) fn find<T: AsRef<[u8]>>(
        &self,
        cookies: impl Iterator<Item = T>,
        key: &str,
        now: Timestamp,
    ) -> Option<Known> {
        let key = Sha256Hash::of(&[key.as_bytes()]);
        let held = self.held();
        cookies.map(|cookie| Sha256Hash::of(&[cookie.as_ref()])).find_map(|cookie| {
            let browser = held.browsers.get(&cookie).filter(|it| now < it.expires_at)?;
            let Browser { bearer, key: own, csrf, expires_at } = browser;
            // By their hashes, so that the time it takes says nothing of the key.
            if Sha256Hash::of(&[own.as_bytes()]) != key {
                return None;
            }
            Some(Known {
                cookie,
                bearer: bearer.duplicate(),
                csrf: csrf.clone(),
                expires_at: *expires_at,
            })
        })
    }

    /// Forgets one browser.
    pub(super) fn forget(&self, cookie: &Sha256Hash) {
        self.held().browsers.remove(cookie);
    }

    /// Forgets all of them, and every code.
    pub(super) fn forget_all(&self) {
        let mut held = self.held();
        held.browsers.clear();
        held.codes.clear();
    }

    /// A code that signs a browser in as `bearer`, once and soon.
    pub(crate) fn issue(
        &self,
        bearer: Secret,
        session_ends: Timestamp,
        now: Timestamp,
    ) -> Result<Ticket> {
        let wall = now.checked_add(limits::PAGE_CODE_WALL).map_err(Error::internal)?;
        let expires_at = wall.min(session_ends);
        let mut held = self.held();
        // Used ones are kept as long: so that a second use is noticed.
        held.codes.retain(|_, code| now < code.session_ends);
        if held.codes.len() >= limits::PAGE_CODES {
            let public = format!("{} codes for the page were asked for: wait", limits::PAGE_CODES);
            return Err(Error::new(Reason::Busy, public));
        }
        let (code, id) = (fresh(), fresh().chars().take(16).collect::<String>());
        let bearer = Some(bearer);
        let kept = Code {
            id: id.clone(),
            bearer,
            session_ends,
            expires_at,
            browser: None,
            replayed: false,
        };
        held.codes.insert(Sha256Hash::of(&[code.as_bytes()]), kept);
        Ok(Ticket { id, code: Secret::from(code), expires_at })
    }

    /// Was the code of this id used?
    pub(crate) fn standing(&self, id: &str, now: Timestamp) -> Standing {
        let held = self.held();
        match held.codes.values().find(|code| code.id == id) {
            Some(Code { replayed: true, .. }) => Standing::Replayed,
            Some(Code { bearer: None, .. }) => Standing::Used,
            Some(code) if now < code.expires_at => Standing::Waiting,
            _ => Standing::Gone,
        }
    }

    /// Takes a code, once, and signs its browser in.
    pub(super) fn redeem(&self, code: &str, now: Timestamp) -> Redeemed {
        let held = &mut *self.held();
        let code = Sha256Hash::of(&[code.as_bytes()]);
        let Some(kept) = held.codes.get_mut(&code) else { return Redeemed::Unknown };
        let Some(bearer) = kept.bearer.take() else {
            kept.replayed = true;
            let browser = kept.browser.take();
            let browser = browser.and_then(|cookie| held.browsers.remove(&cookie));
            return Redeemed::Replayed(browser.map(|browser| browser.bearer));
        };
        if kept.expires_at <= now {
            return Redeemed::Unknown;
        }
        let ends = kept.session_ends;
        let (browser, admitted) = held.admit(bearer, ends, now);
        if let Some(kept) = held.codes.get_mut(&code) {
            kept.browser = Some(browser);
        }
        Redeemed::SignedIn(admitted)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn admit(&mut self, bearer: Secret, ends: Timestamp, now: Timestamp) -> (Sha256Hash, Admitted) {
        let (cookie, key, csrf) = (fresh(), fresh(), fresh());
        self.browsers.retain(|_, browser| now < browser.expires_at);
        // Every one stands for a person session, whose number is bounded: what is past that
        // bound stands for one that ended elsewhere.
        while self.browsers.len() >= limits::PERSON_SESSIONS {
            let oldest = self.browsers.iter().min_by_key(|(_, it)| it.expires_at);
            let Some(oldest) = oldest.map(|(cookie, _)| *cookie) else { break };
            self.browsers.remove(&oldest);
        }
        let hash = Sha256Hash::of(&[cookie.as_bytes()]);
        let place = Place::of_key(&key);
        self.browsers.insert(hash, Browser { bearer, key, csrf, expires_at: ends });
        (hash, Admitted { cookie: Secret::from(cookie), place, ends })
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep").finish_non_exhaustive()
    }
}

/// 244 random bits as text.
fn fresh() -> String {
    [(); 2].map(|()| uuid::Uuid::new_v4().simple().to_string()).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn text(secret: &Secret) -> String {
        secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn bearer() -> Secret {
        Secret::from("alp_x".to_owned())
    }

    #[test]
    fn a_cookie_is_good_until_its_session_ends_and_no_longer() {
        let keep = Keep::default();
        let admitted = keep.admit(bearer(), at(900), at(0));
        let (cookie, key) = (text(&admitted.cookie), admitted.place.key().unwrap());
        let planted = "x".repeat(64);
        let both = [planted.as_str(), &cookie];
        assert!(keep.find(both.into_iter(), key, at(899)).is_some());
        assert!(keep.find(both.into_iter(), key, at(900)).is_none());
        assert!(keep.find([planted.as_str()].into_iter(), key, at(1)).is_none());
    }

    #[test]
    fn a_cookie_without_its_place_opens_nothing() {
        let keep = Keep::default();
        let [one, other] = [(); 2].map(|()| keep.admit(bearer(), at(900), at(0)));
        let cookie = text(&one.cookie);
        for key in ["", "x", other.place.key().unwrap()] {
            assert!(keep.find([cookie.as_str()].into_iter(), key, at(1)).is_none(), "{key}");
        }
    }

    #[test]
    fn a_code_signs_in_once_and_its_second_use_signs_out() {
        let keep = Keep::default();
        let ticket = keep.issue(bearer(), at(900), at(0)).unwrap();
        let code = text(&ticket.code);
        assert_eq!(keep.standing(&ticket.id, at(1)), Standing::Waiting);
        let Redeemed::SignedIn(admitted) = keep.redeem(&code, at(1)) else {
            panic!("a fresh code does not sign in");
        };
        assert_eq!(admitted.ends, at(900));
        let (cookie, key) = (text(&admitted.cookie), admitted.place.key().unwrap());
        assert!(keep.find([cookie.as_str()].into_iter(), key, at(1)).is_some());
        assert_eq!(keep.standing(&ticket.id, at(1)), Standing::Used);
        assert!(matches!(keep.redeem(&code, at(2)), Redeemed::Replayed(Some(_))));
        assert_eq!(keep.standing(&ticket.id, at(2)), Standing::Replayed);
        assert!(keep.find([cookie.as_str()].into_iter(), key, at(2)).is_none());
        assert!(matches!(keep.redeem(&code, at(3)), Redeemed::Replayed(None)));
    }

    #[test]
    fn a_late_code_signs_nobody_in() {
        let keep = Keep::default();
        let ticket = keep.issue(bearer(), at(900), at(0)).unwrap();
        let late = at(i64::try_from(limits::PAGE_CODE_WALL.as_secs()).unwrap());
        assert_eq!(keep.standing(&ticket.id, late), Standing::Gone);
        assert!(matches!(keep.redeem(&text(&ticket.code), late), Redeemed::Unknown));
    }

    #[test]
    fn signing_out_everywhere_leaves_no_cookie_and_no_code() {
        let keep = Keep::default();
        let browsers: Vec<_> = (0..3).map(|_| keep.admit(bearer(), at(900), at(0))).collect();
        let ticket = keep.issue(bearer(), at(900), at(0)).unwrap();
        keep.forget_all();
        for Admitted { cookie, place, ends: _ } in &browsers {
            let key = place.key().unwrap();
            assert!(keep.find([text(cookie).as_str()].into_iter(), key, at(1)).is_none());
        }
        assert!(matches!(keep.redeem(&text(&ticket.code), at(1)), Redeemed::Unknown));
    }

    #[test]
    fn no_more_browsers_are_remembered_than_person_sessions_can_be() {
        let keep = Keep::default();
        for _ in 0..limits::PERSON_SESSIONS * 2 {
            keep.admit(bearer(), at(900), at(0));
        }
        assert_eq!(keep.held().browsers.len(), limits::PERSON_SESSIONS);
    }
}
