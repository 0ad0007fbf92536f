//! What drifted and what is missing, field by field.

use aileron_contract::{
    Result,
    packages::{Accepted, Drift, DriftOf, InstallFailure, MissingConnector, Needs, Synced},
};
use aileron_proto::executor::v1 as pb;

use crate::message::{Wire, invalid, messages, must_be_there, read, required};

messages! {
    Drift => pb::DriftItem { of, state, path, message, difference, cut, digest }

    Accepted => pb::AcceptResponse { already, missing }

    Needs => pb::Needs { actions, unreadable, required, present, missing, unbound }

    MissingConnector => pb::MissingConnector { package, hash, needed_by, accepted }

    Synced => pb::SyncResponse { installed, failures, needs }

    InstallFailure => pb::InstallFailure { package, error }
}

impl Wire<pb::DriftOf> for DriftOf {
    fn into_wire(self) -> pb::DriftOf {
        let of = match self {
            Self::Action(name) => pb::drift_of::Of::Action(name.into_wire()),
            Self::Connector(package) => pb::drift_of::Of::Connector(package.into_wire()),
            Self::Lock => pb::drift_of::Of::Lock(true),
        };
        pb::DriftOf { of: Some(of) }
    }

    fn from_wire(message: pb::DriftOf, field: &'static str) -> Result<Self> {
        match required(message.of, field)? {
            pb::drift_of::Of::Action(name) => read(name, field).map(Self::Action),
            pb::drift_of::Of::Connector(package) => read(package, field).map(Self::Connector),
            pb::drift_of::Of::Lock(true) => Ok(Self::Lock),
            pb::drift_of::Of::Lock(false) => {
                Err(invalid(format!("the field {field} says that it is nothing")))
            }
        }
    }
}

must_be_there!(DriftOf => pb::DriftOf);
