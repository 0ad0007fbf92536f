//! Progress, field by field.

use aileron_contract::{
    Result,
    packages::{Progress, Step},
};
use aileron_proto::executor::v1::{
    self as pb,
    progress::{Compiling, Fetching, Step as WireStep},
};

use crate::message::{Wire, messages, must_be_there, read};

messages! {
    Progress => pb::Progress { package, step }
}

impl Wire<WireStep> for Step {
    fn into_wire(self) -> WireStep {
        match self {
            Self::Fetching { received, total } => {
                WireStep::Fetching(Fetching { received, total: total.into_wire() })
            }
            Self::Compiling => WireStep::Compiling(Compiling {}),
        }
    }

    fn from_wire(step: WireStep, field: &'static str) -> Result<Self> {
        Ok(match step {
            WireStep::Fetching(Fetching { received, total }) => {
                Self::Fetching { received, total: read(total, field)? }
            }
            WireStep::Compiling(Compiling {}) => Self::Compiling,
        })
    }
}

must_be_there!(Step => WireStep);
