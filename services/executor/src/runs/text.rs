//! How the contract's types are written in a run's record. A record read back was parsed again by
//! the same constructors.

use std::{fmt::Display, str::FromStr};

use aileron_contract::{
    Error, Principal, Timestamp,
    executor::{ConsentDecision, Field, Preview, RunResult},
    failure::{Boundary, Class, Failure},
    names::{AuditId, BindingName, PackageRef, RunId, Sha256Hash},
};
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};

/// A fresh name, `<prefix>-<UTC time>-<16 hex>`: sorts by time, and nobody guesses it.
pub(super) fn stamped(prefix: &str, now: Timestamp) -> Result<String, Error> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|cause| Error::internal(cause.to_string()))?;
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S").to_string();
    Ok(format!("{prefix}-{time}-{}", hex::encode(random)))
}

/// For types written as their text.
pub(super) mod plain {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// For optional types written as their text.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Display, FromStr, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands the field over like this")]
    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(T::to_string).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        Option::<String>::deserialize(from)?
            .map(|text| text.parse().map_err(serde::de::Error::custom))
            .transpose()
    }
}

/// For a principal, written `kind:id`.
pub(super) mod principal {
    use super::{Deserialize, Deserializer, Principal, Serializer, principal_from, principal_text};

    pub(in super::super) fn serialize<S: Serializer>(
        value: &Principal,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&principal_text(value))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Principal, D::Error> {
        let text = String::deserialize(from)?;
        principal_from(&text).ok_or_else(|| serde::de::Error::custom("not a principal"))
    }
}

/// For a principal that may be absent.
pub(super) mod optional_principal {
    use super::{Deserialize, Deserializer, Principal, Serialize, Serializer};
    use super::{principal_from, principal_text};

    #[expect(clippy::ref_option, reason = "serde hands the field over like this")]
    pub(in super::super) fn serialize<S: Serializer>(
        value: &Option<Principal>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(principal_text).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Principal>, D::Error> {
        let read = |text: String| {
            principal_from(&text).ok_or_else(|| serde::de::Error::custom("not a principal"))
        };
        Option::<String>::deserialize(from)?.map(read).transpose()
    }
}

/// Whose calls these are for counting: an agent's are of who began its session, and all persons
/// are the person.
pub(crate) fn origin_text(principal: &Principal, begun_by: Option<&Principal>) -> String {
    match begun_by.unwrap_or(principal) {
        Principal::Person(_) => PERSON.to_owned(),
        other => principal_text(other),
    }
}

/// The [`origin_text`] of the person.
pub(crate) const PERSON: &str = "person";

pub(crate) fn principal_text(principal: &Principal) -> String {
    match principal {
        Principal::Person(id) => format!("person:{id}"),
        Principal::Program(id) => format!("program:{id}"),
        Principal::Agent(id) => format!("agent:{id}"),
        Principal::Service(id) => format!("service:{id}"),
    }
}

fn principal_from(text: &str) -> Option<Principal> {
    let (kind, id) = text.split_once(':')?;
    match kind {
        "person" => Some(Principal::Person(id.into())),
        "program" => Some(Principal::Program(id.into())),
        "agent" => Some(Principal::Agent(id.into())),
        "service" => Some(Principal::Service(id.into())),
        _ => None,
    }
}

/// A failure as a record keeps it.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Failure", deny_unknown_fields)]
pub(super) struct FailureForm {
    #[serde(with = "plain")]
    class: Class,
    #[serde(with = "plain")]
    boundary: Boundary,
    message: String,
    retriable: bool,
    details: Option<Map<String, Value>>,
    #[serde(with = "optional")]
    audit_id: Option<AuditId>,
}

/// A result as a record keeps it.
#[derive(Serialize, Deserialize)]
#[serde(remote = "RunResult", deny_unknown_fields)]
pub(super) struct ResultForm {
    #[serde(with = "plain")]
    run: RunId,
    #[serde(with = "plain")]
    audit_id: AuditId,
    output: String,
    #[serde(with = "plain")]
    connector: PackageRef,
    #[serde(with = "plain")]
    connector_hash: Sha256Hash,
    #[serde(with = "optional")]
    binding: Option<BindingName>,
    #[serde(with = "plain")]
    consent: ConsentDecision,
}

/// A preview as a record keeps it.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Preview", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum PreviewForm {
    #[serde(with = "fields")]
    Fields(Vec<Field>),
    Unavailable(String),
}

/// For the lines of a card.
mod fields {
    use super::{Deserialize, Deserializer, Field, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        label: String,
        value: Option<String>,
        missing: bool,
        multiline: bool,
    }

    pub(super) fn serialize<S: Serializer>(fields: &[Field], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(fields.iter().cloned().map(|field| {
            let Field { label, value, missing, multiline } = field;
            Line { label, value, missing, multiline }
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Field>, D::Error> {
        let lines = Vec::<Line>::deserialize(from)?;
        Ok(lines
            .into_iter()
            .map(|line| {
                let Line { label, value, missing, multiline } = line;
                Field { label, value, missing, multiline }
            })
            .collect())
    }
}

/// Leaves out counters that were never counted up, so that older records keep their text.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
pub(super) fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// A point in time as the table's columns hold it. Saturates in the year 294,000.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// Reads a record; the message names no content.
pub(super) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    serde_json::from_str(text).map_err(|cause| {
        serde_json::Error::custom(format!(
            "unreadable at line {}, column {}",
            cause.line(),
            cause.column()
        ))
    })
}
