//! Setups that wait for a person at a browser. A value: time and randomness are arguments.

use std::time::Duration;

use aileron_contract::{
    Context, Error, Reason, Result, Secret, Timestamp,
    bindings::{Consent, Purpose},
    credential::Oauth2Client,
    limits,
    names::Sha256Hash,
};
use oauth2::RedirectUrl;

use crate::passes::{find, hashed, same};

/// What a setup is to become.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Whoever began it: the binding is made in their name.
    pub(crate) context: Context,
    pub(crate) consent: Consent,
    pub(crate) client: Oauth2Client,
    pub(crate) purpose: Purpose,
}

/// What a setup remembers until the person comes back.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) plan: Plan,
    pub(crate) redirect_uri: RedirectUrl,
    pub(crate) verifier: Secret,
    pub(crate) way: Way,
}

/// How the person comes back.
#[derive(Debug)]
pub(crate) enum Way {
    Cli,
    Browser { return_to: String, cookie: Sha256Hash },
}

/// What a setup is known by. Of each only the hash is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub(crate) session: &'a Secret,
    pub(crate) state: &'a Secret,
}

#[derive(Debug, Default)]
pub(crate) struct Setups(Vec<Held>);

#[derive(Debug)]
struct Held {
    session: Sha256Hash,
    state: Sha256Hash,
    expires_at: Timestamp,
    setup: Setup,
}

impl Setups {
    /// `busy` when too many wait already.
    pub(crate) fn hold(
        &mut self,
        names: Names<'_>,
        setup: Setup,
        now: Timestamp,
    ) -> Result<Timestamp> {
        self.forget_old(now);
        if self.0.len() >= limits::OAUTH_SETUPS {
            return Err(full(limits::OAUTH_SETUP_WALL));
        }
        let expires_at = now.checked_add(limits::OAUTH_SETUP_WALL).map_err(Error::internal)?;
        let (session, state) = (hashed(names.session), hashed(names.state));
        self.0.push(Held { session, state, expires_at, setup });
        Ok(expires_at)
    }

    /// Hands a command line's setup out, once. A wrong state ends it: whoever knows the session
    /// and not the state did not begin it.
    pub(crate) fn finish(&mut self, names: Names<'_>, now: Timestamp) -> Result<Setup> {
        self.forget_old(now);
        let session = hashed(names.session);
        let at = self.place(|held| held.session, &session)?;
        let waits_for_browser =
            self.0.get(at).is_some_and(|held| matches!(held.setup.way, Way::Browser { .. }));
        if waits_for_browser {
            return Err(Error::new(
                Reason::WrongCallerMode,
                "this setup waits for its browser: finish it there",
            ));
        }
        let held = self.0.swap_remove(at);
        if same(&held.state, &hashed(names.state)) {
            return Ok(held.setup);
        }
        Err(Error::new(
            Reason::StateMismatch,
            "the answer does not belong to this setup, which has been ended: begin again",
        ))
    }

    /// Hands a browser's setup out, once, to the browser that began it.
    pub(crate) fn land(
        &mut self,
        state: &Secret,
        cookie: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Setup> {
        self.forget_old(now);
        let at = self.place(|held| held.state, &hashed(state))?;
        let way = self.0.get(at).map(|held| &held.setup.way);
        let Some(Way::Browser { cookie: expected, return_to: _ }) = way else {
            return Err(Error::new(
                Reason::WrongCallerMode,
                "this setup was begun on a command line: finish it there",
            ));
        };
        let fits = |cookie: &Secret| same(&hashed(cookie), expected);
        if !cookie.is_some_and(fits) {
            return Err(Error::new(
                Reason::BrowserMismatch,
                "another browser began this setup: finish it there; nothing has been bound here",
            ));
        }
        Ok(self.0.swap_remove(at).setup)
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.0.retain(|held| now < held.expires_at);
    }

    fn place(&self, name: fn(&Held) -> Sha256Hash, wanted: &Sha256Hash) -> Result<usize> {
        let found = find(self.0.iter().enumerate(), |(_, held)| name(held), wanted);
        found.map(|(at, _)| at).ok_or_else(|| unknown(limits::OAUTH_SETUP_WALL))
    }
}

/// There is no room for one more among those that wait so long at most.
pub(crate) fn full(wall: Duration) -> Error {
    let public = format!(
        "too many setups wait for a person: finish one, or try again in {} minutes",
        minutes(wall)
    );
    Error::new(Reason::Busy, public)
}

/// None of those that wait so long at most is it.
pub(crate) fn unknown(wall: Duration) -> Error {
    let public = format!(
        "no such setup waits here: it was finished, took longer than {} minutes, or the vault was \
         locked or the daemon restarted since; begin again",
        minutes(wall)
    );
    Error::new(Reason::SessionNotFound, public)
}

fn minutes(wall: Duration) -> u64 {
    wall.as_secs() / 60
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use proptest::prelude::*;

    use super::{
        super::samples::{secret, setup},
        *,
    };

    #[derive(Clone, Debug)]
    enum Move {
        Begin { browser: bool },
        Finish { session: u8, state: u8 },
        Land { state: u8, cookie: Option<u8> },
        Wait { seconds: u16 },
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            any::<bool>().prop_map(|browser| Move::Begin { browser }),
            (0..12_u8, 0..12_u8).prop_map(|(session, state)| Move::Finish { session, state }),
            (0..12_u8).prop_map(|of| Move::Finish { session: of, state: of }),
            (0..12_u8, proptest::option::of(0..12_u8))
                .prop_map(|(state, cookie)| Move::Land { state, cookie }),
            (0..12_u8).prop_map(|of| Move::Land { state: of, cookie: Some(of) }),
            (0..400_u16).prop_map(|seconds| Move::Wait { seconds }),
        ];
        proptest::collection::vec(one, 0..60)
    }

    /// What may still be handed out: when it ends, and whether to a browser.
    type Model = BTreeMap<u8, (Timestamp, bool)>;

    fn step(
        setups: &mut Setups,
        model: &mut Model,
        now: &mut Timestamp,
        step: &Move,
        next: &mut u8,
    ) {
        let called = |kind: &str, of: u8| secret(format!("{kind} {of}"));
        match step {
            Move::Wait { seconds } => {
                *now = now.checked_add(Duration::from_secs((*seconds).into())).unwrap();
                model.retain(|_, (end, _)| *now < *end);
            }
            Move::Begin { browser } => {
                let way = match browser {
                    true => Way::Browser {
                        return_to: String::new(),
                        cookie: hashed(&called("cookie", *next)),
                    },
                    false => Way::Cli,
                };
                let (session, state) = (called("session", *next), called("state", *next));
                let names = Names { session: &session, state: &state };
                let end = setups.hold(names, setup(way), *now).unwrap();
                model.insert(*next, (end, *browser));
                *next += 1;
            }
            Move::Finish { session, state } => {
                let names = Names {
                    session: &called("session", *session),
                    state: &called("state", *state),
                };
                let outcome = setups.finish(names, *now).map_err(|error| error.reason());
                match model.get(session) {
                    None => assert_eq!(outcome.unwrap_err(), Reason::SessionNotFound),
                    Some((_, true)) => assert_eq!(outcome.unwrap_err(), Reason::WrongCallerMode),
                    Some((_, false)) => {
                        model.remove(session);
                        assert_eq!(outcome.is_ok(), session == state);
                    }
                }
            }
            Move::Land { state, cookie } => {
                let cookie_text = cookie.map(|of| called("cookie", of));
                let state_text = called("state", *state);
                let outcome = setups.land(&state_text, cookie_text.as_ref(), *now);
                let outcome = outcome.map_err(|error| error.reason());
                match model.get(state) {
                    None => assert_eq!(outcome.unwrap_err(), Reason::SessionNotFound),
                    Some((_, false)) => assert_eq!(outcome.unwrap_err(), Reason::WrongCallerMode),
                    Some((_, true)) if *cookie == Some(*state) => {
                        outcome.unwrap();
                        model.remove(state);
                    }
                    Some((_, true)) => assert_eq!(outcome.unwrap_err(), Reason::BrowserMismatch),
                }
            }
        }
    }

    proptest! {
        /// Once, in time, the way it was begun, to the browser that began it: never otherwise.
        #[test]
        fn a_setup_is_handed_out_to_nobody_else(moves in moves()) {
            let (mut setups, mut model) = (Setups::default(), Model::new());
            let (mut now, mut next) = (Timestamp::from_second(1_000).unwrap(), 0);
            for one in &moves {
                if model.len() < limits::OAUTH_SETUPS || !matches!(one, Move::Begin { .. }) {
                    step(&mut setups, &mut model, &mut now, one, &mut next);
                }
            }
        }
    }

    #[test]
    fn setups_are_few_and_old_ones_make_room() {
        let mut setups = Setups::default();
        let now = Timestamp::from_second(1_000).unwrap();
        let mut hold = |of: usize, now| {
            let (session, state) = (secret(format!("s{of}")), secret(format!("t{of}")));
            setups.hold(Names { session: &session, state: &state }, setup(Way::Cli), now)
        };
        for of in 0..limits::OAUTH_SETUPS {
            hold(of, now).unwrap();
        }
        assert_eq!(hold(1_000, now).unwrap_err().reason(), Reason::Busy);
        hold(1_001, now.checked_add(limits::OAUTH_SETUP_WALL).unwrap()).unwrap();
    }

    #[test]
    fn nothing_of_a_setup_is_printed() {
        let mut setups = Setups::default();
        let (session, state) = (secret("session canary"), secret("state canary"));
        let names = Names { session: &session, state: &state };
        setups.hold(names, setup(Way::Cli), Timestamp::UNIX_EPOCH).unwrap();
        let shown = format!("{setups:?}");
        assert!(!shown.contains("canary") && !shown.contains("verifier\""), "{shown}");
    }
}
