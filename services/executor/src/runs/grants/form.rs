//! How the contract's types are written in a grant's record, and in what its digest covers.

use aileron_contract::{
    Result,
    executor::{GrantCaller, GrantRule},
    json,
    names::{SessionId, Sha256Hash, TokenId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::Terms;
use crate::runs::text::plain;

/// Separates these digests from all others of the house.
const DOMAIN: &str = "aileron/grant/v1";

/// SHA-256 over the RFC 8785 form of all the terms.
pub(crate) fn digest(terms: &Terms) -> Result<Sha256Hash> {
    json::digest(DOMAIN, terms)
}

/// A caller in one word, for the table's condition.
pub(crate) fn caller_text(caller: &GrantCaller) -> String {
    match caller {
        GrantCaller::Session(id) => format!("session:{id}"),
        GrantCaller::Token(id) => format!("token:{id}"),
    }
}

/// A caller as a record keeps it.
#[derive(Serialize, Deserialize)]
#[serde(remote = "GrantCaller", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum CallerForm {
    Session(#[serde(with = "plain")] SessionId),
    Token(#[serde(with = "plain")] TokenId),
}

/// A rule as a record keeps it.
#[derive(Serialize, Deserialize)]
#[serde(remote = "GrantRule", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RuleForm {
    Exactly(Value),
    LeftOut,
    Any,
}

/// For hosts, each written as its text.
pub(super) mod hosts {
    use aileron_contract::names::HostPort;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(in super::super) fn serialize<S: Serializer>(
        hosts: &[HostPort],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(hosts.iter().map(HostPort::to_string))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<HostPort>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
