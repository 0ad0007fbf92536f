//! The types of the publishers contract, field by field.

use aileron_contract::{
    Result,
    publishers::{DistrustRequest, Keyring, PublishedKey, Trusted, TrustedKey},
};
use aileron_proto::executor::v1::{self as pb, distrust_request::Which};

use crate::message::{Wire, messages, must_be_there, read};

// keys
messages! {
    Keyring => pb::Keyring { keys, verified, path }

    TrustedKey => pb::TrustedKey { authority, key, fingerprint }

    PublishedKey => pb::PublishedKey { authority, key, fingerprint, trusted, fetched_at }

    Trusted => pb::TrustResponse { key, already, path }
}

impl Wire<Which> for DistrustRequest {
    fn into_wire(self) -> Which {
        match self {
            Self::Authority(authority) => Which::Authority(authority.into_wire()),
            Self::Fingerprint(fingerprint) => Which::Fingerprint(fingerprint),
        }
    }

    fn from_wire(which: Which, field: &'static str) -> Result<Self> {
        Ok(match which {
            Which::Authority(authority) => Self::Authority(read(authority, field)?),
            Which::Fingerprint(fingerprint) => Self::Fingerprint(fingerprint),
        })
    }
}

must_be_there!(DistrustRequest => Which);
