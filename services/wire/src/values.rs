//! Values that many messages share. Absent or unknown input is refused, never replaced by a
//! default.

use std::{fmt::Display, str::FromStr, time::Duration};

use aileron_contract::{Error, Reason, Result, Secret, Timestamp, json, names::Sha256Hash};
use serde_json::{Map, Value};

const NANOSECONDS: i32 = 1_000_000_000;

/// A message field that must be there.
pub(crate) fn required<T>(value: Option<T>, field: &'static str) -> Result<T> {
    value.ok_or_else(|| invalid(format!("the field {field} is missing")))
}

pub(crate) fn invalid(public: impl Into<Box<str>>) -> Error {
    Error::new(Reason::InvalidRequest, public)
}

/// Text that its type's own grammar checks.
pub(crate) fn parsed<T: FromStr<Err = Error>>(raw: String) -> Result<T> {
    raw.parse()
}

pub(crate) fn parsed_if<T: FromStr<Err = Error>>(raw: Option<String>) -> Result<Option<T>> {
    raw.map(parsed).transpose()
}

pub(crate) fn parsed_list<T: FromStr<Err = Error>>(raw: Vec<String>) -> Result<Vec<T>> {
    list(raw, parsed)
}

/// Converts every item, or fails with the first that cannot be.
pub(crate) fn list<T, U>(items: Vec<T>, convert: impl Fn(T) -> Result<U>) -> Result<Vec<U>> {
    items.into_iter().map(convert).collect()
}

pub(crate) fn text_if<T: Display>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

pub(crate) fn texts<T: Display>(values: Vec<T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

/// A copy for the wire. What becomes of it in the transport's buffers is out of reach.
pub(crate) fn secret_to_wire(secret: &Secret) -> Vec<u8> {
    secret.expose(<[u8]>::to_vec)
}

/// Without copying: the received bytes are wiped with the secret.
pub(crate) fn secret_from_wire(bytes: Vec<u8>) -> Secret {
    Secret::new(bytes)
}

pub(crate) fn bytes32_from_wire(bytes: Vec<u8>, field: &'static str) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| invalid(format!("the field {field} is not 32 bytes long")))
}

pub(crate) fn hash_if(raw: Option<String>) -> Result<Option<Sha256Hash>> {
    parsed_if(raw)
}

pub(crate) fn json_to_wire(map: Map<String, Value>) -> String {
    Value::Object(map).to_string()
}

/// What a caller asks for: read strictly, so that no two readers understand it differently.
pub(crate) fn json_strictly(text: &str) -> Result<Map<String, Value>> {
    json::object(text.as_bytes())
}

/// What a service recorded: read as it was written, numbers of any size included, so that one old
/// record cannot make a whole listing unreadable.
pub(crate) fn json_as_recorded(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text)
        .map_err(|error| Error::new(Reason::InvalidBody, format!("not a JSON object: {error}")))
}

pub(crate) fn timestamp_to_wire(at: Timestamp) -> prost_types::Timestamp {
    let (seconds, nanos) = (at.as_second(), at.subsec_nanosecond());
    // Protobuf counts nanoseconds forward, also before 1970.
    if nanos < 0 {
        prost_types::Timestamp { seconds: seconds.saturating_sub(1), nanos: nanos + NANOSECONDS }
    } else {
        prost_types::Timestamp { seconds, nanos }
    }
}

pub(crate) fn timestamp_from_wire(
    at: Option<prost_types::Timestamp>,
    field: &'static str,
) -> Result<Timestamp> {
    let prost_types::Timestamp { seconds, nanos } = required(at, field)?;
    let refused = || invalid(format!("the field {field} is not a point in time"));
    if !(0..NANOSECONDS).contains(&nanos) {
        return Err(refused());
    }
    Timestamp::new(seconds, nanos).map_err(|_| refused())
}

pub(crate) fn timestamp_if(
    at: Option<prost_types::Timestamp>,
    field: &'static str,
) -> Result<Option<Timestamp>> {
    at.map(|at| timestamp_from_wire(Some(at), field)).transpose()
}

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

    proptest! {
        #[test]
        fn every_point_in_time_survives(
            seconds in -377_705_023_200_i64..=253_402_207_199,
            nanos in 0..NANOSECONDS,
        ) {
            let at = Timestamp::new(seconds, nanos).unwrap();
            prop_assert_eq!(timestamp_from_wire(Some(timestamp_to_wire(at)), "at").unwrap(), at);
        }
    }

    #[test]
    fn the_ends_of_time_survive() {
        for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
            assert_eq!(timestamp_from_wire(Some(timestamp_to_wire(at)), "at").unwrap(), at);
        }
    }

    #[test]
    fn odd_times_are_refused() {
        for (seconds, nanos) in [(0, -1), (0, NANOSECONDS), (i64::MAX, 0), (i64::MIN, 0)] {
            let at = prost_types::Timestamp { seconds, nanos };
            assert!(timestamp_from_wire(Some(at), "at").is_err(), "{seconds} {nanos}");
            let length = prost_types::Duration { seconds, nanos };
            let negative = seconds < 0 || !(0..NANOSECONDS).contains(&nanos);
            assert_eq!(duration_from_wire(Some(length), "length").is_err(), negative);
        }
        assert!(timestamp_from_wire(None, "at").is_err());
        assert!(duration_from_wire(None, "length").is_err());
        assert!(duration_to_wire(Duration::MAX, "length").is_err());
    }

    #[test]
    fn asked_json_is_read_strictly_and_recorded_json_as_written() {
        let huge = r#"{"n":12345678901234567890}"#;
        assert!(json_strictly(huge).is_err());
        assert_eq!(json_to_wire(json_as_recorded(huge).unwrap()), huge);
        assert!(json_strictly(r#"{"a":1,"a":2}"#).is_err());
        assert!(json_as_recorded("[]").is_err());
    }
}
