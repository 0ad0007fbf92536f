//! Setups that wait for a person at another machine. A value: time is an argument.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Error, Result, Secret, Timestamp,
    bindings::{Binding, DevicePoll},
    limits,
    names::Sha256Hash,
};

use super::{
    setups::{Plan, full, unknown},
    trouble::Trouble,
};
use crate::passes::{find, hashed};

/// What a setup remembers until the person has answered.
#[derive(Debug)]
pub(crate) struct DeviceSetup {
    pub(crate) plan: Plan,
    pub(crate) device_code: Secret,
}

#[derive(Debug, Default)]
pub(crate) struct Devices(Vec<Held>);

#[derive(Debug)]
struct Held {
    session: Sha256Hash,
    expires_at: Timestamp,
    interval: Duration,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Not to be asked about before this time.
    Waiting {
        setup: Arc<DeviceSetup>,
        not_before: Timestamp,
    },
    /// The provider is being asked.
    Asking {
        setup: Arc<DeviceSetup>,
    },
    Ended(DevicePoll),
}

/// What to do about a poll.
#[derive(Debug)]
pub(crate) enum Step {
    Tell(DevicePoll),
    Ask(Arc<DeviceSetup>),
}

/// What the provider said when asked.
#[derive(Debug)]
pub(crate) enum Said {
    Bound(Box<Binding>),
    No(Trouble),
}

/// A provider that wants to be asked less often is asked this much less often (RFC 8628).
const SLOWER: Duration = Duration::from_secs(5);

/// Providers name their pace; we keep to it within reason.
const PACE: std::ops::RangeInclusive<u64> = 1..=60;

impl Devices {
    /// Is there room for one more? Asked before the provider is, too: what it begins has to be kept.
    pub(crate) fn room(&mut self, now: Timestamp) -> Result<()> {
        self.0.retain(|held| now < held.expires_at);
        if self.0.len() < limits::OAUTH_SETUPS {
            return Ok(());
        }
        Err(full(limits::OAUTH_DEVICE_WALL))
    }

    /// `busy` when too many wait already. Returns when the setup ends, and its pace.
    pub(crate) fn hold(
        &mut self,
        session: &Secret,
        setup: DeviceSetup,
        (lifetime, interval): (Duration, Duration),
        now: Timestamp,
    ) -> Result<(Timestamp, Duration)> {
        self.room(now)?;
        let lifetime = lifetime.min(limits::OAUTH_DEVICE_WALL);
        let expires_at = now.checked_add(lifetime).map_err(Error::internal)?;
        let interval = Duration::from_secs(interval.as_secs().clamp(*PACE.start(), *PACE.end()));
        let stage = Stage::Waiting { setup: Arc::new(setup), not_before: after(now, interval) };
        self.0.push(Held { session: hashed(session), expires_at, interval, stage });
        Ok((expires_at, interval))
    }

    /// What a poll comes to. The provider is asked by one caller at a time, at its pace.
    pub(crate) fn poll(&mut self, session: &Secret, now: Timestamp) -> Result<Step> {
        let held = self.held(session)?;
        let pending = DevicePoll::Pending { interval: held.interval };
        let setup = match &held.stage {
            Stage::Ended(end) => return Ok(Step::Tell(end.clone())),
            _ if now >= held.expires_at => {
                held.stage = Stage::Ended(DevicePoll::Expired);
                return Ok(Step::Tell(DevicePoll::Expired));
            }
            Stage::Asking { setup: _ } => return Ok(Step::Tell(pending)),
            Stage::Waiting { not_before, setup: _ } if now < *not_before => {
                return Ok(Step::Tell(pending));
            }
            Stage::Waiting { setup, not_before: _ } => Arc::clone(setup),
        };
        held.stage = Stage::Asking { setup: Arc::clone(&setup) };
        Ok(Step::Ask(setup))
    }

    /// What the provider's word makes of the setup.
    pub(crate) fn said(
        &mut self,
        session: &Secret,
        said: Said,
        now: Timestamp,
    ) -> Result<DevicePoll> {
        let held = self.held(session)?;
        let Stage::Asking { setup } = &held.stage else {
            return Err(Error::internal("an answer about a device that nobody asked about"));
        };
        let setup = Arc::clone(setup);
        let trouble = match said {
            Said::Bound(binding) => return Ok(held.end(DevicePoll::Done(binding))),
            Said::No(trouble) => trouble,
        };
        let poll = match trouble.code() {
            Some("authorization_pending") => DevicePoll::Pending { interval: held.interval },
            Some("access_denied") => return Ok(held.end(DevicePoll::Denied)),
            Some("expired_token") => return Ok(held.end(DevicePoll::Expired)),
            Some("slow_down") => DevicePoll::SlowDown { interval: held.slower() },
            _ if trouble.passing() => DevicePoll::Pending { interval: held.slower() },
            _ => {
                held.end(DevicePoll::Expired);
                return Err(trouble.error());
            }
        };
        held.stage = Stage::Waiting { setup, not_before: after(now, held.interval) };
        Ok(poll)
    }

    /// The provider granted, and the grant could not be kept: nothing more comes of this setup.
    pub(crate) fn fail(&mut self, session: &Secret) {
        if let Ok(held) = self.held(session) {
            held.end(DevicePoll::Expired);
        }
    }

    fn held(&mut self, session: &Secret) -> Result<&mut Held> {
        let found = find(&mut self.0, |held| held.session, &hashed(session));
        found.ok_or_else(|| unknown(limits::OAUTH_DEVICE_WALL))
    }
}

impl Held {
    fn end(&mut self, end: DevicePoll) -> DevicePoll {
        self.stage = Stage::Ended(end.clone());
        end
    }

    fn slower(&mut self) -> Duration {
        let slower = self.interval.saturating_add(SLOWER);
        self.interval = slower.min(Duration::from_secs(*PACE.end()));
        self.interval
    }
}

fn after(now: Timestamp, interval: Duration) -> Timestamp {
    now.checked_add(interval).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{plan, secret},
        *,
    };

    fn held(lifetime: u64, interval: u64) -> (Devices, Secret) {
        let mut devices = Devices::default();
        let setup = DeviceSetup { plan: plan(), device_code: secret("d") };
        let pace = (Duration::from_secs(lifetime), Duration::from_secs(interval));
        devices.hold(&secret("s"), setup, pace, at(0)).unwrap();
        (devices, secret("s"))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn no(status: u16, code: &str) -> Said {
        Said::No(Trouble::Refused { status, code: Some(code.to_owned()) })
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_provider_is_asked_at_its_pace_by_one_caller() {
        let (mut devices, session) = held(600, 5);
        assert!(matches!(devices.poll(&session, at(4)).unwrap(), Step::Tell(_)));
        assert!(matches!(devices.poll(&session, at(5)).unwrap(), Step::Ask(_)));
        assert!(matches!(devices.poll(&session, at(6)).unwrap(), Step::Tell(_)), "being asked");
        let poll = devices.said(&session, no(400, "authorization_pending"), at(6)).unwrap();
        assert_eq!(poll, DevicePoll::Pending { interval: seconds(5) });
        assert!(matches!(devices.poll(&session, at(10)).unwrap(), Step::Tell(_)));
        assert!(matches!(devices.poll(&session, at(11)).unwrap(), Step::Ask(_)));
    }

    #[test]
    fn a_provider_that_wants_less_gets_less_from_then_on() {
        let (mut devices, session) = held(600, 5);
        devices.poll(&session, at(5)).unwrap();
        let poll = devices.said(&session, no(400, "slow_down"), at(5)).unwrap();
        assert_eq!(poll, DevicePoll::SlowDown { interval: seconds(10) });
        assert!(matches!(devices.poll(&session, at(14)).unwrap(), Step::Tell(_)));
        assert!(matches!(devices.poll(&session, at(15)).unwrap(), Step::Ask(_)));
        let poll = devices.said(&session, no(503, "server_error"), at(15)).unwrap();
        assert_eq!(poll, DevicePoll::Pending { interval: seconds(15) });
    }

    /// Typed passphrase, read consent and all.
    #[test]
    fn whoever_waits_for_a_device_is_still_the_person_when_it_is_over() {
        let spare = limits::PERSON_SESSION_WALL.checked_sub(limits::OAUTH_DEVICE_WALL).unwrap();
        assert!(spare >= seconds(300), "{spare:?}");
        assert!(limits::OAUTH_SETUP_WALL <= limits::OAUTH_DEVICE_WALL);
    }

    #[test]
    fn an_end_is_an_end() {
        for (code, end) in
            [("access_denied", DevicePoll::Denied), ("expired_token", DevicePoll::Expired)]
        {
            let (mut devices, session) = held(600, 5);
            devices.poll(&session, at(5)).unwrap();
            assert_eq!(devices.said(&session, no(400, code), at(5)).unwrap(), end);
            let Step::Tell(told) = devices.poll(&session, at(500)).unwrap() else { panic!() };
            assert_eq!(told, end);
        }
        let (mut devices, session) = held(600, 5);
        devices.poll(&session, at(5)).unwrap();
        assert!(devices.said(&session, no(401, "invalid_client"), at(5)).is_err());
        let (mut devices, session) = held(86_400, 0);
        let Step::Tell(told) = devices.poll(&session, at(600)).unwrap() else { panic!() };
        assert_eq!(told, DevicePoll::Expired, "ten minutes, whatever the provider says");
        assert!(devices.poll(&secret("another"), at(1)).is_err());
    }
}
