//! How the kinds of values travel that many messages share.

use std::{collections::BTreeMap, time::Duration};

use aileron_contract::{
    Error, IdempotencyKey, Reason, Result, Scope, Secret, Timestamp,
    audit::{ActorKind, EventKind},
    bindings::{BindingStatus, Purpose, StaleReason},
    credential::CredentialKind,
    executor::{
        ApprovalKind, ConsentDecision, GrantState, GrantVoid, InputKind, LineChange, Position,
        RunState,
    },
    failure::{Boundary, Class},
    json,
    names::{
        ActionName, AgentName, AuditId, Authority, BindingName, Fqn, GrantId, HostPort, Identity,
        Login, PackageRef, RunId, SecretName, SessionId, Sha256Hash, TokenId, VaultPath, Version,
    },
    packages::{DriftState, PackageKind, SignatureStatus},
    publishers::{HubConflictKind, HubKind, HubRisk, TrustState},
    vault::{EntryScope, PinDomain, State},
};
use serde_json::{Map, Value};

use crate::message::{Wire, invalid, must_be_there, required};

/// Types that travel as their text, which their own grammar checks on arrival.
macro_rules! texts {
    ($($name:ty),+ $(,)?) => {$(
        impl Wire<String> for $name {
            fn into_wire(self) -> String {
                self.to_string()
            }

            fn from_wire(text: String, _field: &'static str) -> Result<Self> {
                text.parse()
            }
        }
    )+};
}

texts! {
    ActionName, ActorKind, ApprovalKind, Position, AgentName, AuditId, Authority, BindingName, BindingStatus, Boundary, Class,
    ConsentDecision, CredentialKind, EntryScope, EventKind, Fqn, GrantId, GrantState, GrantVoid, HostPort, HubConflictKind, HubKind, HubRisk, IdempotencyKey, Identity,
    DriftState, InputKind, LineChange, Login, PackageKind, PackageRef, PinDomain, Purpose, RunId, RunState, Scope, SecretName, SessionId, Sha256Hash,
    SignatureStatus, StaleReason, State, TokenId, TrustState, VaultPath, Version,
}

/// Types that mean the same on both sides.
macro_rules! plain {
    ($($name:ty),+ $(,)?) => {$(
        impl Wire<Self> for $name {
            fn into_wire(self) -> Self {
                self
            }

            fn from_wire(value: Self, _field: &'static str) -> Result<Self> {
                Ok(value)
            }
        }
    )+};
}

plain! { bool, i32, u32, u64, String, BTreeMap<String, String> }

/// On the way out a copy; what becomes of it in the transport's buffers is out of reach. On
/// arrival without copying: the received bytes are wiped with the secret.
impl Wire<Vec<u8>> for Secret {
    fn into_wire(self) -> Vec<u8> {
        self.expose(<[u8]>::to_vec)
    }

    fn from_wire(bytes: Vec<u8>, _field: &'static str) -> Result<Self> {
        Ok(Self::new(bytes))
    }
}

impl Wire<Vec<u8>> for [u8; 32] {
    fn into_wire(self) -> Vec<u8> {
        self.to_vec()
    }

    fn from_wire(bytes: Vec<u8>, field: &'static str) -> Result<Self> {
        bytes.try_into().map_err(|_| invalid(format!("the field {field} is not 32 bytes long")))
    }
}

/// What a service recorded: read as it was written, numbers of any size included, so that one old
/// record cannot make a whole listing unreadable.
impl Wire<String> for Map<String, Value> {
    fn into_wire(self) -> String {
        Value::Object(self).to_string()
    }

    fn from_wire(text: String, _field: &'static str) -> Result<Self> {
        serde_json::from_str(&text)
            .map_err(|error| Error::new(Reason::InvalidBody, format!("not a JSON object: {error}")))
    }
}

/// What a caller asks for: read strictly, so that no two readers understand it differently.
pub(crate) fn asked_json(text: &str) -> Result<Map<String, Value>> {
    json::object(text.as_bytes())
}

const NANOSECONDS: i32 = 1_000_000_000;

impl Wire<prost_types::Timestamp> for Timestamp {
    fn into_wire(self) -> prost_types::Timestamp {
        let (seconds, nanos) = (self.as_second(), self.subsec_nanosecond());
        // Protobuf counts nanoseconds forward, also before 1970.
        if nanos < 0 {
            let (seconds, nanos) = (seconds.saturating_sub(1), nanos + NANOSECONDS);
            prost_types::Timestamp { seconds, nanos }
        } else {
            prost_types::Timestamp { seconds, nanos }
        }
    }

    fn from_wire(at: prost_types::Timestamp, field: &'static str) -> Result<Self> {
        let prost_types::Timestamp { seconds, nanos } = at;
        let refused = || invalid(format!("the field {field} is not a point in time"));
        if !(0..NANOSECONDS).contains(&nanos) {
            return Err(refused());
        }
        Self::new(seconds, nanos).map_err(|_| refused())
    }
}

must_be_there!(Timestamp => prost_types::Timestamp);

pub(crate) fn duration_to_wire(
    length: Duration,
    field: &'static str,
) -> Result<prost_types::Duration> {
    let refused = |_| invalid(format!("the field {field} is longer than time itself"));
    Ok(prost_types::Duration {
        seconds: i64::try_from(length.as_secs()).map_err(refused)?,
        nanos: i32::try_from(length.subsec_nanos()).map_err(refused)?,
    })
}

pub(crate) fn duration_from_wire(
    length: Option<prost_types::Duration>,
    field: &'static str,
) -> Result<Duration> {
    let prost_types::Duration { seconds, nanos } = required(length, field)?;
    let refused = || invalid(format!("the field {field} is not a length of time"));
    if !(0..NANOSECONDS).contains(&nanos) {
        return Err(refused());
    }
    let seconds = u64::try_from(seconds).map_err(|_| refused())?;
    Ok(Duration::new(seconds, u32::try_from(nanos).map_err(|_| refused())?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn again(at: Timestamp) -> Result<Timestamp> {
        let message: prost_types::Timestamp = at.into_wire();
        Timestamp::from_wire(message, "at")
    }

    proptest! {
        #[test]
        fn every_point_in_time_survives(
            seconds in -377_705_023_200_i64..=253_402_207_199,
            nanos in 0..NANOSECONDS,
        ) {
            let at = Timestamp::new(seconds, nanos).unwrap();
            prop_assert_eq!(again(at).unwrap(), at);
        }
    }

    #[test]
    fn the_ends_of_time_survive() {
        for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
            assert_eq!(again(at).unwrap(), at);
        }
    }

    #[test]
    fn odd_times_are_refused() {
        for (seconds, nanos) in [(0, -1), (0, NANOSECONDS), (i64::MAX, 0), (i64::MIN, 0)] {
            let at = prost_types::Timestamp { seconds, nanos };
            assert!(Timestamp::from_wire(at, "at").is_err(), "{seconds} {nanos}");
            let length = prost_types::Duration { seconds, nanos };
            let negative = seconds < 0 || !(0..NANOSECONDS).contains(&nanos);
            assert_eq!(duration_from_wire(Some(length), "length").is_err(), negative);
        }
        assert!(Timestamp::from_wire(None, "at").is_err());
        assert!(duration_from_wire(None, "length").is_err());
        assert!(duration_to_wire(Duration::MAX, "length").is_err());
    }

    #[test]
    fn asked_json_is_read_strictly_and_recorded_json_as_written() {
        let huge = r#"{"n":12345678901234567890}"#;
        let recorded = |text: &str| Map::from_wire(text.to_owned(), "payload");
        assert!(asked_json(huge).is_err());
        assert_eq!(recorded(huge).unwrap().into_wire(), huge);
        assert!(asked_json(r#"{"a":1,"a":2}"#).is_err());
        assert!(recorded("[]").is_err());
    }
}
